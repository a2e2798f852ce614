import pytest

from tasks.deduplicate.looks import prepared, syndicated_key
from tests.deduplicate.pages import page
from tests.looks import captured
from tests.rows import make_capture

ASKED = "https://m.example.com/a"


def names_of(canonical_url, **capture):
    return prepared(captured(make_capture(**capture), page=page("", canonical_url=canonical_url))).prepared.names


@pytest.mark.parametrize(
    ("final_url", "canonical_url", "names"),
    [
        (ASKED, None, {}),
        (ASKED, ASKED + "?utm_source=x", {}),
        (ASKED, "https://www.example.com/a", {"example.com/a": "canonical"}),
        (ASKED, "https://example.com/", {}),
        (ASKED, "https://www.example.com", {}),
        (ASKED, "https://example.com/?p=7", {"example.com/?p=7": "canonical"}),
        (ASKED, "https://example.org/a", {}),
        (ASKED, "https://example.com.evil.org/a", {}),
        (ASKED, "javascript:alert(1)", {}),
        (ASKED, "https://user@example.com/a", {}),
        ("https://example.com/a", None, {"example.com/a": "redirect"}),
        ("https://example.org/a", None, {}),
        ("https://example.com/a", "https://example.com/a", {"example.com/a": "redirect"}),
        ("https://example.com/b", "https://example.com/a", {"example.com/b": "redirect", "example.com/a": "canonical"}),
    ],
)
def test_aliases_of_a_page_are_on_its_site(final_url, canonical_url, names):
    assert names_of(canonical_url, url=ASKED, url_key="m.example.com/a", final_url=final_url) == names


def test_tenants_of_one_host_are_different_sites():
    asked = {"url": "https://one.github.io/a", "url_key": "one.github.io/a", "final_url": "https://one.github.io/a"}

    assert names_of("https://two.github.io/a", **asked) == {}


@pytest.mark.parametrize(
    ("syndicated_from", "key"),
    [
        (None, None),
        ("https://www.example.org/a/", "example.org/a"),
        ("https://www.example.com/a", None),
        ("nonsense", None),
    ],
)
def test_syndicated_from_gives_the_originals_url_key(syndicated_from, key):
    assert syndicated_key(syndicated_from, ASKED) == key
