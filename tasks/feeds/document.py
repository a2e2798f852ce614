"""One document that may announce articles: its bytes, its label, where it is and when it was fetched. Pure."""

from dataclasses import dataclass
from datetime import datetime


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
