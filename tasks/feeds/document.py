"""One document that may announce articles: its bytes, its label, where it is and when it was fetched. Pure."""

from dataclasses import dataclass
from datetime import datetime

from tasks.errors import BadContentEncoding, BodyTruncated, DecompressionBomb, NotAFeed
from tasks.feeds.xml_tree import xml_text
from tasks.web.decoding import decode_body, decode_prefix

MAX_SIZE = 50_000_000
"""Bytes of a document, unpacked (sitemaps.org: 50 MB)."""

START_SIZE = 65_536
"""Bytes from which a format is recognised."""

_GZIP_MAGIC = b"\x1f\x8b"
_MAX_UNPACKINGS = 2  # some servers compress what is compressed already


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A body whose content coding is undone, with its Content-Type; `url` is where it was in the end, `now` is aware UTC.

    `own_urls` are what its source names in the catalogue.
    """

    body: bytes
    content_type: str | None
    url: str
    now: datetime
    own_urls: tuple[str, ...] = ()

    @property
    def start(self) -> str:
        """The beginning as text, cut before a tag, so that no character is torn."""
        cut = self.body.rfind(b"<", 0, START_SIZE) if len(self.body) > START_SIZE else -1
        return xml_text(self.body[: cut if cut > 0 else START_SIZE], self.content_type)


def unpacked(body: bytes, *, url: str) -> tuple[bytes, tuple[str, ...]]:
    """Undo gzip, which a file is by its first bytes, whatever its name; return what is in it, and doubts.

    `.xml.gz` may have been unpacked on its way. Raises NotAFeed for more than 50 MB.
    """
    doubts: tuple[str, ...] = ()
    for _ in range(_MAX_UNPACKINGS):
        if not body.startswith(_GZIP_MAGIC):
            break
        try:
            body = decode_body(body, "gzip", max_size=MAX_SIZE)
        except BodyTruncated:
            doubts = ("gzip stream ends early",)
            body = decode_prefix(body, "gzip", max_size=MAX_SIZE)
        except DecompressionBomb as error:
            raise NotAFeed(f"more than {MAX_SIZE:,} bytes when unpacked at {url}") from error
        except BadContentEncoding as error:
            raise NotAFeed(f"corrupt gzip at {url}") from error
    return body[:MAX_SIZE], doubts
