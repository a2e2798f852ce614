"""Tombstones: they replace removed records of a segment, with exactly the record's length. Pure.

A tombstone is one gzip member with one `metadata` record (WARC 1.1, 6.6) that says why, and nothing about the record:
no URL, date or id. Since its gzip member has the same length, no other record moves, and every row's offset stays
valid.

The length is reached by padding the record's block in stored deflate blocks, whose length is known (RFC 1951, 3.2.4).
In a shorter member the record is compressed, and a comment in the gzip header is the padding (RFC 1952).
"""

import base64
import hashlib
import uuid
import zlib
from collections.abc import Callable, Iterable
from enum import StrEnum

from tasks.errors import CorruptRecord
from tasks.lake.records import TOMBSTONE, Record, iter_records

STORED_SIZE = 0xFFFF
"""The most bytes that one stored block of deflate holds."""

_NAMESPACE = uuid.UUID("a8a5f6d3-5a0c-5d5e-8a63-b2a4f5c1d7e0")
_DATE = "1970-01-01T00:00:00Z"  # WARC-Date is mandatory; the takedowns table has the real date
_HEAD = b"\x1f\x8b\x08%c\0\0\0\0\0\xff"
_COMMENTED = 0x10
_FRAME = len(_HEAD) - 1 + 8
_BLOCK = 5  # overhead of a stored block
_END = b"\r\n\r\n"


class Cause(StrEnum):
    """Why a record is gone."""

    TAKEN_DOWN = "taken_down"
    EXPIRED = "expired"
    REFUSED = "refused"


def tombstone(length: int, *, cause: Cause, place: str) -> bytes:
    """Return a gzip member of this length with a tombstone; `place` is the record's segment and offset.

    The same arguments make the same record. Raises ValueError for a length that no record of a segment has.
    """
    stored = length - _FRAME
    blocks = max(-(-stored // (STORED_SIZE + _BLOCK)), 1)
    room = stored - blocks * _BLOCK - len(_record(cause, place, 0))
    record = _record(cause, place, max(room, 0))
    return _member(_stored(record, blocks), record) if room >= 0 else _commented(length, record)


def entomb(segment: bytes, key: str, *, is_gone: Callable[[Record], bool], cause: Cause) -> bytes | None:
    """Return the segment with a tombstone for each record for which `is_gone` is true, or None if nothing changes.

    Existing tombstones stay. Raises CorruptRecord at the first damaged record.
    """
    parts, is_changed = [], False
    for record in iter_records(segment):
        member = segment[record.offset : record.offset + record.length]
        if record.tombstone is None and is_gone(record):
            member, is_changed = tombstone(record.length, cause=cause, place=f"{key}:{record.offset}"), True
        parts.append(member)
    return b"".join(parts) if is_changed else None


def entomb_at(segment: bytes, key: str, places: Iterable[tuple[int, int]], *, cause: Cause) -> bytes | None:
    """Return a damaged segment with a tombstone at each of these offsets and lengths, or None if there are none."""
    after = bytearray(segment)
    for offset, length in places:
        after[offset : offset + length] = tombstone(length, cause=cause, place=f"{key}:{offset}")
    return bytes(after) if after != segment else None


def is_empty(segment: bytes) -> bool:
    """Whether a segment consists of tombstones only, besides its warcinfo record."""
    try:
        return all(record.tombstone or record.kind == "warcinfo" for record in iter_records(segment))
    except CorruptRecord:
        return False


def _record(cause: Cause, place: str, room: int) -> bytes:
    """Return the record with a block of `room` bytes of padding; the length of its head does not depend on `room`."""
    return (
        b"WARC/1.1\r\n"
        b"WARC-Type: metadata\r\n"
        b"WARC-Record-ID: <urn:uuid:%s>\r\n"
        b"WARC-Date: %s\r\n"
        b"WARC-Target-URI: %s%s\r\n"
        b"Content-Type: text/plain\r\n"
        b"WARC-Block-Digest: sha1:%s\r\n"
        b"Content-Length: %010d\r\n\r\n%s%s"
    ) % (
        str(uuid.uuid5(_NAMESPACE, f"{place} {cause}")).encode(),
        _DATE.encode(),
        TOMBSTONE.encode(),
        cause.value.encode(),
        base64.b32encode(hashlib.sha1(b" " * room, usedforsecurity=False).digest()),  # the shortest one supported
        room,
        b" " * room,
        _END,
    )


def _stored(record: bytes, blocks: int) -> bytes:
    """Return the record in exactly this number of stored deflate blocks; surplus blocks are empty."""
    parts = []
    for number in range(blocks):
        block = record[number * STORED_SIZE : (number + 1) * STORED_SIZE]
        size = len(block).to_bytes(2, "little")
        parts += [b"\x01" if number == blocks - 1 else b"\0", size, bytes(0xFF - byte for byte in size), block]
    return b"".join(parts)


def _commented(length: int, record: bytes) -> bytes:
    """Return a member whose record is compressed, padded to the length by a header comment."""
    deflater = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    deflated = deflater.compress(record) + deflater.flush()
    comment = length - _FRAME - len(deflated) - 1  # a comment ends with a zero byte
    if comment < 0:
        raise ValueError(f"no tombstone is as short as {length} bytes")
    return _member(b"." * comment + b"\0" + deflated, record, flags=_COMMENTED)


def _member(deflated: bytes, record: bytes, *, flags: int = 0) -> bytes:
    return b"".join((
        _HEAD % flags,
        deflated,
        zlib.crc32(record).to_bytes(4, "little"),
        (len(record) & 0xFFFFFFFF).to_bytes(4, "little"),
    ))  # fmt: skip
