"""Turn a record into the page that it holds, or the reason why it holds none. Pure."""

import hashlib
import io
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from ipaddress import ip_address

from fastwarc.stream_io import ChunkedReader

from tasks.backfill.records import ArchivedRecord, RecordHead
from tasks.errors import BadContentEncoding
from tasks.fetch.capture import is_page
from tasks.lake.records import is_digest_of
from tasks.web.decoding import decode_prefix
from tasks.web.headers import media_type
from tasks.web.sniffing import SNIFFED_SIZE

MAX_HEAD_SIZE = 100_000
"""The longest response head, in bytes."""

EARLIEST = datetime(1990, 1, 1, tzinfo=UTC)

_HEAD_END = re.compile(rb"\r?\n\r?\n")
_STATUS = re.compile(rb"HTTP/\d(?:\.\d)? +(\d{3})(?: |\r?$|$)")


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchivedPage:
    """A page of an archive: its response as received, but without transfer coding.

    `address` is the server's, `missing` the note on an incomplete body.
    """

    capture_id: str
    url: str
    fetched_at: datetime
    offset: int
    head: bytes
    body: bytes
    mime: str | None
    address: str | None
    missing: str | None
    etag: str | None
    last_modified: str | None


class NoPage(Exception):
    """A record holds no page; `reason` is counted. `is_fault` says that something is wrong with it."""

    def __init__(self, reason: str, *, is_fault: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.is_fault = is_fault


def capture_id_of(head: RecordHead) -> str:
    """Return the id of a record's capture, which is the same for the same record in any archive."""
    named = "\n".join(head.fields.get(name, "") for name in ("warc-record-id", "warc-date", "warc-target-uri"))
    return hashlib.sha256(named.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def fetched_at_of(head: RecordHead, *, now: datetime) -> datetime:
    """Return when a record was fetched; raises NoPage for a date that is invalid or impossible."""
    try:
        at = datetime.fromisoformat(head.fields.get("warc-date", ""))
        at = at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except (ValueError, OverflowError):
        raise NoPage("bad_date", is_fault=True) from None
    if not EARLIEST <= at <= now:
        raise NoPage("bad_date", is_fault=True)
    return at


def check_kind(head: RecordHead, *, max_size: int) -> None:
    """Raise NoPage for a record that is not a response, or is too long."""
    if head.kind == "revisit":
        raise NoPage("revisit")  # its payload is in another record
    if head.kind != "response":
        raise NoPage("no_response")
    if head.length > max_size:
        raise NoPage("too_large")


def page_of(record: ArchivedRecord, *, now: datetime) -> ArchivedPage:
    """Return the page of a response; raises NoPage."""
    head, block = record.head, record.block or b""
    if not is_digest_of(head.fields.get("warc-block-digest"), block):
        raise NoPage("damaged", is_fault=True)
    end = _HEAD_END.search(block, 0, MAX_HEAD_SIZE)
    status = _STATUS.match(block)
    if end is None or status is None:
        raise NoPage("not_http")
    if status[1] != b"200":
        raise NoPage(f"http_{int(status[1])}")
    response_head, body = block[: end.end()], block[end.end() :]
    fields = _fields(response_head)
    body = _without_chunks(fields, body)
    kind = media_type(fields.get("content-type"))
    if not is_page(kind, _start(body, fields.get("content-encoding"))):
        raise NoPage("not_html")
    cut = head.fields.get("warc-truncated")
    return ArchivedPage(
        capture_id=capture_id_of(head),
        url=head.url,
        fetched_at=fetched_at_of(head, now=now),
        offset=head.offset,
        head=response_head,
        body=body,
        mime=kind,
        address=_address(head.fields.get("warc-ip-address")),
        missing=f"according to the archive ({cut[:40]})" if cut else None,
        etag=fields.get("etag"),
        last_modified=fields.get("last-modified"),
    )


def _address(text: str | None) -> str | None:
    try:
        return str(ip_address(text.partition("%")[0])) if text else None
    except ValueError:
        return None


def _fields(head: bytes) -> dict[str, str]:
    fields: dict[str, str] = {}
    for line in head.decode("latin-1").splitlines()[1:]:
        name, _, value = line.partition(":")
        fields.setdefault(name.strip().lower(), value.strip())
    return fields


def _without_chunks(fields: dict[str, str], body: bytes) -> bytes:
    """Remove the chunked coding if the body has it: some writers remove it and keep the header."""
    if "chunked" not in fields.get("transfer-encoding", "").lower():
        return body
    try:
        return bytes(ChunkedReader(io.BytesIO(body)).read(len(body)))
    except OSError:
        return body


def _start(body: bytes, coding: str | None) -> bytes:
    """Return the first bytes of the page, whether or not the body still has its content coding."""
    try:
        return decode_prefix(body, coding, max_size=SNIFFED_SIZE)
    except BadContentEncoding:
        return body[:SNIFFED_SIZE]
