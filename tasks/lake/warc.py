"""Write WARC 1.1 segments: HTTP exchanges into bytes (ISO 28500:2017). No I/O; tasks/lake/records.py reads them.

A segment has a warcinfo record; then for each exchange a response (or revisit) and its request, and the conversion of a
page, if there is one. Each record is one gzip member, so that it can be read by offset and length. The output is
deterministic.
"""

import io
import ipaddress
import re
import uuid
import zlib
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import BinaryIO
from urllib.parse import quote

from isal import isal_zlib

from tasks.errors import BadResponse, BadUrl
from tasks.lake.records import GZIP, RENDITION_TYPE, payload_digest
from tasks.values.url import MAX_URL_LENGTH

# by default, fastwarc gives up on a whole file if one record's headers exceed 32 KiB
MAX_HEAD_SIZE = 30_000

_NAMESPACE = uuid.UUID("6f8b1c52-3a0e-5d0f-9c7e-2b1d6a4e9f30")
_SMALL_SIZE = 4096
_STATUS_LINE = re.compile(rb"HTTP/\d(?:\.\d)? +(\d{3})(?: .*)?")
_REQUEST_LINE = re.compile(rb"[A-Z]+ \S.* HTTP/\d(?:\.\d)?")
_CODED = re.compile(rb"\r\ncontent-encoding: *(?:gzip|br|zstd|deflate)\r\n", re.IGNORECASE)
_CONTROL, _END_SIZE = re.compile(rb"[\x01-\x08\x0e-\x1a]"), 1024  # binary data has many of them
_TOKEN = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_PRINTABLE = "".join(map(chr, range(0x21, 0x7F)))
_KEPT_FIELDS = {b"content-type", b"content-encoding"}
Field = tuple[bytes, bytes]


class RevisitProfile(StrEnum):
    """Why a capture has no payload of its own (WARC 1.1, 6.7)."""

    SERVER_NOT_MODIFIED = "http://netpreserve.org/warc/1.1/revisit/server-not-modified"
    IDENTICAL_PAYLOAD = "http://netpreserve.org/warc/1.1/revisit/identical-payload-digest"


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordRef:
    """Offset and length of a record's gzip member in its segment (bytes), its payload digest, and its WARC-Record-ID."""

    offset: int
    length: int
    payload_digest: str | None
    record_id: str


class SegmentWriter:
    """Makes one segment, in memory or in an empty file, `out`.

    Its bytes depend on `created_at` and the exchanges alone.
    """

    def __init__(self, key: str, *, software: str, created_at: datetime, out: BinaryIO | None = None) -> None:
        self._key = key
        self._records = 0
        self._out = out or io.BytesIO()
        about = f"software: {software}\r\nformat: WARC File Format 1.1\r\n".encode()
        named = [("WARC-Filename", key.rpartition("/")[2]), ("Content-Type", "application/warc-fields")]
        self._write("warcinfo", named, about, created_at)

    @property
    def size(self) -> int:
        """The segment's bytes so far."""
        return self._out.tell()

    @property
    def is_empty(self) -> bool:
        """Whether it holds no exchange yet."""
        return self._records <= 1

    def add_exchange(
        self, *, url: str, request_head: bytes, response_head: bytes, body: bytes, fetched_at: datetime,
        address: str | None = None,
    ) -> RecordRef:  # fmt: skip
        """Add a response as received and its request (none for an empty head).

        `body` has its content coding, but no transfer coding: that header is renamed, and Content-Length is corrected.
        On BadUrl and BadResponse it adds nothing.
        """
        digest = payload_digest(body)
        block = _response_head(response_head, body) + body
        headers = [*_about_target(url, address), ("WARC-Payload-Digest", digest)]
        offset, length, record_id = self._add("response", headers, block, request_head, fetched_at)
        return RecordRef(offset=offset, length=length, payload_digest=digest, record_id=record_id)

    def add_revisit(
        self, *, profile: RevisitProfile, url: str, request_head: bytes, response_head: bytes, fetched_at: datetime,
        address: str | None = None, payload_digest: str | None = None, refers_to_url: str | None = None,
        refers_to_date: datetime | None = None,
    ) -> RecordRef:  # fmt: skip
        """Add a response whose payload is known: its head, and the capture that has the payload.

        IDENTICAL_PAYLOAD needs the `payload_digest`. On BadUrl and BadResponse it adds nothing.
        """
        if profile is RevisitProfile.IDENTICAL_PAYLOAD and payload_digest is None:
            raise ValueError(f"no payload digest for the revisit of {url}")
        headers = [*_about_target(url, address), ("WARC-Profile", profile.value)]
        if payload_digest:
            headers.append(("WARC-Payload-Digest", payload_digest))
        if refers_to_url:
            headers.append(("WARC-Refers-To-Target-URI", _clean_url(refers_to_url)))
        if refers_to_date:
            headers.append(("WARC-Refers-To-Date", _warc_date(refers_to_date)))
        head = _response_head(response_head, None)
        offset, length, record_id = self._add("revisit", headers, head, request_head, fetched_at)
        return RecordRef(offset=offset, length=length, payload_digest=payload_digest, record_id=record_id)

    def add_conversion(self, *, url: str, refers_to: str, html: bytes, rendered_at: datetime) -> RecordRef:
        """Add a rendered page as a conversion of the record with the id `refers_to` (WARC 1.1, 6.8); raises BadUrl."""
        headers = [
            ("WARC-Target-URI", _clean_url(url)),
            ("WARC-Refers-To", refers_to),
            ("Content-Type", RENDITION_TYPE),
        ]
        offset, length, record_id = self._add("conversion", headers, html, b"", rendered_at)
        return RecordRef(offset=offset, length=length, payload_digest=None, record_id=record_id)

    def to_bytes(self) -> bytes:
        """Return the segment so far."""
        if isinstance(self._out, io.BytesIO):
            return self._out.getvalue()
        self._out.seek(0)
        return self._out.read()

    def _add(
        self, kind: str, headers: list[tuple[str, str]], block: bytes, request_head: bytes, fetched_at: datetime
    ) -> tuple[int, int, str]:
        """Write the record and its request; returns the record's offset, length and id."""
        request = _head(_REQUEST_LINE, request_head) if request_head else b""
        offset = self.size
        record_id = self._write(kind, headers, block, fetched_at)
        length = self.size - offset
        if request:
            # same target and address as the response, another content type, no payload digest
            target = [pair for pair in headers if pair[0] in {"WARC-Target-URI", "WARC-IP-Address"}]
            about = [("Content-Type", "application/http;msgtype=request"), ("WARC-Concurrent-To", record_id)]
            self._write("request", [*target, *about], request, fetched_at)
        return offset, length, record_id

    def _write(self, kind: str, headers: list[tuple[str, str]], block: bytes, at: datetime) -> str:
        date, digest = _warc_date(at), payload_digest(block)
        identity = "\n".join([self._key, str(self._records), kind, date, digest])
        record_id = f"<urn:uuid:{uuid.uuid5(_NAMESPACE, identity)}>"
        every = [
            ("WARC-Type", kind),
            ("WARC-Record-ID", record_id),
            ("WARC-Date", date),
            *headers,
            ("WARC-Block-Digest", digest),
            ("Content-Length", str(len(block))),
        ]
        head = "".join(f"{name}: {value}\r\n" for name, value in every)
        record = b"".join((f"WARC/1.1\r\n{head}\r\n".encode("ascii"), block, b"\r\n\r\n"))
        self._out.write(_member(record, block))
        self._records += 1
        return record_id


def _member(record: bytes, block: bytes) -> bytes:
    """Return a record's gzip member.

    A block that is compressed already is stored as it is: it would not shrink, and reading it back takes 3 microseconds
    per page instead of 117. For the rest, zlib's level 4 makes a page 8 % smaller than ISA-L, at two and a half times
    the CPU.
    """
    if len(block) < _SMALL_SIZE:
        return isal_zlib.compress(record, 1, GZIP)
    return zlib.compress(record, 0, GZIP) if _is_compressed(block) else isal_zlib.compress(record, 3, GZIP)


def _is_compressed(block: bytes) -> bool:
    """Whether a response declares a content coding and its body is indeed binary."""
    is_labelled = _CODED.search(block, 0, MAX_HEAD_SIZE) is not None
    return is_labelled and _CONTROL.search(block, len(block) - _END_SIZE) is not None


def _about_target(url: str, address: str | None) -> list[tuple[str, str]]:
    headers = [("WARC-Target-URI", _clean_url(url)), ("Content-Type", "application/http;msgtype=response")]
    if address:
        headers.append(("WARC-IP-Address", str(ipaddress.ip_address(address.partition("%")[0]))))
    return headers


def _clean_url(url: str) -> str:
    """Return the URL without any character that could end its header line; raises BadUrl if it is too long."""
    clean = quote(url, safe=_PRINTABLE, errors="replace")
    if len(clean) > MAX_URL_LENGTH:
        raise BadUrl(f"{len(clean)} characters: {clean[:200]}")
    return clean


def _warc_date(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def _response_head(head: bytes, body: bytes | None) -> bytes:
    """Return the head, corrected for the body as stored; the original fields are kept under `X-Presslake-`."""
    return _head(_STATUS_LINE, head, body)


def _head(first_line: re.Pattern[bytes], head: bytes, body: bytes | None = None) -> bytes:
    first, *lines = _lines(head) or [b""]
    if not first_line.fullmatch(first):
        raise BadResponse(f"not the first line of an HTTP message: {first[:100]!r}")
    if first.startswith((b"HTTP/2", b"HTTP/3")):
        first = b"HTTP/1.1" + first[first.index(b" ") :]
    fields = _fitted(_framed(_fields(lines), body))
    return b"".join([first, b"\r\n", *(name + b": " + value + b"\r\n" for name, value in fields), b"\r\n"])


def _lines(head: bytes) -> list[bytes]:
    """Return the head's lines, unfolded; a bare CR and a NUL become spaces (RFC 9112, 2.2 and 5.2)."""
    plain = head.replace(b"\r\n", b"\n").replace(b"\r", b" ").replace(b"\0", b" ")
    unfolded = re.sub(rb"\n[ \t]+(?=\S)", b" ", plain)
    return [line.strip() for line in unfolded.split(b"\n") if line.strip()]


def _fields(lines: list[bytes]) -> list[Field]:
    fields = []
    for line in lines:
        name, colon, value = line.partition(b":")
        name = name.rstrip(b" \t")  # as readers do (RFC 9112, 5.1)
        well_formed = colon and _TOKEN.fullmatch(name)
        fields.append((name, value.strip()) if well_formed else (b"X-Presslake-Malformed", line))
    return fields


def _framed(fields: list[Field], body: bytes | None) -> list[Field]:
    """Rename the Transfer-Encoding field, since the coding was removed, and a wrong Content-Length, and add the right length."""
    true = str(len(body)).encode() if body is not None else None
    is_coded = any(name.lower() == b"transfer-encoding" for name, _ in fields)
    lengths = [value for name, value in fields if name.lower() == b"content-length"]
    is_false = true is not None and (is_coded or lengths not in ([], [true]))
    untrue = {b"transfer-encoding"} | ({b"content-length"} if is_false else set())
    framed = [(b"X-Presslake-" + name if name.lower() in untrue else name, value) for name, value in fields]
    return [*framed, (b"Content-Length", true)] if true is not None and is_false else framed


def _fitted(fields: list[Field]) -> list[Field]:
    """Drop the longest fields of a head that is too long for readers, and add a field with their number."""
    if sum(len(name) + len(value) + 4 for name, value in fields) <= MAX_HEAD_SIZE:
        return fields
    ranked = sorted(fields, key=lambda field: (field[0].lower() not in _KEPT_FIELDS, len(field[0]) + len(field[1])))
    room, kept = MAX_HEAD_SIZE, set()
    for field in ranked:
        room -= len(field[0]) + len(field[1]) + 4
        if room < 0:
            break
        kept.add(field)
    fitted = [field for field in fields if field in kept]
    return [*fitted, (b"X-Presslake-Dropped-Fields", str(len(fields) - len(fitted)).encode())]
