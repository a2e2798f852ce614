"""Cookies change and expire within one GET, as RFC 6265 says."""

from datetime import UTC, datetime, timedelta

import pytest

from tasks.values.url import Url
from tasks.web.cookies import Cookies

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
SITE = "https://daily.example"


def taken(*answers, at="/a/story"):
    cookies = Cookies()
    for fields in answers:
        cookies.take(fields, target=Url.parse(SITE + at), now=NOW)
    return cookies


def sent(cookies, path="/a/story", *, site=SITE, in_s=0):
    return cookies.header_for(Url.parse(site + path), now=NOW + timedelta(seconds=in_s))


@pytest.mark.parametrize(
    ("answers", "line"),
    [
        ([["a=1"], ["a=2"]], "a=2"),
        ([["a=1", "b=1"], ["a=2"]], "a=2; b=1"),
        ([["a=1", "b=1"], ["a=; Max-Age=0"]], "b=1"),
        ([["a=1"], ["a=1; max-age=-1"]], None),
        ([["a=1"], ["a=1; Expires=Thu, 01 Jan 1970 00:00:00 GMT"]], None),
        ([["a=1"], ["a=2; Expires=Wed, 01 Jan 2031 00:00:00 GMT"]], "a=2"),
        ([["a=1; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=60"]], "a=1"),
        ([["a=1; Expires=soon"]], "a=1"),
        ([["a=1; Max-Age=soon"]], "a=1"),
        ([["a=1; Path=/a"], ["a=2; Path=/"]], "a=1; a=2"),
        ([["a=1; Path=/"], ["a=; Path=/a; Max-Age=0"]], "a=1"),
        ([["=1", "none", "b = 2 "]], "=1; b=2"),
        ([["a=" + "b" * 5000]], None),
    ],
)
def test_the_last_response_decides_which_cookies_are_returned(answers, line):
    assert sent(taken(*answers)) == line


@pytest.mark.parametrize(
    ("field", "path", "is_sent"),
    [
        ("a=1", "/a/other", True),
        ("a=1", "/a", True),
        ("a=1", "/b", False),
        ("a=1", "/ab", False),
        ("a=1; Path=/", "/b", True),
        ("a=1; Path=none", "/a/x", True),
        ("a=1; Path=/a/", "/a/x", True),
        ("a=1; Path=/a/", "/a", False),
    ],
)
def test_a_cookie_is_returned_within_its_path(field, path, is_sent):
    assert (sent(taken([field]), path) is not None) is is_sent


def test_a_cookie_ends_after_its_age():
    cookies = taken(["a=1; Max-Age=5"])

    assert (sent(cookies, in_s=4), sent(cookies, in_s=5)) == ("a=1", None)


@pytest.mark.parametrize("site", ["http://daily.example", "https://daily.example:8443", "https://www.daily.example"])
def test_a_cookie_goes_to_no_other_origin(site):
    assert sent(taken(["a=1; Domain=daily.example; Path=/"]), site=site) is None
