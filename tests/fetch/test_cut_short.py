"""Truncated bodies: fetched again twice, then accepted if the bytes are the same."""

import gzip
from dataclasses import replace

import pytest

from tasks.extract.page import extract_page
from tasks.extract.stored_page import ExtractConfig, StoredPage
from tasks.fetch.capture import count_partial, is_accepted
from tasks.values.look import DueUrl
from tasks.values.rows import Outcome
from tasks.values.truncation import is_truncated
from tests.fetch.test_fetching import ALLOW, book, fetched
from tests.web.loopback import says, serve

DUE = DueUrl(url="https://a.example/1", url_key="a.example/1", host="a.example", source_id="a", attempt=1)
__all__ = ["book"]


@pytest.mark.parametrize(
    ("digests", "is_page"),
    [("AAA", True), ("AA", False), ("ABB", False), ("ABBB", True), ("ABAB", False), ("AABAAA", True)],
)
def test_a_truncated_body_is_accepted_after_three_equal_fetches_in_a_row(digests, is_page):
    partial = None
    for digest in digests:
        partial = count_partial(replace(DUE, partial=partial), digest)

    assert is_accepted(partial) is is_page


LONG = b"<html><title>Story</title><p>" + b"The harbour was opened again by the mayor of the town. " * 20
GZIPPED = gzip.compress(LONG)[:-8]
WAYS = {
    "declared more": (b"Content-Length: %d" % (len(LONG) + 2), LONG, f"{len(LONG)} of {len(LONG) + 2} bytes"),
    "last chunk left out": (
        b"Transfer-Encoding: chunked", b"%x\r\n%b\r\n" % (len(LONG), LONG), f"{len(LONG)} of more bytes",
    ),
    "trailer cut off": (b"Content-Encoding: gzip", GZIPPED, f"{len(GZIPPED)} of more bytes"),
}  # fmt: skip


def answering(way):
    field, body, _ = WAYS[way]
    return says(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nConnection: close\r\n%b\r\n\r\n%b" % (field, body))


async def looked(book, url, **known):
    """Fetch a URL once, given what is known of it."""
    return (await fetched(book, url, due=known)).looks[0]


@pytest.mark.parametrize("way", WAYS)
async def test_a_truncated_body_stays_due_and_is_accepted_at_the_third_fetch(book, way):
    async with serve({**ALLOW, "*": answering(way)}) as server:
        first = await looked(book, server.url("/1"))
        second = await looked(book, server.url("/1"), partial=first.partial, attempt=2)
        third = await looked(book, server.url("/1"), partial=second.partial, attempt=3)

    assert [(one.captured.outcome, one.captured.reason) for one in (first, second)] == [
        (Outcome.FAILED, "body_truncated")
    ] * 2
    assert (third.captured.outcome, third.captured.detail) == (Outcome.OK, f"truncated: {WAYS[way][2]}")
    assert is_truncated(third.captured.detail)


@pytest.mark.parametrize("way", WAYS)
async def test_an_accepted_truncated_page_is_unchanged_when_fetched_again(book, way):
    async with serve({**ALLOW, "*": answering(way)}) as server:
        first = await looked(book, server.url("/1"))
        again = await looked(book, server.url("/1"), payload_digest=first.captured.payload_digest)

    assert again.captured.outcome is Outcome.NOT_MODIFIED


@pytest.mark.parametrize("way", WAYS)
async def test_a_truncated_pages_text_is_extracted_and_doubtful(book, way):
    objects = {}
    async with serve({**ALLOW, "*": answering(way)}) as server:
        batch = await fetched(book, server.url("/1"), objects=objects)
    capture = batch.looks[0].captured
    record = objects[capture.warc_key][capture.warc_offset : capture.warc_offset + capture.warc_length]

    page = extract_page(
        StoredPage(capture_id="1", fetched_at=capture.fetched_at, record=record, is_truncated=True),
        ExtractConfig(),
    )

    assert page.text.startswith("The harbour was opened again")
    assert page.quality <= 0.5


async def test_a_truncated_error_response_keeps_its_status(book):
    said = says(b"HTTP/1.1 404 Not Found\r\nContent-Type: text/html\r\nContent-Length: 99\r\n\r\ngone")
    async with serve({**ALLOW, "*": said}) as server:
        look = await looked(book, server.url("/1"))

    assert look.captured.reason == "http_404"
