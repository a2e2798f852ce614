"""What is said of a document that may announce articles: its label, where it is and when it was fetched. Pure."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A document beside its body: its Content-Type; `url` is where it was in the end, `now` is aware UTC.

    `own_urls` are what its source names in the catalogue.
    """

    content_type: str | None
    url: str
    now: datetime
    own_urls: tuple[str, ...] = ()
