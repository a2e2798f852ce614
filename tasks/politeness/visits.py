"""Visits: one URL to request under its source's rules, and the result of that. Pure."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from tasks.config.catalogue import SourceRules
from tasks.errors import ItemError
from tasks.politeness.rights.documents import SiteDocument
from tasks.values.rights import NO_OBEDIENCE, Obedience
from tasks.values.rows import Signal
from tasks.values.url import Url
from tasks.web.exchange import Exchange


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """One URL to request, once, under its source's rules; `key` is the caller's name for it.

    With `is_article`, what its site's documents say of it is looked up, and obeyed as its own rules and those of the owners
    of the hosts on its way say. `announced_rights` is the licence that its feed gave with it.
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Deferred:
    """Not requested: the host requires a wait until then."""

    until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """The result of a visit: `fetched` where there is an answer, of any status, and `error` where it is not a page.

    `rights` is what its feed and the site's `documents` say of the page, `obeyed` how its own refusals are to be taken.
    """

    fetched: Exchange | None
    error: ItemError | None
    asked_at: datetime
    rights: tuple[Signal, ...] = ()
    documents: tuple[SiteDocument, ...] = ()
    obeyed: Obedience = NO_OBEDIENCE


Take = Callable[[Visit, Answered | Deferred], object]
"""Takes the result of a visit; if it returns an awaitable, there are only as many requests as there is room for."""
