import io
import zlib

import pytest
import warcio.archiveiterator
from fastwarc.warc import ArchiveIterator
from hypothesis import given
from hypothesis import strategies as st

from tasks.errors import CorruptRecord, RecordGone
from tasks.lake.records import iter_records, read_conversion, read_response
from tasks.lake.tombstones import Cause, entomb, tombstone
from tasks.lake.warc import RevisitProfile, SegmentWriter
from tests.lake.test_warc import NOW, RESPONSE

SECRET = b"a sentence that nobody may read"
SHORTEST, STORED = 248, 321
"""Sizes in bytes of the shortest tombstone, and of the shortest uncompressed one."""


def make(length, cause=Cause.TAKEN_DOWN):
    return tombstone(length, cause=cause, place="warc/dt=2026-03-01/b1.warc.gz:291")


def segment_of(*bodies):
    """Return a segment with a response, request and rendition for each body, and a revisit of the first."""
    writer = SegmentWriter("warc/dt=2026-03-01/b1.warc.gz", software="presslake/0", created_at=NOW)
    for number, body in enumerate(bodies):
        url = f"https://daily.example/{number}"
        head = f"GET /{number} HTTP/1.1\r\n\r\n".encode()
        ref = writer.add_exchange(url=url, request_head=head, response_head=RESPONSE, body=body, fetched_at=NOW)
        writer.add_conversion(url=url, refers_to=ref.record_id, html=body, rendered_at=NOW)
    writer.add_revisit(
        profile=RevisitProfile.SERVER_NOT_MODIFIED,
        url="https://daily.example/0",
        request_head=b"",
        response_head=b"HTTP/1.1 304 \r\n\r\n",
        fetched_at=NOW,
    )
    return writer.to_bytes()


def of_page(number):
    return lambda record: record.url == f"https://daily.example/{number}"


def places(segment):
    return [(record.offset, record.length) for record in iter_records(segment)]


def content(segment):
    """Return the segment's decompressed content."""
    return b"".join(zlib.decompress(segment[at : at + length], 31) for at, length in places(segment))


@given(st.one_of(st.integers(SHORTEST, 1000), st.integers(65_700, 66_400), st.integers(131_200, 132_000)))
def test_a_tombstone_has_exactly_the_requested_length(length):
    made = make(length)

    (record,) = iter_records(made)

    assert (len(made), record.length, record.tombstone) == (length, length, "taken_down")


@pytest.mark.parametrize("length", [SHORTEST, STORED - 1, STORED, 65_850, 65_856, 131_400, 5_000_001])
def test_other_readers_read_a_tombstone_and_what_follows_it(length):
    two = make(length) + make(length, Cause.EXPIRED)

    by_warcio = [
        (record.rec_type, len(record.raw_stream.read()), record.digest_checker.passed)
        for record in warcio.archiveiterator.ArchiveIterator(io.BytesIO(two), check_digests=True)
    ]
    by_fastwarc = [record.reader.read() for record in ArchiveIterator(io.BytesIO(two), verify_digests=True)]

    assert [(kind, size) for kind, size, _ in by_warcio] == [("metadata", len(block)) for block in by_fastwarc]
    assert len(by_warcio) == 2
    assert not any(passed is False for *_, passed in by_warcio)


def test_every_record_we_write_is_longer_than_the_shortest_tombstone():
    writer = SegmentWriter("warc/dt=2026-03-01/b.warc.gz", software="", created_at=NOW)
    writer.add_conversion(url="", refers_to="", html=b"", rendered_at=NOW)

    assert min(length for _, length in places(writer.to_bytes())) >= SHORTEST


def test_an_impossible_length_is_refused():
    with pytest.raises(ValueError, match="no tombstone is as short as 247 bytes"):
        make(SHORTEST - 1)


def test_all_records_of_a_url_are_replaced_and_no_other_moves():
    segment = segment_of(SECRET * 9, b"another page", b"and a third")

    after = entomb(segment, "warc/k", is_gone=of_page(0), cause=Cause.TAKEN_DOWN)

    gone = [record.tombstone for record in iter_records(after)]
    assert places(after) == places(segment)
    assert gone == [None, *["taken_down"] * 3, *[None] * 6, "taken_down"]


def test_other_records_keep_their_bytes():
    segment = segment_of(SECRET, b"another page")

    after = entomb(segment, "warc/k", is_gone=of_page(0), cause=Cause.TAKEN_DOWN)

    kept = [record for record in iter_records(after) if record.tombstone is None]
    assert all(
        segment[one.offset : one.offset + one.length] == after[one.offset : one.offset + one.length] for one in kept
    )
    assert len(kept) == 4


def test_nothing_of_the_page_remains():
    segment = segment_of(SECRET, b"another page")

    after = entomb(segment, "warc/k", is_gone=of_page(0), cause=Cause.TAKEN_DOWN)

    assert b"daily.example/0" in content(segment)
    assert SECRET not in content(after)
    assert b"daily.example/0" not in content(after)


def test_replacing_again_changes_nothing():
    segment = entomb(segment_of(SECRET), "warc/k", is_gone=of_page(0), cause=Cause.EXPIRED)

    assert entomb(segment, "warc/k", is_gone=lambda _: True, cause=Cause.TAKEN_DOWN) != segment
    assert entomb(segment, "warc/k", is_gone=of_page(0), cause=Cause.TAKEN_DOWN) is None


@pytest.mark.parametrize("read", [read_response, read_conversion])
def test_reading_a_tombstone_reports_its_cause(read):
    with pytest.raises(RecordGone) as raised:
        read(make(400, Cause.EXPIRED), 0, 400)

    assert raised.value.cause == "expired"


def test_a_damaged_segment_is_not_rewritten():
    segment = segment_of(SECRET)

    with pytest.raises(CorruptRecord):
        entomb(segment[:-5], "warc/k", is_gone=of_page(0), cause=Cause.EXPIRED)
