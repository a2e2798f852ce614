"""Records removed together: a response's request, its renditions and the redirect hops to it, and nothing else."""

from datetime import UTC, datetime

import pytest

from tasks.forget.segments import entomb_records, unnamed_segments
from tasks.lake.objects.stores import DirectoryStore
from tasks.lake.records import iter_records
from tasks.lake.tombstones import Cause
from tasks.lake.warc import SegmentWriter

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
KEY = "warc/dt=2026-03-01/b1.warc.gz"
PAGE = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n"


class Segment:
    """A segment being written; `places` are the offsets of its responses, by name."""

    def __init__(self):
        self.writer = SegmentWriter(KEY, software="presslake/0", created_at=NOW)
        self.places = {}

    def add(self, name, url, head=PAGE, body=b"<p>text</p>", *, rendered=False):
        request = f"GET /{name} HTTP/1.1\r\n\r\n".encode()
        ref = self.writer.add_exchange(url=url, request_head=request, response_head=head, body=body, fetched_at=NOW)
        self.places[name] = ref.offset
        if rendered:
            self.writer.add_conversion(url=url, refers_to=ref.record_id, html=body, rendered_at=NOW)
        return self

    def hop(self, name, url, to):
        head = f"HTTP/1.1 302 Found\r\nLocation: {to}\r\n\r\n".encode()
        return self.add(name, url, head, b"")


def bury_in(tmp_path, index, segment, *, claims=(), taken=()):
    """Bury the claimed and taken records; return kinds and URLs of the remaining ones."""
    store = DirectoryStore(tmp_path)
    store.put(KEY, segment.writer.to_bytes())
    named = {segment.places[name]: key for name, key in dict(claims).items()}
    done = entomb_records(index, store, KEY, claims=named, is_taken=set(taken).__contains__, cause=Cause.TAKEN_DOWN)
    left = [(one.kind, one.url) for one in iter_records(store.get(KEY)) if one.tombstone is None]
    assert done.unread_from is None
    return left[1:]


A, B, C = (f"https://{name}.example/1" for name in "abc")


def both(*urls):
    return [(kind, url) for url in urls for kind in ("response", "request")]


def test_a_response_is_removed_with_its_request_and_rendition(tmp_path, index):
    segment = Segment().add("a", A, rendered=True).add("b", B, rendered=True)

    assert bury_in(tmp_path, index, segment, taken=["a.example/1"]) == [*both(B), ("conversion", B)]


def test_all_redirects_to_a_taken_url_are_removed(tmp_path, index):
    segment = Segment().hop("c", C, "/2?to=1").hop("b", B, A).add("a", A).add("other", "https://d.example/")

    assert bury_in(tmp_path, index, segment, taken=["a.example/1"]) == both(C, "https://d.example/")


def test_a_captures_hops_are_removed_from_the_requested_url_on(tmp_path, index):
    refresh = b'<meta http-equiv="refresh" content="0;url=https://c.example/1">'
    segment = Segment().add("d", "https://d.example/").hop("a", A, B).add("b", B, body=refresh).add("c", C)

    left = bury_in(tmp_path, index, segment, claims={"c": "a.example/1"})

    assert left == both("https://d.example/")


def test_another_capture_of_the_final_url_stays(tmp_path, index):
    segment = Segment().hop("a", A, B).add("b", B, rendered=True).add("again", B, rendered=True)

    left = bury_in(tmp_path, index, segment, claims={"b": "a.example/1"})

    assert left == [("conversion", B), *both(B), ("conversion", B)]


def test_readable_records_of_a_damaged_segment_are_removed_and_the_rest_reported(tmp_path, index):
    segment = Segment().add("a", A).add("b", B).add("c", C)
    body = bytearray(segment.writer.to_bytes())
    body[segment.places["b"] + 40] ^= 0xFF
    store = DirectoryStore(tmp_path)
    store.put(KEY, bytes(body))

    done = entomb_records(index, store, KEY, claims={}, is_taken={"a.example/1"}.__contains__, cause=Cause.TAKEN_DOWN)

    after = store.get(KEY)
    assert (done.records, done.unread_from) == (2, segment.places["b"])
    assert after[segment.places["b"] :] == body[segment.places["b"] :]


def test_a_concurrent_change_of_the_segment_is_not_undone(tmp_path, index):
    segment = Segment().add("a", A).add("b", B)

    class Racing(DirectoryStore):
        """A store in which another process removes b while this one reads the segment to remove a."""

        reads = 0

        def get(self, key):
            found = super().get(key)
            self.reads += 1
            if self.reads == 1:
                entomb_records(
                    index,
                    DirectoryStore(tmp_path),
                    KEY,
                    claims={},
                    is_taken={"b.example/1"}.__contains__,
                    cause=Cause.EXPIRED,
                )
            return found

    DirectoryStore(tmp_path).put(KEY, segment.writer.to_bytes())

    entomb_records(
        index, Racing(tmp_path), KEY, claims={}, is_taken={"a.example/1"}.__contains__, cause=Cause.TAKEN_DOWN
    )

    gone = [one.tombstone for one in iter_records(DirectoryStore(tmp_path).get(KEY))]
    assert gone == [None, "taken_down", "taken_down", "expired", "expired"]


def test_a_missing_segment_has_no_records(tmp_path, index):
    assert (
        entomb_records(index, DirectoryStore(tmp_path), KEY, claims={}, is_taken=bool, cause=Cause.EXPIRED).records == 0
    )


@pytest.mark.parametrize(("named", "found"), [(set(), [KEY]), ({KEY}, [])])
def test_unreferenced_segments_are_found(tmp_path, named, found):
    store = DirectoryStore(tmp_path)
    store.put(KEY, b"")

    assert list(unnamed_segments(store, named)) == found
