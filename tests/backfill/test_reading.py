import gzip
import io
from datetime import timedelta

import pytest
import warcio.archiveiterator

from tasks.backfill import streams
from tasks.backfill.raw_files import EntryFile, LocalFile, archives_in, open_zip
from tasks.backfill.records import ArchivedRecord, Damage, read_records
from tasks.backfill.streams import ArchiveStream
from tests.backfill.archives import DAY, in_one_stream, put, story_at, wacz, warc

STORIES = [story_at(number) for number in range(6)]
ARCHIVE = warc(STORIES)


def read(path, *, is_wanted=lambda _: True):
    raw = LocalFile(path)
    try:
        return list(read_records(ArchiveStream(raw), is_wanted))
    finally:
        raw.close()


def responses(found):
    return [one for one in found if isinstance(one, ArchivedRecord) and one.head.kind == "response"]


def damages(found):
    return [one for one in found if isinstance(one, Damage)]


@pytest.mark.parametrize(
    "body",
    [
        ARCHIVE,
        warc(STORIES, version="1.1"),
        warc(STORIES, is_gzip=False),
        in_one_stream(ARCHIVE),
        ARCHIVE + b"\0" * 100,
    ],
    ids=["1.0", "1.1", "plain", "one stream", "padded"],
)
def test_every_archive_format_gives_the_same_records(tmp_path, body):
    found = read(put(tmp_path, "a.warc.gz", body))

    assert not damages(found)
    assert [one.head.url for one in responses(found)] == [one.url for one in STORIES]
    assert all(one.block.endswith(kept.payload) for one, kept in zip(responses(found), STORIES, strict=True))


def test_other_readers_can_read_our_test_archives():
    found = [one.rec_type for one in warcio.archiveiterator.ArchiveIterator(io.BytesIO(ARCHIVE), check_digests="raise")]

    assert found.count("response") == 6


def test_a_records_offset_is_that_of_its_gzip_member(tmp_path):
    path = put(tmp_path, "a.warc.gz", ARCHIVE)

    for one in responses(read(path)):
        member = gzip.GzipFile(fileobj=io.BytesIO(ARCHIVE[one.head.offset :])).read(200)
        assert member.startswith(b"WARC/1.0\r\n")
        assert one.head.url.encode() in gzip.GzipFile(fileobj=io.BytesIO(ARCHIVE[one.head.offset :])).read(600)


def test_unwanted_records_are_skipped(tmp_path):
    found = read(put(tmp_path, "a.warc.gz", ARCHIVE), is_wanted=lambda head: head.url == STORIES[3].url)

    assert [one.head.url for one in responses(found) if one.block is not None] == [STORIES[3].url]
    assert len(responses(found)) == 6


def places(body, path_of):
    return [one.head.offset for one in responses(read(path_of(body)))]


def test_reading_continues_after_a_damaged_member(tmp_path):
    offsets = places(ARCHIVE, lambda body: put(tmp_path, "a.warc.gz", body))
    body = bytearray(ARCHIVE)
    middle = (offsets[2] + offsets[3]) // 2
    body[middle : middle + 8] = b"\xff" * 8

    found = read(put(tmp_path, "b.warc.gz", bytes(body)))

    assert [one.head.url for one in responses(found)] == [one.url for n, one in enumerate(STORIES) if n != 2]
    assert [one.offset for one in damages(found)] == [offsets[2]]


def test_reading_continues_after_a_wrong_length(tmp_path):
    plain = gzip.decompress(ARCHIVE)
    at = plain.rindex(STORIES[2].url.encode())
    start = plain.index(b"Content-Length: ", at)
    end = plain.index(b"\r\n", start)
    wrong = plain[:start] + b"Content-Length: 99999999" + plain[end:]

    found = read(put(tmp_path, "a.warc", wrong))

    assert len(damages(found)) == 1
    assert {one.head.url for one in responses(found)} == {one.url for n, one in enumerate(STORIES) if n != 2}


@pytest.mark.parametrize("cut", [10, 200, 1000])
@pytest.mark.parametrize(
    "form", [lambda body: body, in_one_stream, gzip.decompress], ids=["members", "stream", "plain"]
)
def test_a_truncated_stream_gives_its_whole_records_and_an_error(tmp_path, cut, form):
    body = form(ARCHIVE)

    found = read(put(tmp_path, "a.warc.gz", body[:-cut]))

    assert damages(found)[-1].is_end
    whole = {one.url for one in STORIES[:-1]}
    assert len({one.head.url for one in responses(found)} & whole) >= 4 or form is in_one_stream


@pytest.mark.parametrize(
    "body",
    [b"", b"<html>no archive</html>", gzip.compress(b"no archive at all"), b"\x1f\x8b\x08", b"\x00" * 5000, b"WARC/1.0\r\n",
     b"WARC/1.0\r\nContent-Length: -4\r\n\r\n", b"WARC/1.0\r\nContent-Length: \xd9\xa3\r\n\r\n", b"WARC/1.0\r\n" + b"A: b\r\n" * 50_000],
)  # fmt: skip
def test_a_file_that_is_not_an_archive_gives_no_record(tmp_path, body):
    assert not responses(read(put(tmp_path, "a.warc", body)))


def test_a_bomb_ends_its_archive(tmp_path, monkeypatch):
    monkeypatch.setattr(streams, "RATIO_FROM_SIZE", 1_000_000)
    head = b"WARC/1.0\r\nWARC-Type: response\r\nContent-Length: 50000000\r\n\r\n"
    path = put(tmp_path, "a.warc.gz", gzip.compress(head + b"\0" * 50_000_000))

    (found,) = read(path, is_wanted=lambda _: False)

    assert found.is_end
    assert "became" in found.detail


@pytest.mark.parametrize("method", [0, 8], ids=["stored", "deflated"])
def test_only_the_archives_of_a_wacz_are_read(tmp_path, method):
    files = {
        "archive/data.warc.gz": ARCHIVE,
        "../archive/evil.warc.gz": ARCHIVE,
        "archive/../../x.txt": b"x",
        "pages/pages.jsonl": b"{}",
    }
    path = put(tmp_path, "a.wacz", wacz(files, method=method))
    raw = LocalFile(path)
    with open_zip(raw) as container:
        entries = list(archives_in(container))
        entry = EntryFile(container, entries[0])
        found = list(read_records(ArchiveStream(entry), lambda _: True))
        entry.close()
    raw.close()

    assert [one.filename for one in entries] == ["archive/data.warc.gz"]
    assert len(responses(found)) == 6


def test_dates_are_read_as_written(tmp_path):
    found = responses(read(put(tmp_path, "a.warc.gz", ARCHIVE)))

    assert found[1].head.fields["warc-date"] == (DAY + timedelta(minutes=1)).isoformat().replace("+00:00", "Z")
