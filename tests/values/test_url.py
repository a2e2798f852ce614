"""The fetch form and the key of URLs."""

import copy
import pickle

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tasks.errors import BadUrl, ForbiddenScheme
from tasks.values.trackers import TRACKERS
from tasks.values.url import (
    MAX_URL_LENGTH,
    Url,
    fetch_url,
    host_of,
    is_same_site,
    registrable_domain,
    storable_url,
    url_key,
)

MEANINGFUL = ("id", "cid", "sid", "ref", "source", "p", "q", "m", "s", "gameId", "gallery", "page", "v", "story_fbid")

FETCHED = [
    # nothing to do
    ("https://example.com/", "https://example.com/"),
    ("http://example.com/a", "http://example.com/a"),
    ("https://example.com/a/", "https://example.com/a/"),
    ("https://example.com/A/b", "https://example.com/A/b"),
    ("https://www.example.com/a", "https://www.example.com/a"),
    ("https://example.com//a//b", "https://example.com//a//b"),
    ("https://example.com/a;b=1;c", "https://example.com/a;b=1;c"),
    ("https://example.com/index.html", "https://example.com/index.html"),
    # host, port, scheme
    ("HTTPS://EXAMPLE.com", "https://example.com/"),
    ("https://example.com:443/a", "https://example.com/a"),
    ("http://example.com:80/a", "http://example.com/a"),
    ("http://example.com:443/a", "http://example.com:443/a"),
    ("https://example.com:8443/a", "https://example.com:8443/a"),
    ("https://example.com./a", "https://example.com/a"),
    ("https://example.com.:8443/a", "https://example.com:8443/a"),
    ("https://MÜNCHEN.de/ü", "https://xn--mnchen-3ya.de/%C3%BC"),
    ("https://xn--mnchen-3ya.de/", "https://xn--mnchen-3ya.de/"),
    ("http://0x7f.1/", "http://127.0.0.1/"),
    ("http://[::1]:80/a", "http://[::1]/a"),
    ("https://a_b.example.com/", "https://a_b.example.com/"),
    ("http://localhost:8900/a", "http://localhost:8900/a"),
    # white space, backslashes, dots
    ("  https://example.com/a\n", "https://example.com/a"),
    ("https://example.com/a\r\n\t/b", "https://example.com/a/b"),
    ("ht\ntps://exa\tmple.com/a?x=1\n&y=2", "https://example.com/a?x=1&y=2"),
    ("https://example.com/a b", "https://example.com/a%20b"),
    ("https:\\\\example.com\\a", "https://example.com/a"),
    ("https://example.com/a/../b/./c", "https://example.com/b/c"),
    ("https://example.com/a/%2e%2E/b", "https://example.com/b"),
    # fragment and hashbang
    ("https://example.com/a#comments", "https://example.com/a"),
    ("https://example.com/a#:~:text=word", "https://example.com/a"),
    ("https://example.com/#!/story/1", "https://example.com/#!/story/1"),
    ("https://example.com/a#!", "https://example.com/a"),
    ("https://example.com/app#/news/12", "https://example.com/app#/news/12"),
    ("https://example.com/?utm_source=x#/news/%7e1", "https://example.com/#/news/~1"),
    ("https://example.com/a#/", "https://example.com/a"),
    ("https://example.com/a?#", "https://example.com/a"),
    # percent-encoding
    ("https://example.com/%7efoo", "https://example.com/~foo"),
    ("https://example.com/%41%2d%5f%2e%39", "https://example.com/A-_.9"),
    ("https://example.com/a%2fb", "https://example.com/a%2Fb"),
    ("https://example.com/%c3%bc", "https://example.com/%C3%BC"),
    ("https://example.com/a%20b%26c", "https://example.com/a%20b%26c"),
    ("https://example.com/%2541", "https://example.com/%2541"),
    ("https://example.com/100%", "https://example.com/100%"),
    ("https://example.com/%%34%31", "https://example.com/%%341"),
    ("https://example.com/%zz%c3", "https://example.com/%zz%C3"),
    ("https://example.com/%2%65%41", "https://example.com/%2%65A"),
    ("https://example.com/?%71=%61%2b", "https://example.com/?q=a%2B"),
    ("https://example.com/?q=a+b", "https://example.com/?q=a+b"),
    ("https://example.com/?q=100%25", "https://example.com/?q=100%25"),
    # the query: parts that are kept
    ("https://example.com/?", "https://example.com/"),
    ("https://example.com/?b=2&a=1", "https://example.com/?b=2&a=1"),
    ("https://example.com/?a=1&&b=2&", "https://example.com/?a=1&&b=2&"),
    ("https://example.com/?12345", "https://example.com/?12345"),
    ("https://example.com/?a=", "https://example.com/?a="),
    ("https://example.com/?ref=rss", "https://example.com/?ref=rss"),
    ("https://example.com/?utm=1", "https://example.com/?utm=1"),
    ("https://example.com/?q=utm_source=x", "https://example.com/?q=utm_source=x"),
    ("https://example.com/?FBCLID=x", "https://example.com/?FBCLID=x"),
    ("https://example.com/?PHPSESSID=x", "https://example.com/?PHPSESSID=x"),
    # the query without its trackers
    ("https://example.com/a?utm_source=rss", "https://example.com/a"),
    ("https://example.com/a?utm_source=rss&id=7&utm_medium=x", "https://example.com/a?id=7"),
    ("https://example.com/a?UTM_Campaign=x&id=7", "https://example.com/a?id=7"),
    ("https://example.com/a?id=7&utm_anything_new=1", "https://example.com/a?id=7"),
    ("https://example.com/a?id=7&fbclid=IwAR0", "https://example.com/a?id=7"),
    ("https://example.com/a?%66bclid=1&id=7", "https://example.com/a?id=7"),
    ("https://example.com/a?fbclid&id=7", "https://example.com/a?id=7"),
    ("https://example.com/a?at_medium=RSS&at_campaign=rss", "https://example.com/a"),
    ("https://example.com/a?wickedid=1&vero_id=2&_gl=3&mc_cid=4&mc_eid=5", "https://example.com/a"),
    ("https://example.com/a?gclid=1&dclid=2&msclkid=3&yclid=4&igshid=5&_ga=6", "https://example.com/a"),
    ("https://example.com/a?b=1&&gclid=2", "https://example.com/a?b=1&"),
    # AMP caches
    ("https://www-example-com.cdn.ampproject.org/c/s/www.example.com/amp/x", "https://www.example.com/amp/x"),
    ("https://example-com.cdn.ampproject.org/v/s/example.com/x?amp_js_v=0.1", "https://example.com/x"),
    ("https://cdn.ampproject.org/c/example.com/x?id=1", "http://example.com/x?id=1"),
    ("https://www-example-com.bing-amp.com/c/s/www.example.com/x", "https://www.example.com/x"),
    ("https://www.google.com/amp/s/www.example.com/x?id=1", "https://www.example.com/x?id=1"),
    ("https://google.co.uk/amp/www.example.com/x", "http://www.example.com/x"),
    ("https://www-example-com.cdn.ampproject.org/i/s/www.example.com/x.jpg",) * 2,
    ("https://www.google.com/amp/",) * 2,
    ("https://www.google.com/amp/help/x",) * 2,
    ("https://cdn.ampproject.org/c/s/..example/x",) * 2,
    # redirect wrappers
    ("https://www.google.com/url?q=https://example.com/x&sa=D", "https://example.com/x"),
    ("https://www.google.de/url?rct=j&url=https%3A%2F%2Fexample.com%2Fx%3Fid%3D1&ct=ga", "https://example.com/x?id=1"),
    ("https://www.google.co.uk/url?q=http://example.com./x%23top", "http://example.com/x"),
    ("https://www.google.com/url?q=https%3A%2F%2Fexample.com%2F%25C3%25BC", "https://example.com/%C3%BC"),
    ("https://l.facebook.com/l.php?u=https%3A%2F%2Fexample.com%2Fx%3Ffbclid%3D1&h=AT0", "https://example.com/x"),
    ("https://www.facebook.com/l.php?u=https%3A%2F%2Fexample.com%2Fx", "https://example.com/x"),
    ("https://l.instagram.com/?u=https%3A%2F%2Fexample.com%2Fx&e=AT", "https://example.com/x"),
    ("https://out.reddit.com/t3_1?url=https%3A%2F%2Fexample.com%2Fx&token=A", "https://example.com/x"),
    ("http://www.bing.com/news/apiclick.aspx?ref=FexRss&url=https%3a%2f%2fexample.com%2fx", "https://example.com/x"),
    ("https://duckduckgo.com/l/?uddg=https%3A%2F%2Fexample.com%2Fx", "https://example.com/x"),
    ("https://www.google.com/url?q=https%3A%2F%2Fwww.google.com%2Furl%3Fq%3Dhttps%253A%252F%252Fexample.com%252F",
     "https://example.com/"),
    ("https://www.google.com/url?q=https://www.google.com/amp/s/example.com/x", "https://example.com/x"),
    # URLs that only look like wrappers
    ("https://www.google.com/url?q=javascript:alert(1)",) * 2,
    ("https://www.google.com/url?q=/relative",) * 2,
    ("https://www.google.com/url?q=https://",) * 2,
    ("https://www.google.com/url",) * 2,
    ("https://www.google.com/search?q=https://example.com/",) * 2,
    ("https://notgoogle.com/url?q=https://example.com/",) * 2,
    ("https://google.example.com/url?q=https://example.com/",) * 2,
    ("https://example.com/url?q=https://other.example/",) * 2,
]  # fmt: skip


@pytest.mark.parametrize(("announced", "requested"), FETCHED)
def test_fetch_url(announced, requested):
    assert fetch_url(announced) == requested


@pytest.mark.parametrize(
    ("announced", "base", "requested"),
    [
        ("b", "https://example.com/a/", "https://example.com/a/b"),
        ("/b", "https://example.com/a/", "https://example.com/b"),
        ("?p=2", "https://example.com/a", "https://example.com/a?p=2"),
        ("//other.example/x", "https://example.com/a", "https://other.example/x"),
        ("http://other.example/x", "https://example.com/a", "http://other.example/x"),
        ("../x", "https://example.com/a/b/c", "https://example.com/a/x"),
    ],
)
def test_a_relative_url_is_resolved(announced, base, requested):
    assert fetch_url(announced, base=base) == requested


@pytest.mark.parametrize(
    "url",
    [
        "",
        "   ",
        "/a",
        "example.com/a",
        "//example.com/a",
        "https://",
        "https://exa mple.com/",
        "https://example.com:99999/",
        "https://example.com../",
        "https://a..example.com/",
        "https://.example.com/",
        "https://" + "a" * 64 + ".example.com/",
        "https://" + "a." * 127 + "example.com/",
        "https://user@example.com/",
        "https://user:secret@example.com/",
        "https://:secret@example.com/",
        "https://example.com/\x00",
        "https://example.com/\x7f",
        "https://example.com/\x85x",
        "https://example.com/\ud800",
        "https://xn--a.com/",
        "https://1.2.3.4.5/",
        "https://[::1/",
        "https://example.com/" + "a" * MAX_URL_LENGTH,
        "https://example.com/" + "ü" * (MAX_URL_LENGTH // 2),
    ],
)
def test_an_invalid_url_is_refused(url):
    with pytest.raises(BadUrl):
        fetch_url(url)


@pytest.mark.parametrize(
    "url", ["ftp://example.com/", "javascript:alert(1)", "mailto:a@example.com", "data:text/html,a", "file:///etc/passwd",
            "feed:https://example.com/", "tel:123", "about:blank", "ws://example.com/"]
)  # fmt: skip
def test_another_scheme_is_refused(url):
    with pytest.raises(ForbiddenScheme):
        fetch_url(url)


def test_a_link_to_another_scheme_is_refused_whatever_the_base():
    with pytest.raises(ForbiddenScheme):
        fetch_url("mailto:a@example.com", base="https://example.com/")


def test_an_empty_link_is_refused_whatever_the_base():
    with pytest.raises(BadUrl):
        fetch_url("", base="https://example.com/")


def test_a_bad_base_is_refused():
    with pytest.raises(BadUrl):
        fetch_url("a", base="nonsense")


def test_the_message_of_a_refused_url_names_it_briefly():
    with pytest.raises(BadUrl) as caught:
        fetch_url("https://example.com/" + "a" * 100_000)

    assert len(str(caught.value)) < 300


def test_the_message_of_a_refused_url_keeps_the_password():
    with pytest.raises(BadUrl) as caught:
        fetch_url("https://user:secret@example.com/")

    assert "secret" not in str(caught.value)


def test_wrappers_without_end_are_refused():
    url = "https://www.google.com" + "/amp/s/www.google.com" * 20 + "/amp/s/example.com/"

    with pytest.raises(BadUrl):
        fetch_url(url)


KEYED = [
    ("https://example.com", "example.com/"),
    ("https://www.example.com/A/b/", "example.com/A/b"),
    ("http://www.example.com:8080/a?b=2&a=1#x", "example.com:8080/a?a=1&b=2"),
    ("https://example.com/a?b=2&b=1&a", "example.com/a?a&b=1&b=2"),
    ("https://example.com/a?&&b=1&", "example.com/a?b=1"),
    ("https://example.com/#!/story/1", "example.com/#!/story/1"),
    ("https://example.com//", "example.com/"),
    ("https://example.com/a;jsessionid=0123ABCD?id=7", "example.com/a?id=7"),
    ("https://example.com/a;JSESSIONID=0123ABCD.node1!8/b", "example.com/a/b"),
    ("https://example.com/(S(lit3py55t21z5v55vlm25s55))/a.aspx", "example.com/a.aspx"),
    ("https://example.com/a?PHPSESSID=1&id=7", "example.com/a?id=7"),
    ("https://example.com/a?ASPSESSIONIDQQBRTCSA=1&id=7", "example.com/a?id=7"),
    ("https://www.com/a", "www.com/a"),
    ("https://www2.example.com/", "www2.example.com/"),
    ("https://[::1]:8443/", "[::1]:8443/"),
    ("https://example.com/wiki/(S)/x", "example.com/wiki/(S)/x"),
]


@pytest.mark.parametrize(("url", "key"), KEYED)
def test_url_key(url, key):
    assert url_key(url) == key


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ("https://example.com/a", "http://example.com/a"),
        ("https://example.com/a", "https://www.example.com/a"),
        ("https://example.com/a", "https://example.com/a/"),
        ("https://example.com/a", "https://example.com/a#top"),
        ("https://example.com/a", "https://EXAMPLE.com:443/a"),
        ("https://example.com/?a=1&b=2", "https://example.com/?b=2&a=1"),
        ("https://example.com/a", "https://example.com/a?utm_source=x"),
        ("https://example.com/a", "https://www.google.com/amp/s/www.example.com/a"),
        ("https://example.com/~a", "https://example.com/%7Ea"),
        ("https://example.com/ü", "https://example.com/%c3%bc"),
        ("https://example.com/a", "https://example.com./a"),
        ("http://example.com:80/a", "https://example.com:443/a"),
        ("https://www.www.example.com/a", "https://example.com/a"),
        ("https://faß.de/a", "https://xn--fa-hia.de/a"),
        ("https://пример.рф/новости", "https://xn--e1afmkfd.xn--p1ai/%D0%BD%D0%BE%D0%B2%D0%BE%D1%81%D1%82%D0%B8"),
        ("https://example.com/%e6%b8%af", "https://example.com/港"),
        ("https://example.com/a;jsessionid=1A2B", "https://example.com/a;jsessionid=3C4D"),
        ("https://example.com/a?PHPSESSID=1", "https://example.com/a?PHPSESSID=2"),
        ("https://example.com/a?cid=7&utm_medium=rss", "https://example.com/a?cid=7&at_medium=RSS"),
        ("https://example.com/a?gameId=7&fbclid=x", "https://example.com/a?gameId=7"),
        ("https://example.com/a/?id=1", "https://example.com/a?id=1"),
        ("https://example.com/a", "https://example-com.cdn.ampproject.org/c/s/example.com/a"),
        ("https://example.com/a/./b/../c", "https://example.com/a/c"),
        ("https://example.com/#!/a", "http://www.example.com/#!/a"),
    ],
)
def test_two_spellings_have_one_key(a, b):
    assert url_key(a) == url_key(b)


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ("https://example.com/a", "https://example.com/A"),
        ("https://example.com/a", "https://example.com:8443/a"),
        ("https://example.com/a", "https://m.example.com/a"),
        ("https://example.com/a", "https://example.com/a.html"),
        ("https://example.com/a", "https://example.com/a?page=2"),
        ("https://example.com/a", "https://example.com/a?ref=rss"),
        ("https://example.com/?a", "https://example.com/?a="),
        ("https://example.com/?q=a+b", "https://example.com/?q=a%2Bb"),
        ("https://example.com/a/b", "https://example.com/a%2Fb"),
        ("https://example.com/#!/a", "https://example.com/#!/b"),
        ("https://example.com/app#/news/12", "https://example.com/app#/news/13"),
        ("https://example.com/app", "https://example.com/app#/news/13"),
        ("https://example.com/a;sid=1", "https://example.com/a;sid=2"),
        ("https://example.com/a//b", "https://example.com/a/b"),
        ("https://example.com/?id=a&id=b", "https://example.com/?id=a&id=c"),
        ("https://example.com/game?gameId=401", "https://example.com/game?gameId=402"),
        ("https://example.com/a?cid=1", "https://example.com/a?cid=2"),
        ("https://example.com/a?cid=1", "https://example.com/a?CID=1"),
        ("https://example.com/?p=1", "https://example.com/?p=2"),
        ("https://example.com/?storyid=1", "https://example.com/"),
        ("https://example.com/a?sid=1", "https://example.com/a"),
        ("https://example.com/a?source=rss", "https://example.com/a"),
        ("https://example.com/a?gallery=2", "https://example.com/a?gallery=3"),
        ("https://example.com/a", "https://example.com/a/amp"),
        ("https://example.com/a", "https://amp.example.com/a"),
        ("https://example.com/a", "https://example.com/a?outputType=amp"),
        ("https://example.com/a", "https://example.com/a?print=1"),
        ("https://example.com/a", "https://mobile.example.com/a"),
        ("https://example.com/a", "https://example.com/index.html"),
        ("https://example.com/", "https://example.com/index.html"),
        ("https://example.com/%C3%A9", "https://example.com/e%CC%81"),
        ("https://example.com/a%3Fb", "https://example.com/a?b"),
        ("https://example.com/a%23b", "https://example.com/a"),
        ("https://example.com/a.", "https://example.com/a"),
        ("http://example.com:443/a", "http://example.com/a"),
        ("https://example.com/a;v=1", "https://example.com/a"),
        ("https://example.com/a?url=https://x.example/1", "https://example.com/a?url=https://x.example/2"),
        ("https://xn--mnchen-3ya.de/a", "https://munchen.de/a"),
        ("https://example.com/a?q=a%26b", "https://example.com/a?q=a&b"),
    ],
)
def test_two_pages_have_two_keys(a, b):
    assert url_key(a) != url_key(b)


def test_a_long_key_is_shortened_and_stays_unique():
    key = url_key("https://www.example.com:8443/a?" + "b=1&" * 900)

    assert len(key) < 100
    assert key.startswith("example.com:8443/~")
    assert url_key(f"https://{key}") == key != url_key("https://www.example.com:8443/a?" + "b=1&" * 901)


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://Example.com/a", "example.com"),
        ("https://example.com.:443/", "example.com"),
        ("http://example.com:8080/", "example.com:8080"),
        ("http://127.0.0.1:8900/a", "127.0.0.1:8900"),
        ("http://[::1]:8900/a", "[::1]:8900"),
        ("https://münchen.de/", "xn--mnchen-3ya.de"),
        ("https://www.example.com/", "www.example.com"),
    ],
)
def test_host_of(url, host):
    assert host_of(url) == host


def test_host_of_nonsense_is_refused():
    with pytest.raises(BadUrl):
        host_of("nonsense")


@pytest.mark.parametrize(
    ("url", "domain"),
    [
        ("https://news.bbc.co.uk/a", "bbc.co.uk"),
        ("https://www.example.com:8443/", "example.com"),
        ("https://someone.github.io/a", "someone.github.io"),
        ("https://github.io/", "github.io"),
        ("http://127.0.0.1:8900/", "127.0.0.1"),
        ("http://[::1]/", "::1"),
        ("http://localhost:8900/", "localhost"),
        ("http://a.b.internal/", "a.b.internal"),
        ("https://www.xn--mnchen-3ya.de/", "xn--mnchen-3ya.de"),
        ("https://co.uk/", "co.uk"),
    ],
)
def test_registrable_domain(url, domain):
    assert registrable_domain(url) == domain


@pytest.mark.parametrize(
    ("a", "b", "same"),
    [
        ("https://www.bbc.co.uk/a", "http://news.bbc.co.uk:8080/", True),
        ("https://a.co.uk/", "https://b.co.uk/", False),
        ("https://a.blogspot.com/", "https://b.blogspot.com/", False),
        ("http://127.0.0.1:1/", "http://127.0.0.1:2/", True),
        ("http://127.0.0.1/", "http://127.0.0.2/", False),
        ("https://example.com/", "https://example.com.evil.example/", False),
    ],
)
def test_is_same_site(a, b, same):
    assert is_same_site(a, b) is same


# Laws

_words = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), max_size=12)
_tricky = st.text(st.sampled_from("%2eE13cCfF5/.;:?&=#!+~_-@[]()\\| Süw"), max_size=24)
_parts = st.one_of(
    _words, _tricky, st.sampled_from(["..", "%2e", ";jsessionid=1", "(S(lit3py55t21z5v55vlm25s55))", "a"])
)
_plain_hosts = st.sampled_from(
    [
        "example.com",
        "www.example.com",
        "www.www.example.com",
        "EXAMPLE.co.uk.",
        "127.0.0.1",
        "[::1]",
        "ü.example",
        "www.com",
    ]
)
_wrapping_hosts = st.sampled_from(
    ["www.google.com", "cdn.ampproject.org", "l.facebook.com", "out.reddit.com", "www.bing.com"]
)
_hosts = st.one_of(_plain_hosts, _wrapping_hosts)
_ports = st.sampled_from(["", ":80", ":443", ":8080"])
_names = st.sampled_from(["url", "q", "u", "utm_source", "gclid", "PHPSESSID", *MEANINGFUL])
_wrapped = st.sampled_from(
    ["https://example.org/x?id=1", "https%3A%2F%2Fwww.google.com%2Furl%3Fq%3Dhttp%3A%2F%2Fa.example%2F"]
)
_queries = st.lists(st.tuples(st.one_of(_names, _parts), st.one_of(_parts, _wrapped)), max_size=4).map(
    lambda pairs: "&".join(f"{name}={value}" for name, value in pairs)
)
_paths = st.one_of(
    st.lists(_parts, max_size=4).map("/".join),
    st.sampled_from(["url", "l.php", "amp/s/example.org/a", "c/s/www.example.org/b"]),
)


@st.composite
def urls(draw, hosts=_hosts):
    """Odd but valid URLs, which fetch_url accepts."""
    scheme, host, port = draw(st.sampled_from(["http", "https"])), draw(hosts), draw(_ports)
    url = f"{scheme}://{host}{port}/{draw(_paths)}?{draw(_queries)}"
    if draw(st.booleans()):
        url += draw(st.sampled_from(["#", "#!", "#!/"])) + draw(_parts)
    try:
        fetch_url(url)
    except (BadUrl, ForbiddenScheme):
        return f"{scheme}://example.com/"
    return url


@given(urls())
@example("https://example.com/%%32%65/%2%65")
@example("https://example.com/a/.;jsessionid=1/b")
def test_fetch_url_is_idempotent(url):
    once = fetch_url(url)

    assert fetch_url(once) == once


@given(urls())
def test_the_key_is_that_of_the_requested_form(url):
    assert url_key(fetch_url(url)) == url_key(url)


@given(urls(_plain_hosts))
@example("http://example.com:443/")
@example("https://www.www.example.com/a//")
@example("https://example.com/%;jsessionid=%zz?=%&%2D=")
@example("https://example.com/;jsessionid=1/(S(lit3py55t21z5v55vlm25s55));jsessionid=2/..;jsessionid=3")
def test_the_key_is_idempotent(url):
    key = url_key(url)

    scheme = fetch_url(url).partition(":")[0]

    assert url_key(f"{scheme}://{key}") == key


@given(st.sampled_from(MEANINGFUL), st.integers(), st.integers())
def test_different_values_of_a_meaningful_parameter_are_different_pages(name, a, b):
    same = url_key(f"https://example.com/?{name}={a}") == url_key(f"https://example.com/?{name}={b}")

    assert same is (a == b)


@given(st.sampled_from(sorted(TRACKERS)), st.integers(0), st.integers(0, 2))
def test_a_tracker_anywhere_changes_nothing(name, value, place):
    pieces = ["id=1", "page=2"]
    pieces.insert(place, f"{name}={value}")

    assert fetch_url("https://example.com/a?" + "&".join(pieces)) == "https://example.com/a?id=1&page=2"


@given(st.permutations(["id=1", "id=2", "q=x", "ref=", "12345"]))
def test_the_order_of_parameters_does_not_change_the_key(pieces):
    assert url_key("https://example.com/a?" + "&".join(pieces)) == "example.com/a?12345&id=1&id=2&q=x&ref="


def test_no_meaningful_parameter_is_a_tracker():
    assert not TRACKERS & set(MEANINGFUL)


@given(st.text(max_size=40))
def test_any_text_is_a_url_or_refused(text):
    try:
        fetch_url(text, base="https://example.com/")
    except (BadUrl, ForbiddenScheme):
        return


@given(urls())
@example("https://example.com./a/%2e%2E/;b?utm_source=x&c=%7e#!/d")
def test_the_parts_of_a_fetch_form_equal_those_of_a_parse(url):
    form = Url.of(url).fetch_form

    assert Url.parse(str(form)).parts == form.parts


@given(urls())
def test_a_fetch_form_is_its_own_fetch_form(url):
    form = Url.of(url).fetch_form

    assert (form.fetch_form, form.key) == (fetch_url(url), url_key(url))


def test_a_parsed_url_keeps_its_parts_through_pickling():
    url = Url.parse("/A?b=1#c", base="https://www.Example.com:8443/")

    sent = pickle.loads(pickle.dumps(url))

    assert (url, sent, str(sent)) == ("https://www.example.com:8443/A?b=1#c",) * 3
    assert (sent.host, sent.bare_host, sent.domain) == ("www.example.com:8443", "example.com:8443", "example.com")
    assert (sent.origin, sent.request_target) == ("https://www.example.com:8443", "/A?b=1")
    assert (sent.fetch_form, sent.key) == ("https://www.example.com:8443/A?b=1", "example.com:8443/A?b=1")
    assert copy.deepcopy(url) == url


@pytest.mark.parametrize("part", ["parts", "host", "origin", "domain", "fetch_form", "key"])
@pytest.mark.parametrize(("text", "error"), [("", BadUrl), ("news", BadUrl), ("ftp://a.example/", ForbiddenScheme)])
def test_an_invalid_url_raises_when_a_part_is_used(text, error, part):
    with pytest.raises(error):
        getattr(Url.of(text), part)


HALVES = st.characters(min_codepoint=0xD800, max_codepoint=0xDFFF)
ANYTHING = st.text(alphabet=st.one_of(st.characters(), HALVES, st.sampled_from("\0\x7f%/?#:@&=. ")), max_size=80)


@given(ANYTHING, st.sampled_from(["", "http://", "https://daily.example/", "//daily.example", "/a?b="]))
def test_any_text_from_the_web_is_storable_or_refused_with_a_reason(text, before):
    try:
        url = storable_url(before + text, base="https://daily.example/feed")
    except (BadUrl, ForbiddenScheme):
        return

    assert url.isascii()
    assert url.isprintable()
    assert len(url) <= MAX_URL_LENGTH
    assert url.startswith(("http://", "https://"))
    assert storable_url(url) == url


@pytest.mark.parametrize(
    "url",
    [
        "http://h.example/\udcff.xml",
        "http://h.example/\ud800",
        "http://\ud800.example/",
        "http://h.example/\0.xml",
        "http://h.example/\x9b31m",
        "http://h.example/" + "a" * MAX_URL_LENGTH,
        "http://h.example/?utm_source=" + "ä" * 2000,
        "http://h.example/#" + "ä" * 2000,
        f"http://{'a' * 64}.example/",
        f"http://{'a.' * 200}example/",
        "http://a..example/",
        "http://[::1/",
        "http://user:secret@h.example/",
        "http://",
        "",
        " ",
    ],
)
def test_a_url_that_cannot_be_stored_is_a_bad_url(url):
    with pytest.raises(BadUrl):
        storable_url(url, base=None)


def test_a_broken_base_is_refused_as_well():
    with pytest.raises(BadUrl):
        storable_url("a", base="http://h.example/\ud800")


def test_a_storable_url_is_as_it_was_announced():
    url = "https://daily.example:8443/a/?utm_source=rss&b=%7e#part"

    assert storable_url(url) == url
    assert storable_url("../ä b", base="https://daily.example/x/y/") == "https://daily.example/x/%C3%A4%20b"
