"""Read the records of an archive (ISO 28500:2017, 4): all heads, and the blocks of wanted records.

A damaged record is reported, and reading continues at the next one that can be found.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from tasks.backfill.raw_files import DamagedArchive
from tasks.backfill.streams import ArchiveBomb, ArchiveStream

MAX_LINE_SIZE = 32 * 1024
MAX_HEAD_SIZE = 128 * 1024
"""The longest record head, in bytes: a URL has at most 8,192, and nothing else in it is long."""

_VERSION = re.compile(rb"WARC/[01]\.\d{1,3}\s*")


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordHead:
    """A record's named fields (lower-case names), its offset, and the length of its block."""

    offset: int
    length: int
    fields: Mapping[str, str]

    @property
    def kind(self) -> str:
        """Its WARC-Type."""
        return self.fields.get("warc-type", "").lower()

    @property
    def url(self) -> str:
        """Its WARC-Target-URI, which some writers put in angle brackets."""
        return self.fields.get("warc-target-uri", "").strip("<> ")


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchivedRecord:
    """A record; `block` is None if it was not wanted."""

    head: RecordHead
    block: bytes | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Damage:
    """An unreadable place in an archive; the rest is lost if `is_end`."""

    offset: int
    detail: str
    is_end: bool = False


def read_records(stream: ArchiveStream, is_wanted: Callable[[RecordHead], bool]) -> Iterator[ArchivedRecord | Damage]:
    """Yield every record, and a Damage for every unreadable place; blocks of unwanted records are skipped unread."""
    while True:
        try:
            stream.begin_record()
            head = _read_head(stream)
            if head is None:
                return
            block = stream.read(head.length) if is_wanted(head) else None
            _check_length(head, stream.skip(head.length) if block is None else len(block))
            yield ArchivedRecord(head=head, block=block)
        except ArchiveBomb as error:
            yield Damage(offset=stream.record_at, detail=str(error), is_end=True)
            return
        except DamagedArchive as error:
            place, has_more = stream.record_at, _find_next(stream)
            yield Damage(offset=place, detail=str(error), is_end=not has_more)
            if not has_more:
                return


def _check_length(head: RecordHead, found: int) -> None:
    if found < head.length:
        raise DamagedArchive(f"it ends after {found:,} of {head.length:,} bytes of a record")


def _find_next(stream: ArchiveStream) -> bool:
    try:
        return stream.find_next()
    except DamagedArchive:
        return False


def _read_head(stream: ArchiveStream) -> RecordHead | None:
    place = stream.place
    first = stream.line(MAX_LINE_SIZE)
    if not first:
        return None
    if not _VERSION.fullmatch(first):
        raise DamagedArchive(f"no record starts with {first[:40]!r}")
    fields: dict[str, str] = {}
    last, left = "", MAX_HEAD_SIZE
    while (line := stream.line(MAX_LINE_SIZE)).strip():
        left -= len(line)
        if left < 0 or not line.endswith(b"\n"):
            raise DamagedArchive(f"the head of a record has more than {MAX_HEAD_SIZE:,} bytes")
        text = line.decode("utf-8", "replace")
        if text[0] in " \t" and last:  # a folded line (4.)
            fields[last] += " " + text.strip()
            continue
        name, _, value = text.partition(":")
        last = name.strip().lower()
        fields.setdefault(last, value.strip())
    length = fields.get("content-length", "")
    if not (length.isascii() and length.isdecimal() and len(length) <= 15):
        raise DamagedArchive("a record has no length")
    return RecordHead(offset=place, length=int(length), fields=fields)
