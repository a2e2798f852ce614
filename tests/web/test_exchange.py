"""The meaning of a response's status and fields."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from tasks.errors import BadResponse, GoneError, HttpRefused, ItemError, ServerBusy
from tasks.reasons import Disposition
from tasks.web.exchange import Exchange, raise_for_status

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def exchange(status=200, *fields, asked=b""):
    return Exchange(
        url="https://a.example/",
        request_head=b"GET / HTTP/1.1\r\n" + asked + b"\r\n",
        response_head=b"",
        status=status,
        headers=fields,
        body=b"",
        address=None,
        started_at=NOW,
        elapsed_ms=1,
    )


def judged(status, *fields, asked=b""):
    raise_for_status(exchange(status, *fields, asked=asked), now=NOW)


def test_a_field_sent_twice_is_one_list():
    hop = exchange(200, ("cache-control", "no-cache"), ("cache-control", "max-age=1"))

    assert (hop.header("cache-control"), hop.header("etag")) == ("no-cache, max-age=1", None)


@pytest.mark.parametrize("name", ["content-type", "location", "etag", "retry-after"])
def test_the_first_of_repeated_singular_fields_counts(name):
    assert exchange(200, (name, "a"), (name, "b")).header(name) == "a"


@pytest.mark.parametrize(
    ("name", "length"), [("content-type", 1024), ("etag", 1024), ("x-robots-tag", 1024), ("location", 9000)]
)
def test_long_values_are_truncated_except_urls(name, length):
    assert len(exchange(200, (name, "a" * 9000)).header(name)) == length


def test_the_final_answer_is_the_last():
    moved, final = exchange(301, ("etag", "a")), exchange(200, ("etag", "b"))

    answer = replace(final, redirects=(moved,))

    assert (answer.header("etag"), [hop.status for hop in answer.hops]) == ("b", [301, 200])


@pytest.mark.parametrize(
    ("status", "fields", "is_redirect"),
    [
        (301, [("location", "/a")], True),
        (302, [("location", "")], True),
        (308, [("location", "/a")], True),
        (302, [], False),
        (300, [("location", "/a")], False),
        (304, [("location", "/a")], False),
        (200, [("location", "/a")], False),
        (201, [("location", "/a")], False),
    ],
)
def test_redirect_statuses_lead_elsewhere(status, fields, is_redirect):
    assert exchange(status, *fields).is_redirect is is_redirect


@pytest.mark.parametrize(
    ("asked", "is_conditional"),
    [
        (b'If-None-Match: "a"\r\n', True),
        (b"if-modified-since: x\r\n", True),
        (b"X-Note: If-None-Match: a\r\n", False),
        (b"", False),
    ],
)
def test_only_validators_make_a_request_conditional(asked, is_conditional):
    assert exchange(304, asked=asked).is_conditional is is_conditional


@pytest.mark.parametrize("status", [200, 203])
def test_a_page_passes(status):
    judged(status)


def test_a_304_passes_if_the_request_was_conditional():
    judged(304, asked=b"If-None-Match: a\r\n")


WRONG = [
    *((status, ServerBusy) for status in (408, 425, 429, 500, 502, 503, 504, 520, 599)),
    *((status, HttpRefused) for status in (201, 202, 204, 205, 300, 400, 401, 402, 403, 404, 405, 418, 451, 499)),
    (410, GoneError),
    *((status, BadResponse) for status in (101, 206, 301, 302, 303, 304, 307, 308, 600, 999)),
]


@pytest.mark.parametrize(("status", "error"), WRONG)
def test_every_other_status_has_its_error(status, error):
    with pytest.raises(ItemError) as caught:
        judged(status)

    assert type(caught.value) is error


@pytest.mark.parametrize(
    ("value", "wait_s"),
    [
        ("120", 120.0),
        ("Sun, 01 Mar 2026 12:05:00 GMT", 300.0),
        ("Sun, 01 Mar 2026 11:00:00 GMT", 0.0),
        ("9999999", 86_400.0),
        ("soon", None),
        (None, None),
    ],
)
def test_a_busy_server_says_how_long(value, wait_s):
    with pytest.raises(ServerBusy) as caught:
        judged(429, *([("retry-after", value)] if value else []))

    assert (caught.value.retry_after_s, caught.value.counted_as) == (wait_s, "http_429")


@pytest.mark.parametrize(
    ("status", "disposition"),
    [
        (503, Disposition.STAYS_DUE),
        (404, Disposition.DROPPED),
        (410, Disposition.GONE),
        (302, Disposition.DROPPED),
    ],
)
def test_each_status_has_its_disposition(status, disposition):
    with pytest.raises(ItemError) as caught:
        judged(status)

    assert caught.value.disposition is disposition
