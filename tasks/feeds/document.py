"""The metadata of a document that may announce articles: its Content-Type, URL and fetch time. Pure."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A document without its body: its Content-Type; `url` is the final URL, `now` is aware UTC.

    `own_urls` are the URLs that its source lists in the catalogue.
    """

    content_type: str | None
    url: str
    now: datetime
    own_urls: tuple[str, ...] = ()
