"""What a body is by its first bytes, whatever it is called. Pure.

Servers label pages as anything: what a browser would show as a page is one.
"""

import re

SNIFFED_SIZE = 65_536
"""Bytes that are looked at: some pages begin with a comment of many kB."""

_BOM_AND_SPACE = b"\xef\xbb\xbf \t\r\n\x0c"
_OTHERS = (b"%pdf-", b"\x89png", b"\xff\xd8\xff", b"pk\x03\x04", b"gif8", b"\x1f\x8b")
_TAG = re.compile(rb"<(?:!doctype\s+html|html|head|body)(?=[\s>/])", re.IGNORECASE)
_XML_START = b"<?"
_COMMENT = b"<!--"


def is_html(start: bytes) -> bool:
    """Whether the first bytes are an HTML page's: its document type or one of its outer elements, after comments."""
    return _TAG.match(_without_prolog(start)) is not None


def is_other(start: bytes) -> bool:
    """Whether the first bytes are those of a picture, a PDF or an archive."""
    return start[:64].lstrip(_BOM_AND_SPACE).lower().startswith(_OTHERS)


def is_markup(start: bytes) -> bool:
    """Whether the first bytes are text that begins with a tag: no content coding is left in them."""
    bare = start[:SNIFFED_SIZE].lstrip(_BOM_AND_SPACE)
    return bare.startswith(b"<") and b"\x00" not in bare[:1024]


def _without_prolog(start: bytes) -> bytes:
    """Return the bytes after white space, comments and processing instructions; nothing where one of them never ends."""
    rest = start[:SNIFFED_SIZE].lstrip(_BOM_AND_SPACE)
    while True:
        end = b"-->" if rest.startswith(_COMMENT) else b">" if rest.startswith(_XML_START) else None
        if end is None:
            return rest
        _, _, rest = rest.partition(end)
        rest = rest.lstrip(_BOM_AND_SPACE)
