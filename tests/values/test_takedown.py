import pytest

from tasks.errors import BadUrl
from tasks.values.takedown import KeptOut, bare_host, host_digest, hosts_above, source_digest, url_digest
from tests.rows import make_article, make_capture

OF_URL = KeptOut.of([url_digest("daily.example/a")])
OF_HOST = KeptOut.of([host_digest("WWW.Daily.example:8443")])
OF_SOURCE = KeptOut.of([source_digest("daily")])


@pytest.mark.parametrize(
    ("url", "is_kept"),
    [
        ("https://daily.example/a", True),
        ("http://www.daily.example/a/?utm_source=x", True),
        ("https://daily.example/a?page=2", False),
        ("https://daily.example/", False),
        ("no URL", False),
    ],
)
def test_a_url_is_kept_out_however_it_is_written(url, is_kept):
    assert OF_URL.has_url(url) is is_kept


@pytest.mark.parametrize(
    ("url", "is_kept"),
    [
        ("https://daily.example/a", True),
        ("https://daily.example:8443/b", True),
        ("https://m.daily.example/c", True),
        ("https://notdaily.example/", False),
        ("https://example/", False),
        ("http://[::1]:80/", False),
    ],
)
def test_a_host_is_kept_out_with_the_hosts_below_it(url, is_kept):
    assert OF_HOST.has_url(url) is is_kept


@pytest.mark.parametrize(
    "row",
    [
        make_capture(),
        make_article(),
        make_capture(url="https://short.example/1", url_key="short.example/1"),
    ],
)
def test_a_row_is_kept_out_by_its_url_or_its_final_url(row):
    assert OF_URL.has_row(row)
    assert OF_HOST.has_row(row)
    assert OF_SOURCE.has_row(row)
    assert not KeptOut.of([url_digest("daily.example/b")]).has_row(row)
    assert not KeptOut().has_row(row)


def test_the_digests_do_not_reveal_the_url():
    assert not any("daily" in digest for digest in (OF_URL.digests | OF_HOST.digests | OF_SOURCE.digests))


def test_hosts_above_an_address():
    assert list(hosts_above("a.b.example:81/x")) == ["a.b.example", "b.example", "example"]
    assert list(hosts_above("[::1]:81/x")) == ["[::1]"]
    assert bare_host("Bücher.example") == "xn--bcher-kva.example"


def test_an_invalid_host_is_refused():
    with pytest.raises(BadUrl):
        host_digest("daily example")
