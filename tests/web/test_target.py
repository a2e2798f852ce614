"""Request targets, and targets of redirects."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.errors import BadResponse, BadUrl, ForbiddenScheme, ItemError
from tasks.values.url import MAX_URL_LENGTH
from tasks.web.target import parse_target, redirect_target

BASE = parse_target("https://news.example/2026/a.html?x=1")


def test_a_url_is_split_into_its_parts():
    target = parse_target("https://News.Example:8443/ä?q=1 2#part")

    assert target == "https://news.example:8443/%C3%A4?q=1%202"
    assert target.parts == ("https", "news.example", "8443", "/%C3%A4", "?q=1%202", "")
    assert (target.authority, target.request_target) == ("news.example:8443", "/%C3%A4?q=1%202")


def port_of(target):
    return int(target.parts.port or {"http": 80, "https": 443}[target.parts.scheme])


@pytest.mark.parametrize(
    ("url", "host", "port", "authority", "path"),
    [
        ("http://a.example", "a.example", 80, "a.example", "/"),
        ("https://a.example:443/", "a.example", 443, "a.example", "/"),
        ("http://[::1]:8080/", "::1", 8080, "[::1]:8080", "/"),
        ("http://0x7f.1/", "127.0.0.1", 80, "127.0.0.1", "/"),
        ("http://2130706433/", "127.0.0.1", 80, "127.0.0.1", "/"),
        ("http://017700000001/", "127.0.0.1", 80, "127.0.0.1", "/"),
        ("http://１２７.０.０.１/", "127.0.0.1", 80, "127.0.0.1", "/"),
        ("http://bücher.example/", "xn--bcher-kva.example", 80, "xn--bcher-kva.example", "/"),
        ("http://a.example/../b/./c", "a.example", 80, "a.example", "/b/c"),
        ("http://a.example\\b", "a.example", 80, "a.example", "/b"),
    ],
)
def test_host_and_target_of_a_request(url, host, port, authority, path):
    target = parse_target(url)

    assert (target.parts.hostname.strip("[]"), port_of(target)) == (host, port)
    assert (target.authority, target.request_target) == (authority, path)


@pytest.mark.parametrize(
    ("url", "error"),
    [
        ("", BadUrl),
        ("a", BadUrl),
        ("http://", BadUrl),
        ("http://a b/", BadUrl),
        ("http://a.example:99999/", BadUrl),
        ("http://user@a.example/", BadUrl),
        ("http://user:secret@a.example/", BadUrl),
        ("http://\ud800.example/", BadUrl),
        ("http://a.example/" + "a" * MAX_URL_LENGTH, BadUrl),
        ("ftp://a.example/", ForbiddenScheme),
        ("file:///etc/passwd", ForbiddenScheme),
        ("gopher://a.example:70/", ForbiddenScheme),
        ("javascript:alert(1)", ForbiddenScheme),
        ("data:text/html,a", ForbiddenScheme),
    ],
)
def test_invalid_urls_are_not_requested(url, error):
    with pytest.raises(ItemError) as caught:
        parse_target(url)

    assert type(caught.value) is error


@pytest.mark.parametrize(
    ("location", "url"),
    [
        (b"b.html", "https://news.example/2026/b.html"),
        (b"/b", "https://news.example/b"),
        (b"?y=2", "https://news.example/2026/a.html?y=2"),
        (b"//other.example/", "https://other.example/"),
        (b"http://other.example/#part", "http://other.example/"),
        (b"", "https://news.example/2026/a.html?x=1"),
        (b"  /b\t ", "https://news.example/b"),
        ("/ä".encode(), "https://news.example/%C3%A4"),
        (b"/\xe4", "https://news.example/%E4"),
        (b"\\\\other.example\\b", "https://other.example/b"),
    ],
)
def test_where_a_redirect_leads(location, url):
    assert redirect_target(location, base=BASE) == url


@pytest.mark.parametrize(
    ("location", "error"),
    [
        (b"http://[", BadResponse),
        (b"http://a.example:0x50/", BadResponse),
        (b"https://", BadResponse),
        (b"file:///etc/passwd", ForbiddenScheme),
        (b"//user:secret@a.example/", BadUrl),
        (b"/" + b"a" * MAX_URL_LENGTH, BadUrl),
    ],
)
def test_redirects_to_forbidden_targets_are_refused(location, error):
    with pytest.raises(ItemError) as caught:
        redirect_target(location, base=BASE)

    assert type(caught.value) is error


@given(st.binary(max_size=60))
def test_any_location_is_a_clean_target_or_one_of_our_errors(location):
    try:
        target = redirect_target(location, base=BASE)
    except ItemError:
        return

    assert target.parts.scheme in {"http", "https"}
    assert target.request_target.startswith("/")
    for part in (target.request_target, target.authority):
        assert part.isascii()
        assert part.isprintable()
        assert " " not in part


@given(st.text(max_size=40))
def test_parsing_a_target_is_idempotent(text):
    try:
        target = parse_target("http://a.example/" + text)
    except ItemError:
        return

    again = parse_target(str(target))
    assert (again, again.parts) == (target, target.parts)
