"""What a body is by its first bytes, regardless of its label. Pure.

Servers label pages as anything. A body is a page if browsers would show it as one.
"""

import re
from codecs import getincrementaldecoder

from tasks.web.text import wide_charset

SNIFFED_SIZE = 65_536
"""Bytes that are examined: some pages start with a comment of many kB."""

# byte order marks, white space, and UTF-8 spaces that editors and template engines leave before a page
_BOM_AND_SPACE = b"\xef\xbb\xbf \t\r\n\x0c\xc2\xa0\xe2\x80\x8b"
_END = rb"(?=[\s>/])"
_OUTER = re.compile(rb"<(?:!doctype\s*html|(?:html|head|body|title|meta)" + _END + rb")", re.IGNORECASE)
# WHATWG MIME Sniffing, 7.1: further tags that make an unlabelled body a page
_INNER = re.compile(rb"<(?:!--|(?:script|style|link|iframe|h1|div|font|table|a|b|br|p)" + _END + rb")", re.IGNORECASE)
_DATA = re.compile(
    rb"<(?:[\w-]+:)?(?:rss|feed|rdf|urlset|sitemapindex|opml|svg)[\s>/]"  # feeds, sitemaps and pictures
    rb"|\{\s*[\"}]|\[\s*[\"{\]]",  # JSON
    re.IGNORECASE,
)
_SOME = 16  # bytes: fewer may be text by chance
_UNTYPED = re.compile("[\x00-\x08\x0b\x0e-\x1f\x7f-\x9f\ufffd]")  # characters that occur in no text
_MAGIC = re.compile(
    rb"%PDF-|%!PS|\x89PNG|\xff\xd8\xff|GIF8|RIFF.{4}(?:WEBP|WAVE|AVI )|II\*\x00|MM\x00\*|\x00\x00\x01\x00"  # pictures
    rb"|.{4}ftyp|ID3[\x02-\x04]\x00|\xff[\xfb\xf3\xf2]|OggS\x00|fLaC\x00|\x1aE\xdf\xa3|FLV\x01"  # sound and film
    rb"|PK(?:\x03\x04|\x05\x06)|\x1f\x8b|7z\xbc\xaf|Rar!|BZh[1-9]1AY|\xfd7zXZ\x00|\x28\xb5\x2f\xfd"  # archives
    rb"|\xd0\xcf\x11\xe0|\{\\rtf|wOF[F2]|\x7fELF|MZ\x90\x00|\x00asm|SQLite format 3",
    re.DOTALL,
)


def is_html(start: bytes) -> bool:
    """Whether the body starts like an HTML page: a doctype or an opening element, after any comments."""
    return _OUTER.match(_opening(start)) is not None


def is_fragment(start: bytes) -> bool:
    """Whether the body starts with HTML whose outer elements are missing or come after something else."""
    opening = _opening(start)
    return not is_other(start) and (_INNER.match(opening) is not None or b"<html" in opening[:1024].lower())


def is_other(start: bytes) -> bool:
    """Whether the body starts like a picture, document, sound, archive, feed or JSON."""
    return _MAGIC.match(start.lstrip(b" \t\r\n")) is not None or _DATA.match(_opening(start)) is not None


def is_text(start: bytes) -> bool:
    """Whether the body starts with UTF-8 text, or with a tag in any charset: so no content coding is left."""
    bare = _narrow(start[:1024]).lstrip(_BOM_AND_SPACE)
    if b"\x00" in bare:
        return False
    return bare.startswith(b"<") or (len(bare) >= _SOME and not _UNTYPED.search(_utf_8(bare)))


def _utf_8(start: bytes) -> str:
    """Decode UTF-8, without a partial character at the end; invalid bytes become U+FFFD."""
    return getincrementaldecoder("utf-8")("replace").decode(start)


def _narrow(start: bytes) -> bytes:
    """Convert UTF-16 to UTF-8; return everything else unchanged."""
    wide = wide_charset(start)
    return start.decode(wide, "replace").encode("utf-8", "replace") if wide else start


def _opening(start: bytes) -> bytes:
    """Return the bytes after white space, comments and processing instructions, or from an unclosed one of these."""
    rest = _narrow(start[:SNIFFED_SIZE]).lstrip(_BOM_AND_SPACE)
    while mark := next((mark for mark in (b"<!--", b"<?") if rest.startswith(mark)), None):
        end = b"-->" if mark == b"<!--" else b"?>" if b"?>" in rest[:4096] else b">"
        _, found, after = rest.partition(end)
        if not found:
            return rest
        rest = after.lstrip(_BOM_AND_SPACE)
    return rest
