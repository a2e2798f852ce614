import gzip
import hashlib
import io
import random
import re
from datetime import UTC, datetime, timedelta, timezone

import pytest
import warcio.archiveiterator
from fastwarc.warc import ArchiveIterator
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tasks.errors import BadResponse, BadUrl, CorruptRecord
from tasks.lake.records import iter_records, payload_digest, read_response
from tasks.lake.warc import RevisitProfile, SegmentWriter

NOW = datetime(2026, 3, 1, 12, 30, 0, 123456, tzinfo=UTC)
REQUEST = b"GET /a HTTP/1.1\r\nHost: daily.example\r\n\r\n"
RESPONSE = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\n\r\n"
BODY = "<p>Привет, мир.</p>".encode()
GZIPPED = gzip.compress(BODY, mtime=0)


def make_writer(key="warc/dt=2026-03-01/b1.warc.gz", **more):
    return SegmentWriter(key, software="presslake/0", created_at=NOW, **more)


def add(writer, **changes):
    return writer.add_exchange(
        **{
            "url": "https://daily.example/a",
            "request_head": REQUEST,
            "response_head": RESPONSE,
            "body": BODY,
            "fetched_at": NOW,
            "address": "192.0.2.7",
            **changes,
        }
    )


def add_revisit(writer, **changes):
    return writer.add_revisit(
        **{
            "profile": RevisitProfile.SERVER_NOT_MODIFIED,
            "url": "https://daily.example/a",
            "request_head": REQUEST,
            "response_head": b'HTTP/1.1 304 Not Modified\r\nETag: "x"\r\n\r\n',
            "fetched_at": NOW,
            **changes,
        }
    )


def read_back(**changes):
    """Write one exchange, and read it by its offset and length."""
    writer = make_writer()
    ref = add(writer, **changes)
    return read_response(writer.to_bytes(), ref.offset, ref.length)


def by_warcio(segment):
    """Return each record as read by warcio: type, WARC headers, HTTP headers, raw payload, whether the digests match."""
    read = []
    for record in warcio.archiveiterator.ArchiveIterator(io.BytesIO(segment), check_digests=True):
        payload = record.raw_stream.read()
        read.append((record.rec_type, record.rec_headers, record.http_headers, payload, record.digest_checker.passed))
    return read


def by_fastwarc(segment):
    """Return each record as read by fastwarc with its defaults, without those with a wrong digest."""
    return [
        (str(record.record_type), dict(record.headers.items()), record.reader.read())
        for record in ArchiveIterator(io.BytesIO(segment), verify_digests=True)
        if str(record.record_type) != "response" or record.verify_payload_digest()
    ]


def test_a_response_round_trips():
    read = read_back()

    assert (read.url, read.fetched_at, read.status, read.body) == ("https://daily.example/a", NOW, 200, BODY)


def test_header_names_are_lower_case_and_repeated_headers_kept():
    assert read_back().headers == (("content-type", "text/html"), ("set-cookie", "a=1"), ("set-cookie", "b=2"))


@pytest.mark.parametrize("body", [b"", b"\r\n\r\n", b"\0" * 10, GZIPPED, b"WARC/1.1\r\n" * 5, bytes(range(256)) * 900])
def test_a_body_round_trips_byte_for_byte(body):
    assert read_back(body=body).body == body


def test_the_payload_digest_is_of_the_body_as_received():
    expected = f"sha256:{hashlib.sha256(GZIPPED).hexdigest()}"
    writer = make_writer()

    ref = add(writer, body=GZIPPED, response_head=b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n")

    assert (ref.payload_digest, payload_digest(GZIPPED)) == (expected, expected)


def test_each_record_is_read_alone_by_offset_and_length():
    writer = make_writer()
    bodies = [b"one", b"", b"three" * 1000]
    refs = [add(writer, body=body) for body in bodies]
    segment = writer.to_bytes()

    read = [read_response(segment[ref.offset : ref.offset + ref.length], 0, ref.length).body for ref in refs]

    assert read == bodies


def test_segments_in_a_file_and_in_memory_have_equal_bytes(tmp_path):
    def filled(**more):
        writer = make_writer(**more)
        add(writer)
        halfway = writer.to_bytes()
        add(writer)
        return halfway, writer.to_bytes()

    with (tmp_path / "segment").open("w+b") as out:
        in_file = filled(out=out)

    assert in_file == filled()
    assert in_file[1].startswith(in_file[0])


def test_records_are_contiguous():
    writer = make_writer()
    for body in (b"one", b"two" * 50_000):
        add(writer, body=body)
    add_revisit(writer)

    records = list(iter_records(writer.to_bytes()))

    ends = [record.offset + record.length for record in records]
    assert [record.offset for record in records] + [writer.size] == [0, *ends]


def test_a_segment_has_a_warcinfo_then_responses_with_their_requests():
    writer = make_writer()
    add(writer)
    add_revisit(writer)

    kinds = [record.kind for record in iter_records(writer.to_bytes())]

    assert kinds == ["warcinfo", "response", "request", "revisit", "request"]


def test_an_exchange_without_a_request_head_has_no_request():
    writer = make_writer()
    add(writer, request_head=b"")

    assert [record.kind for record in iter_records(writer.to_bytes())] == ["warcinfo", "response"]


def test_a_writer_is_empty_until_something_is_added():
    writer = make_writer()
    before = writer.is_empty
    add(writer)

    assert (before, writer.is_empty) == (True, False)


def test_equal_exchanges_give_equal_bytes():
    segments = []
    for _ in range(2):
        writer = make_writer()
        add(writer)
        add(writer, body=GZIPPED)
        add_revisit(writer)
        segments.append(writer.to_bytes())

    assert segments[0] == segments[1]


CODED = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n"


def member(**changes):
    """Return the gzip member of one exchange's response."""
    writer = make_writer()
    ref = add(writer, **changes)
    return writer.to_bytes()[ref.offset : ref.offset + ref.length]


def test_an_encoded_body_is_stored_as_received():
    body = gzip.compress(random.Random(1).randbytes(200_000), mtime=0)

    stored = member(body=body, response_head=CODED)

    assert body[:60_000] in stored
    assert read_response(stored, 0, len(stored)).body == body


@pytest.mark.parametrize("head", [RESPONSE, CODED])
def test_a_text_body_is_compressed_under_any_label(head):
    assert len(member(body=BODY * 1000, response_head=head)) < 1500


def test_gzip_members_have_no_time_and_no_name():
    writer = make_writer()
    ref = add(writer)

    # RFC 1952: ID1 ID2 CM FLG MTIME(4)
    assert writer.to_bytes()[ref.offset :][:8] == b"\x1f\x8b\x08\x00\x00\x00\x00\x00"


def test_equal_exchanges_have_different_record_ids():
    writer = make_writer()
    add(writer)
    add(writer)

    ids = [headers["WARC-Record-ID"] for _, headers, _ in by_fastwarc(writer.to_bytes())]

    assert len(set(ids)) == 5


def test_both_readers_accept_every_digest():
    writer = make_writer()
    for body in (BODY, GZIPPED, b""):
        add(writer, body=body)
    segment = writer.to_bytes()

    assert [passed for *_, passed in by_warcio(segment)] == [True] * 7
    assert [kind for kind, *_ in by_fastwarc(segment)] == ["warcinfo"] + ["response", "request"] * 3


def test_both_readers_detect_a_wrong_digest():
    writer = make_writer()
    ref = add(writer)
    segment = _altered(writer.to_bytes(), ref, b"sha256:0000")

    assert [passed for *_, passed in by_warcio(segment)] == [True, False, True]
    assert [kind for kind, *_ in by_fastwarc(segment)] == ["warcinfo", "request"]


def _altered(segment, ref, digest_start):
    member = gzip.decompress(segment[ref.offset : ref.offset + ref.length])
    altered = re.sub(rb"(WARC-Payload-Digest: )sha256:....", rb"\1" + digest_start, member)
    return segment[: ref.offset] + gzip.compress(altered) + segment[ref.offset + ref.length :]


def test_warcio_decodes_the_content_coding():
    writer = make_writer()
    add(writer, body=GZIPPED, response_head=b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n")

    records = warcio.archiveiterator.ArchiveIterator(io.BytesIO(writer.to_bytes()))
    pages = [record.content_stream().read() for record in records if record.rec_type == "response"]

    assert pages == [BODY]


def test_the_date_has_microseconds_and_is_utc():
    writer = make_writer()
    add(writer, fetched_at=NOW.astimezone(timezone(timedelta(hours=2))))

    assert by_fastwarc(writer.to_bytes())[1][1]["WARC-Date"] == "2026-03-01T12:30:00.123456Z"


def test_a_request_names_its_response():
    writer = make_writer()
    add(writer)
    (_, response, _), (_, request, _) = by_fastwarc(writer.to_bytes())[1:]

    assert (request["WARC-Concurrent-To"], request["WARC-IP-Address"], request["WARC-Target-URI"]) == (
        response["WARC-Record-ID"],
        "192.0.2.7",
        "https://daily.example/a",
    )


@pytest.mark.parametrize(
    ("address", "said"), [("2001:db8::1", "2001:db8::1"), ("fe80::1%eth0", "fe80::1"), (None, None)]
)
def test_the_ip_address_is_recorded_if_known(address, said):
    writer = make_writer()
    add(writer, address=address)

    assert by_fastwarc(writer.to_bytes())[1][1].get("WARC-IP-Address") == said


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        (b"Content-Length: 3", (("content-length", "3"),)),
        (b"content-length: 9", (("x-presslake-content-length", "9"), ("content-length", "3"))),
        (
            b"Transfer-Encoding: chunked",
            (("x-presslake-transfer-encoding", "chunked"), ("content-length", "3")),
        ),
        (
            b"Content-Length: 3\r\nContent-Length: 3",
            (("x-presslake-content-length", "3"), ("x-presslake-content-length", "3"), ("content-length", "3")),
        ),
        (b"X: y", (("x", "y"),)),
    ],
)
def test_the_recorded_head_matches_the_stored_body(head, expected):
    assert read_back(response_head=b"HTTP/1.1 200 OK\r\n" + head + b"\r\n\r\n", body=b"abc").headers == expected


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        (b"HTTP/1.1 200 OK\r\nX: a\r\n\r\nWARC/1.1\r\n\r\n", (("x", "a"), ("x-presslake-malformed", "WARC/1.1"))),
        (b"HTTP/1.1 200 OK\nX: a\n\n\nY: b\n\n", (("x", "a"), ("y", "b"))),
        (b"HTTP/1.1 200 OK\r\nX: a\rSet-Cookie: b\r\n\r\n", (("x", "a Set-Cookie: b"),)),
        (b"HTTP/1.1 200 OK\r\nX: a\0b\r\n\r\n", (("x", "a b"),)),
        (b"HTTP/1.1 200 OK\r\nX: a\r\n \t folded\r\n\r\n", (("x", "a folded"),)),
        (b"HTTP/1.1 200 OK\r\nno colon\r\n: no name\r\nbad name: c\r\n\r\n", (("x-presslake-malformed", "no colon"), ("x-presslake-malformed", ": no name"), ("x-presslake-malformed", "bad name: c"))),
        (b"HTTP/1.1 200 \xe9\r\nX: \xe9\r\n\r\n", (("x", "é"),)),
        (b"HTTP/1.1 200", ()),
        (b"HTTP/2 200 \r\nX: a\r\n\r\n", (("x", "a"),)),
    ],
)  # fmt: skip
def test_a_hostile_head_cannot_break_out_of_its_record(head, expected):
    read = read_back(response_head=head)

    assert (read.status, read.headers, read.body) == (200, expected, BODY)


def test_a_too_long_head_loses_its_longest_fields_with_a_note():
    head = b"HTTP/1.1 200 OK\r\nX: " + b"a" * 90_000 + b"\r\nContent-Encoding: gzip\r\n\r\n"

    assert read_back(response_head=head).headers == (
        ("content-encoding", "gzip"),
        ("x-presslake-dropped-fields", "1"),
    )


def test_a_head_of_very_many_fields_keeps_the_content_coding():
    head = b"HTTP/1.1 200 OK\r\n" + b"".join(b"a%d: b\r\n" % n for n in range(9000)) + b"Content-Encoding: gzip\r\n\r\n"

    assert ("content-encoding", "gzip") in read_back(response_head=head).headers


@pytest.mark.parametrize("head", [b"", b"\r\n\r\n", b"200 OK\r\n\r\n", b"HTTP/1.1 OK\r\n\r\n", b"<html>\r\n"])
def test_a_non_http_response_is_refused_and_nothing_written(head):
    writer = make_writer()

    with pytest.raises(BadResponse):
        add(writer, response_head=head)

    assert writer.is_empty


def test_a_non_http_request_is_refused_and_nothing_written():
    writer = make_writer()

    with pytest.raises(BadResponse):
        add(writer, request_head=b"WARC/1.1\r\n\r\n")

    assert writer.is_empty


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("http://a/\r\nWARC-Type: warcinfo\r\n\r\n", "http://a/%0D%0AWARC-Type:%20warcinfo%0D%0A%0D%0A"),
        ("http://a/\0", "http://a/%00"),
        ("http://a/ é%20%C3%A9?q=[x]#y", "http://a/%20%C3%A9%20%C3%A9?q=[x]#y"),
        ("http://a/\ud800", "http://a/?"),
    ],
)
def test_a_hostile_url_cannot_inject_headers(url, said):
    assert read_back(url=url).url == said


def test_a_too_long_url_is_refused_and_nothing_written():
    writer = make_writer()

    with pytest.raises(BadUrl):
        add(writer, url="http://a/" + "x" * 20_000)

    assert writer.is_empty


def test_a_revisit_refers_to_the_payloads_record():
    writer = make_writer()
    add_revisit(
        writer,
        profile=RevisitProfile.IDENTICAL_PAYLOAD,
        response_head=RESPONSE,
        payload_digest=payload_digest(BODY),
        refers_to_url="https://daily.example/first",
        refers_to_date=NOW - timedelta(days=1),
    )

    _, headers, http, payload, passed = by_warcio(writer.to_bytes())[1]

    assert [headers.get_header(name) for name in REVISIT_HEADERS] == [
        "http://netpreserve.org/warc/1.1/revisit/identical-payload-digest",
        payload_digest(BODY),
        "https://daily.example/first",
        "2026-02-28T12:30:00.123456Z",
    ]
    assert (http.get_statuscode(), payload, passed) == ("200", b"", None)


REVISIT_HEADERS = ["WARC-Profile", "WARC-Payload-Digest", "WARC-Refers-To-Target-URI", "WARC-Refers-To-Date"]


def test_a_304_is_a_revisit_with_the_server_not_modified_profile():
    writer = make_writer()
    ref = add_revisit(writer)

    assert by_fastwarc(writer.to_bytes())[1][1]["WARC-Profile"].endswith("/server-not-modified")
    assert ref.payload_digest is None


def test_an_identical_payload_revisit_requires_a_reference():
    with pytest.raises(ValueError, match="no payload digest"):
        add_revisit(make_writer(), profile=RevisitProfile.IDENTICAL_PAYLOAD)


def test_a_revisit_has_no_response():
    writer = make_writer()
    ref = add_revisit(writer)

    with pytest.raises(CorruptRecord, match="no response record"):
        read_response(writer.to_bytes(), ref.offset, ref.length)


def test_a_record_at_a_wrong_offset_is_corrupt():
    writer = make_writer()
    ref = add(writer)

    with pytest.raises(CorruptRecord):
        read_response(writer.to_bytes(), ref.offset + 1, ref.length)


def test_a_changed_payload_is_corrupt():
    writer = make_writer()
    ref = add(writer)
    segment = _altered(writer.to_bytes(), ref, b"sha256:0000")

    with pytest.raises(CorruptRecord, match="payload digest"):
        list(iter_records(segment))


def test_a_changed_block_is_corrupt():
    writer = make_writer()
    ref = add(writer)
    member = gzip.decompress(writer.to_bytes()[ref.offset : ref.offset + ref.length])
    segment = gzip.compress(member.replace(b"200 OK", b"200 Ok"))

    with pytest.raises(CorruptRecord, match="block digest"):
        list(iter_records(segment))


def test_several_records_in_one_gzip_member_are_corrupt():
    writer = make_writer()
    add(writer)

    with pytest.raises(CorruptRecord, match="several records"):
        list(iter_records(gzip.compress(gzip.decompress(writer.to_bytes()))))


@pytest.mark.parametrize("segment", [b"no gzip", gzip.compress(b"no WARC"), gzip.compress(b"")])
def test_data_that_is_not_a_segment_is_corrupt(segment):
    with pytest.raises(CorruptRecord):
        list(iter_records(segment))


def test_truncation_at_any_position_is_detected():
    writer = make_writer()
    add(writer, body=b"x")
    segment = writer.to_bytes()
    whole = {record.offset for record in iter_records(segment)}

    for end in set(range(1, len(segment))) - whole:
        with pytest.raises(CorruptRecord):
            list(iter_records(segment[:end]))


def test_an_empty_segment_has_no_records():
    assert list(iter_records(b"")) == []


@pytest.mark.parametrize("digest", ["sha1", "md5"])
def test_another_writers_chunked_response_is_read(digest):
    chunked = b"3\r\nabc\r\n0\r\n\r\n"
    block = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunked
    said = hashlib.new(digest, b"abc").hexdigest()
    segment = gzip.compress(_foreign_record(block, f"{digest}:{said}"))

    assert [record.response.body for record in iter_records(io.BytesIO(segment))] == [b"abc"]


def test_another_writers_wrong_chunked_header_is_ignored():
    block = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n<p>no chunks</p>"
    segment = gzip.compress(_foreign_record(block, "xxh3:unknown"))

    assert [record.response.body for record in iter_records(segment)] == [b"<p>no chunks</p>"]


def test_a_non_http_response_record_has_no_response():
    record = _foreign_record(b"20260301 daily.example", "sha1:x").replace(b"application/http", b"text/dns")

    assert [record.response for record in iter_records(gzip.compress(record))] == [None]


def _foreign_record(block, digest):
    return (
        f"WARC/1.0\r\nWARC-Type: response\r\nWARC-Target-URI: <http://other.example/>\r\nWARC-Record-ID: <urn:x:1>\r\n"
        f"WARC-Date: 2026-03-01T00:00:00Z\r\nContent-Type: application/http; msgtype=response\r\n"
        f"WARC-Payload-Digest: {digest}\r\nContent-Length: {len(block)}\r\n\r\n"
    ).encode() + block + b"\r\n\r\n"  # fmt: skip


HEADS = st.one_of(
    st.binary(max_size=300),
    st.lists(st.sampled_from([b"\r\n", b"\n", b"\r", b"\0", b" ", b":", b"X: y", b"WARC/1.1", b"Content-Length: 7"])).map(b"".join),
)  # fmt: skip


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    url=st.text(max_size=100).map("http://daily.example/".__add__),
    head=HEADS,
    body=st.binary(max_size=300),
    at=st.datetimes(timezones=st.just(UTC)),
)
def test_all_readers_read_any_record_back(url, head, body, at):
    writer = make_writer()
    head = b"HTTP/1.1 200 OK\r\n" + head
    refs = [add(writer, url=url, response_head=head, body=body, fetched_at=at) for _ in range(2)]
    segment = writer.to_bytes()

    ours = [read_response(segment, ref.offset, ref.length) for ref in refs]
    theirs = [(kind, payload, passed) for kind, _, _, payload, passed in by_warcio(segment)]
    rust = [(kind, payload) for kind, _, payload in by_fastwarc(segment)]

    assert [(read.body, read.fetched_at) for read in ours] == [(body, at)] * 2
    assert [row for row in theirs if row[0] == "response"] == [("response", body, True)] * 2
    assert [row for row in rust if row[0] == "response"] == [("response", body)] * 2
