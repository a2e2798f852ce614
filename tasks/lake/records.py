"""Read and verify the records of WARC segments: gzip members into responses (ISO 28500:2017).

No I/O; tasks/lake/warc.py writes them.
"""

import base64
import hashlib
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import BinaryIO

from fastwarc.stream_io import ChunkedReader
from fastwarc.warc import ArchiveIterator, WarcRecord
from isal import isal_zlib

from tasks.errors import CorruptRecord, RecordGone

RENDITION_TYPE = "text/html; charset=utf-8"
"""The Content-Type of a rendered page, which is stored as a conversion record."""

TOMBSTONE = "urn:presslake:tombstone:"
"""The prefix of a tombstone's WARC-Target-URI; the cause follows."""

GZIP = 31  # zlib's window bits for a gzip member
_HEAD_END = _RECORD_END = b"\r\n\r\n"  # WARC 1.1, 4; RFC 9112, 2.1
_CHUNK_SIZE = 65_536
_OURS = re.compile(r"sha256:[0-9a-f]{64}")  # our form of a payload digest
_ALGORITHMS = {"md5", "sha1", "sha256", "sha512"}


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponseRecord:
    """A stored response. `headers` have lower-case names. `body` is as received, with its content coding."""

    url: str
    fetched_at: datetime
    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes
    payload_digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One record of a segment; `kind` is its WARC-Type. Only HTTP responses have `response`.

    `conversion` is the content of a conversion record, `tombstone` the reason why the record that was here is gone
    (tasks/lake/tombstones.py).
    """

    kind: str
    url: str | None
    offset: int
    length: int
    response: ResponseRecord | None
    conversion: bytes | None = None
    tombstone: str | None = None


def payload_digest(body: bytes) -> str:
    """Return `sha256:<hex>` of a body as received, with its content coding and without its transfer coding."""
    return f"sha256:{hashlib.sha256(body).hexdigest()}"


def read_response(segment: bytes, offset: int, length: int) -> ResponseRecord:
    """Return the response in the gzip member at this offset and length.

    Raises CorruptRecord if its digests do not match, RecordGone if it was taken down or has expired.
    """
    if (response := read_record(segment, offset, length).response) is None:
        raise CorruptRecord(f"no response record at {offset}, {length} bytes long")
    return response


def read_conversion(segment: bytes, offset: int, length: int) -> bytes:
    """Return the block of the conversion record at this offset and length; raises CorruptRecord and RecordGone."""
    if (conversion := read_record(segment, offset, length).conversion) is None:
        raise CorruptRecord(f"no conversion record at {offset}, {length} bytes long")
    return conversion


def read_record(segment: bytes, offset: int, length: int) -> Record:
    """Return the record that fills the bytes at this offset and length; raises CorruptRecord and RecordGone."""
    records = list(iter_records(segment[offset : offset + length]))
    if len(records) != 1:
        raise CorruptRecord(f"no record at {offset}, {length} bytes long")
    if cause := records[0].tombstone:
        raise RecordGone(f"the record at {offset} is gone: {cause}", cause=cause)
    return records[0]


def iter_records(segment: bytes | BinaryIO) -> Iterator[Record]:
    """Yield every record of a `.warc.gz` from any writer; raises CorruptRecord at the first damaged one."""
    stream = io.BytesIO(segment) if isinstance(segment, bytes) else segment
    for offset, length, content in _members(stream):
        try:
            yield _parse(offset, length, content)
        except (OSError, ValueError) as error:
            raise CorruptRecord(f"record at {offset}: {error}") from error


def _members(stream: BinaryIO) -> Iterator[tuple[int, int, bytes]]:
    """Yield the offset, length and content of each gzip member, its checksum verified."""
    offset, unread = 0, stream.read(_CHUNK_SIZE)
    while unread:
        inflater, parts, length = isal_zlib.decompressobj(GZIP), [], 0
        while not inflater.eof:
            if not unread:
                raise CorruptRecord(f"cut short in the record at {offset}")
            try:
                parts.append(inflater.decompress(unread))
            except isal_zlib.error as error:  # type: ignore[misc]  # its stub calls the class an instance
                raise CorruptRecord(f"record at {offset}: {error}") from error
            length += len(unread) - len(inflater.unused_data)
            unread = inflater.unused_data or stream.read(_CHUNK_SIZE)
        yield offset, length, b"".join(parts)
        offset += length


def _parse(offset: int, length: int, content: bytes) -> Record:
    records = iter(ArchiveIterator(io.BytesIO(content), parse_http=False, max_header_len=len(content)))
    record = next(records, None)
    if record is None:
        raise ValueError("no WARC record")
    kind = record.headers.get("WARC-Type") or "unknown"
    url = (record.headers.get("WARC-Target-URI") or "").strip("<>") or None
    promised = record.content_length
    if (block := _only_block(content, promised)) is None:
        block = record.reader.read()
        if len(block) != promised:
            raise ValueError(f"{len(block)} bytes of {promised}")
        if next(records, None) is not None:
            raise ValueError("several records in one gzip member")
    if not is_digest_of(record.headers.get("WARC-Block-Digest"), block):
        raise ValueError("the block digest does not match")
    is_http = (record.headers.get("Content-Type") or "").startswith("application/http")
    response = _parse_response(url, record, block) if kind == "response" and url and is_http else None
    conversion = block if kind == "conversion" else None
    tombstone = url.removeprefix(TOMBSTONE) if kind == "metadata" and url and url.startswith(TOMBSTONE) else None
    return Record(
        kind=kind,
        url=url,
        offset=offset,
        length=length,
        response=response,
        conversion=conversion,
        tombstone=tombstone,
    )


def _only_block(content: bytes, size: int) -> bytes | None:
    """Return the block of a member that holds one well-formed record: a slice, without the cost of fastwarc's reader."""
    start = content.find(_HEAD_END) + len(_HEAD_END)
    return content[start : start + size] if content[start + size :] == _RECORD_END else None


def _parse_response(url: str, record: WarcRecord, block: bytes) -> ResponseRecord:
    again = WarcRecord()
    again.init_headers(record.record_type)
    again.is_http = True
    start = _head_length(block)
    again.set_bytes_content(block[:start])
    again.parse_http(max_header_len=start + 1)
    status = again.http_headers.status_code
    body = block[start:] if start < len(block) else again.reader.read()
    if status is None:
        raise ValueError("not HTTP")
    digest = record.headers.get("WARC-Payload-Digest")
    headers = tuple(
        (name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in again.http_headers.items_bytes()
    )
    plain = _without_chunks(headers, body)
    if not (is_digest_of(digest, body) or is_digest_of(digest, plain)):
        raise ValueError("the payload digest does not match")
    return ResponseRecord(
        url=url,
        fetched_at=datetime.fromisoformat(record.headers.get("WARC-Date") or "").astimezone(UTC),
        status=status,
        headers=headers,
        body=plain,
        payload_digest=digest if digest and plain is body and _OURS.fullmatch(digest) else payload_digest(plain),
    )


def _head_length(block: bytes) -> int:
    """Return the length of an HTTP head whose lines all end with CRLF; otherwise that of the whole block."""
    length = block.find(_HEAD_END) + len(_HEAD_END)
    head = block[:length]
    is_plain = length >= len(_HEAD_END) and head.count(b"\n") == head.count(b"\r\n")
    return length if is_plain else len(block)


def _without_chunks(headers: tuple[tuple[str, str], ...], body: bytes) -> bytes:
    """Remove the chunked transfer coding, which other writers keep (ours does not)."""
    if ("transfer-encoding", "chunked") not in headers:
        return body
    try:
        return ChunkedReader(io.BytesIO(body)).read(len(body))
    except OSError:
        return body  # some writers remove the chunked coding and keep the header


def is_digest_of(digest: str | None, content: bytes) -> bool:
    """Whether a labelled digest, in hex or base32, matches the content; an unknown algorithm counts as a match."""
    algorithm, _, value = (digest or "").partition(":")
    algorithm = algorithm.lower().replace("-", "")
    if algorithm not in _ALGORITHMS:
        return True
    known = hashlib.new(algorithm, content, usedforsecurity=False).digest()
    return value.lower() == known.hex() or value.upper().rstrip("=") == base64.b32encode(known).decode().rstrip("=")
