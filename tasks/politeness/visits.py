"""Visits: one URL to request under its source's rules, with the result. Pure."""

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
"""`asked_at` of a URL that was not requested."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """One URL to request once, under its source's rules. `key` is the caller's identifier.

    With `is_article`, the site's documents about it are looked up. They are obeyed as its own rules and those of the
    hosts' owners say. `announced_rights` is the licence that its feed declares for it.

    The client returns the visit with its result:

    field | value
    `deferred_until` | until when its host requires a wait; then it was not requested and nothing else is set
    `asked_at` | when it was requested, aware UTC
    `fetched` | the response, of any status; None if there is none
    `error` | why it is not a page; None if it is one
    `rights` | what its feed and the site's `documents` state about the page
    `obeyed` | how to treat refusals in the page itself
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
"""Takes a finished visit. If it returns an awaitable, the client waits for it (backpressure)."""
