"""GETs that obey robots.txt (RFC 9309), the host's pace and its waits, together with all other processes.

Every request, robots.txt and each hop of a redirect included, has a permit of its host (tasks.politeness.limiter). The
pace is that of the source that owns the host (tasks.config.owners), whichever source asks. A visit ends in a `Fetched`,
an `ItemError`, or a `Deferred`: the host requires a wait and got no request.
"""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from inspect import isawaitable
from types import TracebackType
from typing import Self

from tasks.config.catalogue import SourceRules
from tasks.config.owners import NO_OWNERS, Owners
from tasks.errors import (
    HttpRefused,
    ItemError,
    PaymentRequired,
    RightsRefused,
    RobotsUnavailable,
    StageError,
    UnexpectedError,
)
from tasks.politeness.keeping import Room
from tasks.politeness.limiter import LEASE_MARGIN_S, HostWaits, RateLimiter, SharedLimits, never_full
from tasks.politeness.rights.documents import SiteDocument
from tasks.politeness.rights.links import licence_elements, licence_links
from tasks.politeness.rights.mapping import UNREAD
from tasks.politeness.rights.obeying import check_refusal
from tasks.politeness.rights.page import feed_signals, header_signals
from tasks.politeness.rights.payment import demanded_licences, payment_of
from tasks.politeness.rights.site import SiteRights
from tasks.politeness.robots import RobotsPolicy
from tasks.politeness.site_documents import SiteDocuments
from tasks.politeness.site_files import SiteFiles, mark_of, networks_of
from tasks.politeness.way import Way, place_name
from tasks.runtime.guarding import guarded_item
from tasks.runtime.reading import Reader, SharedReader
from tasks.values.permit import RobotsAnswer
from tasks.values.rights import NO_OBEDIENCE, Obedience, Obey
from tasks.values.rows import Signal
from tasks.values.url import Url
from tasks.values.user_agent import product_token
from tasks.web.client import WebClient, WebConfig
from tasks.web.exchange import Exchange, Fetched, raise_for_missing, raise_for_status
from tasks.web.guard import AddressGuard
from tasks.web.lookups import Resolve
from tasks.web.target import parse_target

NO_SITE_RIGHTS = SiteRights()

MAX_ORIGINS = 500
"""Origins at work at once: each holds its robots.txt in memory."""


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

    fetched: Fetched | None
    error: ItemError | None
    asked_at: datetime
    rights: tuple[Signal, ...] = ()
    documents: tuple[SiteDocument, ...] = ()
    obeyed: Obedience = NO_OBEDIENCE


Take = Callable[[Visit, Answered | Deferred], object]
"""Takes the result of a visit; if it returns an awaitable, there are only as many requests as there is room for."""


class PoliteClient:
    """One batch's way to the web. Lives inside one event loop; an async context manager."""

    def __init__(
        self,
        config: WebConfig,
        limits: SharedLimits,
        *,
        in_flight: int = 50,
        owners: Owners = NO_OWNERS,
        resolve: Resolve | None = None,
        reader: Reader | None = None,
    ) -> None:
        self._config = config
        self._room = Room()
        self._owners = owners
        self._resolve = resolve
        self._stack = AsyncExitStack()
        self._clients: dict[tuple[str, tuple[str, ...]], WebClient] = {}
        self._places: dict[tuple[str, str], str | None] = {}
        self._looking_up: defaultdict[tuple[str, str], asyncio.Lock] = defaultdict(asyncio.Lock)
        self._limiter = RateLimiter(limits, in_flight=in_flight, lease_s=config.deadline_s + LEASE_MARGIN_S)
        self._origins = asyncio.Semaphore(MAX_ORIGINS)
        self._rights: dict[tuple[str, str], SiteRights] = {}
        self._files = SiteFiles(
            self._limiter, client_for=self.client_for, way_for=self._way, reader=reader or SharedReader()
        )
        self._documents = SiteDocuments(self._files, self._limiter)

    async def __aenter__(self) -> Self:
        await self._stack.__aenter__()
        self._stack.push_async_callback(self._limiter.aclose)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.__aexit__(kind, error, trace)

    async def visit(self, visits: Sequence[Visit], take: Take, *, is_full: Callable[[], bool] = never_full) -> None:
        """Make all visits, many hosts at once and each at its own pace, and pass on the result of each at once.

        When `is_full` is true, no more requests are made, and the rest is deferred to now.
        """
        self._limiter.is_full = is_full
        by_origin: defaultdict[tuple[str, str], list[Visit]] = defaultdict(list)
        for one in visits:
            try:
                target = one.url.without_fragment if isinstance(one.url, Url) else parse_target(one.url)
                by_origin[target.origin, mark_of(one.rules)].append(replace(one, url=target))
            except ItemError as error:
                await _hand_over(take, one, _outcome(None, error, _now()))
        try:
            async with asyncio.TaskGroup() as origins:
                for (origin, _), group in by_origin.items():
                    origins.create_task(self._visit_origin(origin, group, take))
        except BaseExceptionGroup as group_of_errors:
            # the index was away during a request for a permit or the report of an answer: raised as such, it is retried
            if isinstance(cause := _innermost(group_of_errors), StageError):
                raise cause from group_of_errors
            raise
        finally:
            self._limiter.is_full = (
                never_full  # or all that the caller's answer refers to would live as long as this client
            )

    async def _visit_origin(self, origin: str, group: Sequence[Visit], take: Take) -> None:
        async with self._origins:
            try:
                policy = await self._rules_of(origin, group)
            except (ItemError, HostWaits) as trouble:
                for one in group:
                    await _hand_over(take, one, _outcome(None, trouble, _now()))
                return
            async with asyncio.TaskGroup() as asking:
                for one in group:
                    asking.create_task(self._ask(one, policy, take))

    async def _rules_of(self, origin: str, group: Sequence[Visit]) -> RobotsPolicy:
        """Return the policy of an origin, its reservations at hand where anybody asks; raises ItemError, HostWaits.

        Where reading them meets an exception nothing is known to be allowed: its URLs stay due, they are not to blame.
        """
        try:
            with guarded_item(f"the rules of {origin}"):
                return await self._learn(origin, group)
        except UnexpectedError as error:
            raise RobotsUnavailable(error.detail) from error

    async def _learn(self, origin: str, group: Sequence[Visit]) -> RobotsPolicy:
        """Return what an origin's robots.txt allows, and learn what its documents say if any visit is to an article."""
        rules = group[0].rules
        articles = [one for one in group if one.is_article]
        if not articles:
            return await self._files.policy(origin, rules)
        wants_tdm = any(self._obeyed(one, one.url).asks_tdm for one in articles)
        found = await self._documents.rights(origin, rules, wants_tdm=wants_tdm)
        key = (origin, mark_of(rules))
        if not wants_tdm and (held := self._rights.get(key)):  # a redirect may have led here on another's behalf
            found = replace(found, tdm=held.tdm, tdm_document=held.tdm_document)
        self._rights[key] = found
        return found.policy

    async def _ask(self, one: Visit, policy: RobotsPolicy, take: Take) -> None:
        fetched: Fetched | None = None
        trouble: ItemError | HostWaits | None = None
        asked_at, way, size = _now(), self._way(one.rules), 0
        try:
            with guarded_item(one.url):
                policy.check(one.url, user_agent=one.rules.user_agent)
                self._check_rights(one, one.url)
                async with way.opened(one.url):
                    asked_at = _now()
                    fetched = await self._get(one, way)
                    with way.noting():
                        raise_for_status(fetched, now=_now())
                    raise_for_missing(fetched)
                    size = await self._room.enter(len(fetched.content))
        except RightsRefused as met:
            fetched, trouble = met.answer if isinstance(met.answer, Fetched) else fetched, met
        except HttpRefused as refusal:
            trouble = refusal if fetched is None else _payment(fetched, refusal)
        except (ItemError, HostWaits) as other:
            trouble = other
        outcome = _outcome(fetched, trouble, asked_at)
        try:
            with guarded_item(one.url):
                outcome = await self._with_rights(one, outcome)
        except (ItemError, HostWaits) as met:
            outcome = _outcome(fetched, met, asked_at)
        try:
            await _hand_over(take, one, outcome)
        finally:
            self._room.leave(size)

    def _way(self, rules: SourceRules) -> Way:
        return Way(self._limiter, rules, self._owners, self._place_of)

    async def _place_of(self, url: Url, rules: SourceRules) -> str | None:
        """Return the place that a URL's host shares with others, looked up once; raises ItemError."""
        key = (url.host, mark_of(rules))
        async with self._looking_up[key]:
            if key not in self._places:
                client = await self.client_for(rules)
                address = await client.address_of(url, asker=rules.source_id)
                self._places[key] = None if address is None else place_name(url.domain, address)
            return self._places[key]

    async def _with_rights(self, one: Visit, outcome: Answered | Deferred) -> Answered | Deferred:
        """Return the result of a visit to an article with what its site says of it; raises ItemError, HostWaits.

        A page may name licences of its own, and so may an answer that asks for one: they are asked for now. Where refusals
        are obeyed, a page whose licence can be looked up another day only is asked for again then.
        """
        url = outcome.fetched.url if isinstance(outcome, Answered) and outcome.fetched else one.url
        rights = self._rights.get((url.origin, mark_of(one.rules)))
        if isinstance(outcome, Deferred) or rights is None:
            return outcome
        obeyed = self._obeyed(one, url)
        if one.is_article and outcome.fetched is not None:
            rights = await self._with_licences(rights, one, outcome.fetched, outcome.error)
            if outcome.error is None:
                _check_all_read(rights, obeyed)
        outcome = replace(outcome, documents=rights.documents, obeyed=obeyed)
        return replace(outcome, rights=_signals(rights, one, url)) if outcome.fetched else outcome

    async def _with_licences(
        self, rights: SiteRights, one: Visit, fetched: Fetched, error: ItemError | None
    ) -> SiteRights:
        """Return what is said of a page with the licences that it names, or that a refusal of it asks for."""
        url, final = fetched.url, fetched.final
        if isinstance(error, PaymentRequired):
            rights = rights.with_licences(await self._documents.enclosed(fetched))
            urls = demanded_licences(final.headers, url=final.url)
        elif error is None:
            urls = _licences_of(fetched)
        else:
            return rights
        return await self._documents.with_licences(rights, url.origin, urls, one.rules) if urls else rights

    def _check_rights(self, one: Visit, url: Url) -> None:
        """Raise RightsRefused for an article that is refused before it is asked for, where that is obeyed.

        Raises HostWaits while a document that may refuse it is still to be read.
        """
        rights = self._rights.get((url.origin, mark_of(one.rules)))
        if one.is_article and rights is not None:
            said = (signal for signal in self._site_signals(one, url) if signal.value != UNREAD)
            check_refusal(said, self._obeyed(one, url), url=url)
            _check_all_read(rights, self._obeyed(one, url))

    def _site_signals(self, one: Visit, url: Url) -> tuple[Signal, ...]:
        """Return what is said of a page before it is asked for: by the documents of its site, and by its feed."""
        rights = self._rights.get((url.origin, mark_of(one.rules)), NO_SITE_RIGHTS)
        return _signals(rights, one, url)

    def _check_head(self, one: Visit, answer: Exchange) -> None:
        """Raise RightsRefused for an article whose answer's header refuses it, where that is obeyed: its body is not read."""
        obeyed = self._obeyed(one, answer.url)
        if answer.status not in {200, 203} or not obeyed.is_excluding:
            return
        said = header_signals(answer.headers, token=product_token(one.rules.user_agent))
        check_refusal((*self._site_signals(one, answer.url), *said), obeyed, url=answer.url)

    def _obeyed(self, one: Visit, url: Url) -> Obedience:
        return self._owners.obedience_at(url.site, one.rules)

    async def _get(self, one: Visit, way: Way) -> Fetched:
        async def follow(url: Url) -> None:
            """Apply the robots.txt and pace of its own host to a redirect's target."""
            await way.leave()
            policy = await self._learn(url.origin, [replace(one, url=url)])
            policy.check(url, user_agent=one.rules.user_agent)
            self._check_rights(one, url)
            await way.enter(url)

        client = await self.client_for(one.rules)
        return await client.get(
            one.url,
            etag=one.etag,
            last_modified=one.last_modified,
            accept=one.accept,
            max_wire_size=one.max_wire_size,
            max_decoded_size=one.max_decoded_size,
            on_redirect=follow,
            on_head=partial(self._check_head, one) if one.is_article else None,
            takes_part=True,
            asker=one.rules.source_id,
        )

    async def ask_daily(self, name: str, url: str, rules: SourceRules) -> RobotsAnswer:
        """Return what an origin answers to a question that is put to it once a day; `name` is the question's.

        403 stands for what its robots.txt does not let us ask. Raises HostWaits, and ItemError for want of a
        robots.txt.
        """
        return await self._files.ask_daily(name, Url.of(url), rules)

    async def client_for(self, rules: SourceRules) -> WebClient:
        """Return the client that asks as a source does and connects where it may; it knows no turns."""
        networks = networks_of(rules)
        key = (rules.user_agent, networks)
        if key not in self._clients:
            config = replace(self._config, user_agent=rules.user_agent)
            client = WebClient(config, guard=AddressGuard(networks), resolve=self._resolve)
            self._clients[key] = client
            await self._stack.enter_async_context(client)
        return self._clients[key]


def _licences_of(fetched: Fetched) -> tuple[Url, ...]:
    """Return the RSL licences that a page's header and head name."""
    named = (value for name, value in fetched.final.headers if name == "link")
    return (*licence_links(named, base=fetched.url), *licence_elements(fetched.content, base=fetched.url))


def _signals(rights: SiteRights, one: Visit, url: Url) -> tuple[Signal, ...]:
    return (*rights.signals_for(url), *feed_signals(one.announced_rights, one.url))


def _check_all_read(rights: SiteRights, obeyed: Obedience) -> None:
    """Raise HostWaits where refusals are obeyed and a document is still to be read that may refuse."""
    is_awaited = obeyed.obey is not Obey.RECORD or (obeyed.obeys_tdm and rights.tdm is None)
    if rights.waits_until is not None and is_awaited:
        raise HostWaits(rights.waits_until)


def _payment(fetched: Fetched, error: HttpRefused) -> ItemError:
    """Return a refusal as one that asks for a licence or a price, where it does."""
    final = fetched.final
    asked = payment_of(final.status, final.headers, fetched.content, url=final.url)
    return error if asked is None else PaymentRequired(f"{asked} at {final.url}".strip())


def _innermost(error: BaseException) -> BaseException:
    return _innermost(error.exceptions[0]) if isinstance(error, BaseExceptionGroup) else error


def _outcome(fetched: Fetched | None, trouble: ItemError | HostWaits | None, asked_at: datetime) -> Answered | Deferred:
    if isinstance(trouble, HostWaits):
        return Deferred(until=trouble.until)
    return Answered(fetched=fetched, error=trouble, asked_at=asked_at)


async def _hand_over(take: Take, one: Visit, outcome: Answered | Deferred) -> None:
    pending = take(one, outcome)
    if isawaitable(pending):
        await pending


def _now() -> datetime:
    return datetime.now(UTC)
