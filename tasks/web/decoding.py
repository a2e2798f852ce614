"""Decode content codings within size limits. Pure except for the thread of `decode_aside`; no HTTP library.

A few hundred bytes can expand to a gigabyte. So input is fed in small slices and output taken in small chunks: memory
never holds more than `max_size` plus one chunk.
"""

import asyncio
from collections.abc import Callable, Generator, Iterator
from io import BytesIO
from itertools import chain
from typing import Protocol

import brotli
import zstandard
from isal import isal_zlib

from tasks.errors import BadContentEncoding, BodyTooLarge, BodyTruncated, DecompressionBomb
from tasks.web.headers import capped
from tasks.web.sniffing import is_text

MAX_CODINGS = 2
MAX_MEMBERS = 10_000
"""Gzip members or zstd frames per body. Each needs a new decoder, so millions of empty ones are an attack."""

DECODED_AT_ONCE_SIZE = 64 * 1024
"""For coded bodies up to this size, a thread costs more than decoding. A bomb of this size takes a few ms per MB."""

_CHUNK_SIZE = 65_536
_SLICE_SIZE = 4096
_ZSTD_SLICE_SIZE = 64  # zstandard does not limit output: a block of 4 bytes yields 128 KiB, so this slice at most 2 MiB
_ZSTD_MAX_WINDOW_SIZE = 8 * 1024 * 1024  # the largest window for the content coding (RFC 9659)

GZIP_MAGIC = b"\x1f\x8b"
_GZIP_RESERVED = 0xE0  # of the flags
_ZLIB_MAGICS = (b"x\x01", b"x\x5e", b"x\x9c", b"x\xda")
_ZSTD_MAGICS = (b"\x28\xb5\x2f\xfd", *(bytes([nibble, 0x2A, 0x4D, 0x18]) for nibble in range(0x50, 0x60)))
_MAGICS = {"gzip": (GZIP_MAGIC,), "zstd": _ZSTD_MAGICS[:1], "deflate": _ZLIB_MAGICS}
MAGIC_SIZE = 4
"""Bytes that `coding_of` needs."""

# not codings, but seen in practice without effect: charsets, transfer terms, S3's upload framing
_MEANINGLESS = frozenset({"", "identity", "none", "binary", "8bit", "utf-8", "utf8", "aws-chunked"})


class _Truncated(Exception):
    """The stream ends before its end mark: BodyTruncated, or the end of a prefix."""


class _ZlibObject(Protocol):
    """The type of `isal_zlib.decompressobj`, which has no public name."""

    @property
    def eof(self) -> bool: ...
    @property
    def unconsumed_tail(self) -> bytes: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, max_length: int, /) -> bytes: ...


Decoder = Callable[[bytes], Iterator[bytes]]


class Decode(Protocol):
    """The signature of the decoding functions."""

    def __call__(self, body: bytes, content_encoding: str | None, *, max_size: int) -> bytes: ...


def decode_body(body: bytes, content_encoding: str | None, *, max_size: int) -> bytes:
    """Return the body with its content codings decoded, the last applied first (RFC 9110, 8.4).

    A body that is plain despite its gzip or zstd label is returned unchanged. `max_size` is in bytes and applies at
    every step. Raises DecompressionBomb above it (BodyTooLarge if nothing was coded), BodyTruncated if a stream ends
    early, BadContentEncoding for an unknown coding, more than two, or an invalid stream.
    """
    for decoder in _decoders(content_encoding):
        try:
            body = _join(decoder(body), max_size)
        except _Truncated as error:
            raise BodyTruncated(f"the {content_encoding} stream ends early, after {len(body)} bytes") from error
    if len(body) > max_size:
        raise BodyTooLarge(f"{len(body)} bytes; the limit is {max_size}")
    return body


def coding_of(start: bytes) -> str | None:
    """Return the coding that a body's first MAGIC_SIZE bytes show, whatever its headers. Brotli has no magic number."""
    return next((name for name, magics in _MAGICS.items() if start.startswith(magics)), None)


def decode_received(body: bytes, content_encoding: str | None, *, max_size: int) -> bytes:
    """Return the body without its actual codings, whatever the header says. Raises the errors of `decode_body`.

    A coding that is named but absent is ignored. One that is present is decoded even if it is unnamed or misnamed.
    """
    try:
        plain = decode_body(body, content_encoding, max_size=max_size)
    except (BadContentEncoding, BodyTruncated):
        if coding := coding_of(body):
            return decode_body(body, coding, max_size=max_size)
        if not is_text(body):
            raise
        plain = decode_body(body, None, max_size=max_size)
    try:
        return decode_body(plain, coding_of(plain), max_size=max_size)
    except (BadContentEncoding, BodyTruncated):
        return plain  # only its first bytes looked coded, or it is a file that its reader may read in part


def decode_received_prefix(body: bytes, content_encoding: str | None, *, max_size: int) -> bytes:
    """Return at most the first `max_size` bytes of `decode_received`'s result. Raises only BadContentEncoding."""
    try:
        plain = decode_prefix(body, content_encoding, max_size=max_size)
    except BadContentEncoding:
        if coding := coding_of(body):
            return decode_prefix(body, coding, max_size=max_size)
        if not is_text(body):
            raise
        plain = body[:max_size]
    try:
        return decode_prefix(plain, coding_of(plain), max_size=max_size)
    except BadContentEncoding:
        return plain


def decode_prefix(body: bytes, content_encoding: str | None, *, max_size: int) -> bytes:
    """Return at most the first `max_size` decoded bytes of a body that may be truncated. Raises only BadContentEncoding."""
    for decoder in _decoders(content_encoding):
        out = BytesIO()
        try:
            for chunk in decoder(body):
                out.write(chunk)
                if out.tell() >= max_size:
                    break
        except _Truncated:
            pass  # a prefix was requested
        body = out.getvalue()
    return body[:max_size]


async def decode_aside(decode: Decode, body: bytes, content_encoding: str, *, max_size: int) -> bytes:
    """Decode a body, a large one in a thread, so that other hosts are served meanwhile."""
    if len(body) <= DECODED_AT_ONCE_SIZE:
        return decode(body, content_encoding, max_size=max_size)
    return await asyncio.to_thread(decode, body, content_encoding, max_size=max_size)


def _decoders(content_encoding: str | None) -> list[Decoder]:
    names = [name.strip().lower() for name in capped(content_encoding).split(",")]
    names = [name for name in names if name not in _MEANINGLESS]
    if len(names) > MAX_CODINGS:
        raise BadContentEncoding(f"{len(names)} content codings; the limit is {MAX_CODINGS}")
    for name in names:
        if name not in _DECODERS:
            raise BadContentEncoding(f"unknown content coding {name[:40]!r}")
    return [_DECODERS[name] for name in reversed(names)]


def _join(chunks: Iterator[bytes], max_size: int) -> bytes:
    out = BytesIO()  # getvalue() shares its buffer, while joining a list would hold everything twice
    for chunk in chunks:
        if out.tell() + len(chunk) > max_size:
            raise DecompressionBomb(f"more than {max_size} bytes when decoded")
        out.write(chunk)
    return out.getvalue()


def _slices(body: bytes, size: int) -> Iterator[bytes]:
    for start in range(0, len(body), size):
        yield body[start : start + size]


def _gzip(body: bytes) -> Iterator[bytes]:
    """Decode gzip, one member after another. Trailing data is ignored as padding, as gzip(1) does (RFC 1952, 2.2)."""
    if not body.startswith(GZIP_MAGIC):
        yield from _slices(body, _CHUNK_SIZE)
        return
    start = 0
    for _ in range(MAX_MEMBERS):
        if len(body) > start + 3 and body[start + 3] & _GZIP_RESERVED:  # isal does not check them (RFC 1952, 2.3.1.2)
            raise BadContentEncoding("corrupt: unknown header flags set")
        start = yield from _inflate(body, start, isal_zlib.decompressobj(isal_zlib.MAX_WBITS | 16))
        if not body.startswith(GZIP_MAGIC, start):
            return
    raise BadContentEncoding(f"more than {MAX_MEMBERS} gzip members")


def _deflate(body: bytes) -> Iterator[bytes]:
    """Decode deflate: the zlib format of the standard, or the raw stream that many servers send instead."""
    # zlib's two header bytes, read as a number, are a multiple of 31 (RFC 1950, 2.2)
    has_header = len(body) >= 2 and body[0] & 0x0F == 8 and int.from_bytes(body[:2], "big") % 31 == 0
    if body:
        yield from _inflate(
            body, 0, isal_zlib.decompressobj(isal_zlib.MAX_WBITS if has_header else -isal_zlib.MAX_WBITS)
        )


def _inflate(body: bytes, start: int, decoder: _ZlibObject) -> Generator[bytes, None, int]:
    """Yield one stream's chunks and return the position after it."""
    position = start
    while not decoder.eof:
        pending = body[position : position + _SLICE_SIZE]
        if not pending:
            raise _Truncated
        position += len(pending)
        chunk = b""
        # after a full chunk, more output may follow even if all input is consumed
        while (pending or len(chunk) == _CHUNK_SIZE) and not decoder.eof:
            try:
                chunk = decoder.decompress(pending, _CHUNK_SIZE)
            except isal_zlib.error as error:  # type: ignore[misc]  # its stub calls the class an instance
                raise BadContentEncoding(f"corrupt: {error}") from error
            yield chunk
            pending = decoder.unconsumed_tail
    return position - len(decoder.unused_data)


def _brotli(body: bytes) -> Iterator[bytes]:
    """Decode brotli. Data after its end is ignored, as in browsers."""
    decoder, consumed, made = brotli.Decompressor(), 0, 0
    for piece in _slices(body, _SLICE_SIZE):
        try:
            for chunk in _unbrotlied(decoder, piece):
                yield chunk
                made += len(chunk)
        except BadContentEncoding:  # the decoder also raises this for data after the end
            yield from _end_of_brotli(body, consumed, made)
            return
        if decoder.is_finished():
            return
        consumed += len(piece)
    if body:
        raise _Truncated


def _end_of_brotli(body: bytes, consumed: int, made: int) -> Iterator[bytes]:
    """Decode again, the slice at `consumed` byte by byte, to find the end before the data that follows it.

    `made` bytes of the output were already returned.
    """
    decoder = brotli.Decompressor()
    for piece in chain(_slices(body[:consumed], _SLICE_SIZE), _slices(body[consumed : consumed + _SLICE_SIZE], 1)):
        for chunk in _unbrotlied(decoder, piece):
            yield chunk[max(0, made) :]
            made -= len(chunk)
        if decoder.is_finished():
            return


def _unbrotlied(decoder: brotli.Decompressor, piece: bytes) -> Iterator[bytes]:
    pending, chunk = piece, b""
    while pending or chunk or not decoder.can_accept_more_data():
        try:
            chunk = decoder.process(pending, output_buffer_limit=_CHUNK_SIZE)
        except brotli.error as error:
            raise BadContentEncoding(f"corrupt: {error}") from error
        yield chunk
        pending = b""


def _zstd(body: bytes) -> Iterator[bytes]:
    """Decode zstd, one frame after another. Skippable frames yield nothing (RFC 8878, 3.1.2)."""
    if not body.startswith(_ZSTD_MAGICS):
        yield from _slices(body, _CHUNK_SIZE)
        return
    decompressor = zstandard.ZstdDecompressor(max_window_size=_ZSTD_MAX_WINDOW_SIZE)
    start = 0
    for _ in range(MAX_MEMBERS):
        start = yield from _zstd_frame(body, start, decompressor)
        if not body.startswith(_ZSTD_MAGICS, start):
            return
    raise BadContentEncoding(f"more than {MAX_MEMBERS} zstd frames")


def _zstd_frame(body: bytes, start: int, decompressor: zstandard.ZstdDecompressor) -> Generator[bytes, None, int]:
    decoder = decompressor.decompressobj()
    position = start
    while not decoder.eof:
        pending = body[position : position + _ZSTD_SLICE_SIZE]
        if not pending:
            raise _Truncated
        position += len(pending)
        try:
            yield decoder.decompress(pending)
        except zstandard.ZstdError as error:
            raise BadContentEncoding(f"corrupt: {error}") from error
    return position - len(decoder.unused_data)


_DECODERS: dict[str, Decoder] = {
    "gzip": _gzip,
    "x-gzip": _gzip,
    "deflate": _deflate,
    "br": _brotli,
    "zstd": _zstd,
}
