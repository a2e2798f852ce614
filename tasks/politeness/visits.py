"""Visits: one URL to request under its source's rules, and the result of that. Pure."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from tasks.config.catalogue import SourceRules
from tasks.errors import ItemError
from tasks.politeness.rights.documents import SiteDocument
from tasks.values.rights import NO_OBEDIENCE, Obedience
from tasks.values.rows import Signal
from tasks.values.url import Url
from tasks.web.exchange import Exchange

NEVER = datetime.min.replace(tzinfo=UTC)
"""When a URL was asked that was not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """One URL to request, once, under its source's rules; `key` is the caller's name for it.

    With `is_article`, what its site's documents say of it is looked up, and obeyed as its own rules and those of the owners
    of the hosts on its way say. `announced_rights` is the licence that its feed gave with it.

    The client returns it with its result filled in:

    field | value
    `deferred_until` | the instant until which its host requires a wait; None if it was asked, and nothing else then
    `asked_at` | when it was asked, aware UTC
    `fetched` | the answer, of any status; None if there is none
    `error` | why it is not a page; None if it is one
    `rights` | what its feed and the site's `documents` say of the page
    `obeyed` | how the page's own refusals are to be taken
    """

    key: str
    url: Url
    rules: SourceRules
    accept: str | None = None
    etag: str | None = None
    last_modified: str | None = None
    max_wire_size: int | None = None
    max_decoded_size: int | None = None
    is_article: bool = False
    announced_rights: str | None = None
    deferred_until: datetime | None = None
    asked_at: datetime = NEVER
    fetched: Exchange | None = None
    error: ItemError | None = None
    rights: tuple[Signal, ...] = ()
    documents: tuple[SiteDocument, ...] = ()
    obeyed: Obedience = NO_OBEDIENCE


Take = Callable[[Visit], object]
"""Takes a visit with its result; if it returns an awaitable, there are only as many requests as there is room for."""
