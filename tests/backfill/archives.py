"""Write archives as crawlers do, for tests: WARC 1.0 and 1.1, one gzip member per record or one stream, and WACZ."""

import base64
import gzip
import hashlib
import io
import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.press import Story

DAY = datetime(2024, 3, 1, 8, tzinfo=UTC)


@dataclass(frozen=True, kw_only=True)
class Kept:
    """One record of an archive: a story's page, unless `body` is given; `headers` are the response's."""

    url: str
    story: Story | None = None
    body: bytes | None = None
    at: datetime = DAY
    status: str = "200 OK"
    headers: Sequence[tuple[str, str]] = (("Content-Type", "text/html; charset=utf-8"),)
    kind: str = "response"
    more: str = ""
    extra: tuple[tuple[str, str], ...] = ()

    @property
    def payload(self) -> bytes:
        return page(self.story, self.more) if self.body is None and self.story else self.body or b""


def page(story: Story, more: str = "") -> bytes:
    """Return a story's page, with the extra sentence `more`."""
    added = f"<p>{more}</p>" if more else ""
    return (
        f"<!doctype html><html lang=en><head><title>{story.title}</title></head><body><header><nav><a href=/>Home</a></nav></header>"
        f"<main><article><h1>{story.title}</h1>{story.html}{added}</article></main></body></html>"
    ).encode()


def story_at(number: int, *, host: str = "daily.example", at: datetime | None = None, **more) -> Kept:
    """Return a story's record; its number determines its text."""
    story = Story(site=1, number=number)
    return Kept(url=f"https://{host}{story.path}", story=story, at=at or DAY + timedelta(minutes=number), **more)


def warc(kept: Iterable[Kept], *, version: str = "1.0", is_gzip: bool = True) -> bytes:
    """Return an archive: one gzip member per record, each response with its request, digests in base32."""
    about = b"software: test\r\n"
    parts = [_record("warcinfo", about, {"WARC-Filename": "test.warc.gz"}, version)]
    for one in kept:
        target = {"WARC-Target-URI": one.url, "WARC-Date": _date(one.at, version)}
        request = f"GET / HTTP/1.1\r\nHost: {one.url.partition('://')[2].partition('/')[0]}\r\n\r\n".encode()
        parts.append(
            _record("request", request, {**target, "Content-Type": "application/http; msgtype=request"}, version)
        )
        block = one.payload if one.kind == "resource" else _response(one)
        named = {**target, "WARC-Record-ID": _identity(one), "Content-Type": "application/http; msgtype=response"}
        parts.append(_record(one.kind, block, {**named, **dict(one.extra)}, version))
    return b"".join(gzip.compress(part, mtime=0) if is_gzip else part for part in parts)


def _response(one: Kept) -> bytes:
    fields = "".join(f"{name}: {value}\r\n" for name, value in one.headers)
    return f"HTTP/1.1 {one.status}\r\n{fields}\r\n".encode() + one.payload


def _record(kind: str, block: bytes, fields: dict[str, str], version: str) -> bytes:
    digest = base64.b32encode(hashlib.sha1(block).digest()).decode()
    every = {"WARC-Type": kind, "WARC-Block-Digest": f"sha1:{digest}", **fields, "Content-Length": str(len(block))}
    head = "".join(f"{name}: {value}\r\n" for name, value in every.items())
    return f"WARC/{version}\r\n{head}\r\n".encode() + block + b"\r\n\r\n"


def in_one_stream(archive: bytes) -> bytes:
    """Return the same records in one gzip member."""
    return gzip.compress(gzip.decompress(archive), mtime=0)


def wacz(archives: dict[str, bytes], *, method: int = zipfile.ZIP_STORED) -> bytes:
    """Return a WACZ of these archives."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as container:
        container.writestr("datapackage.json", "{}")
        for name, body in archives.items():
            container.writestr(name, body)
    return out.getvalue()


def put(folder: Path, name: str, body: bytes) -> Path:
    """Write a file, and return its path."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(body)
    return path


def _identity(one: Kept) -> str:
    name = hashlib.sha256(f"{one.url}{one.at}{one.kind}".encode()).hexdigest()
    return f"<urn:uuid:{name[:8]}-{name[8:12]}-4{name[13:16]}-8{name[17:20]}-{name[20:32]}>"


def _date(at: datetime, version: str) -> str:
    timespec = "seconds" if version == "1.0" else "microseconds"
    return at.astimezone(UTC).isoformat(timespec=timespec).replace("+00:00", "Z")
