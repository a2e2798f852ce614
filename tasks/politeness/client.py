"""GET requests that obey robots.txt (RFC 9309), each host's pace and its requested waits, across all processes.

What sites state about the use of articles is looked up before the articles are requested, and obeyed as the sources
want (docs/rights.md).

Every request, including robots.txt and each redirect, holds a permit for its host (tasks.politeness.limiter). The pace
is that of the source that owns the host (tasks.config.owners), whichever source asks. A visit ends in an `Exchange`, an
`ItemError`, or a deferral, if the host requires a wait.
"""

import asyncio
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
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
from tasks.politeness.clients import Clients
from tasks.politeness.keeping import Room, Share
from tasks.politeness.limiter import LEASE_MARGIN_S, HostWaits, RateLimiter, SharedLimits, never_full
from tasks.politeness.rights.links import licence_elements, licence_links
from tasks.politeness.rights.mapping import UNREAD, exclusion
from tasks.politeness.rights.page import feed_signals, header_signals
from tasks.politeness.rights.payment import demanded_licences, payment_of
from tasks.politeness.rights.site import SiteRights
from tasks.politeness.robots import RobotsPolicy
from tasks.politeness.site_documents import SiteDocuments
from tasks.politeness.site_files import SiteFiles, mark_of
from tasks.politeness.visits import Take, Visit
from tasks.politeness.way import Way
from tasks.runtime.guarding import guarded_item
from tasks.runtime.reading import Reader, SharedReader
from tasks.values.permit import RobotsAnswer
from tasks.values.rights import Obedience, Obey
from tasks.values.rows import Signal
from tasks.values.url import Url
from tasks.values.user_agent import product_token
from tasks.web.client import WebClient, WebConfig
from tasks.web.exchange import Exchange, raise_for_missing, raise_for_status
from tasks.web.lookups import Resolve
from tasks.web.target import parse_target

NO_SITE_RIGHTS = SiteRights()

MAX_ORIGINS = 500
"""Origins visited at once: each keeps its robots.txt in memory."""


class PoliteClient:
    """Polite access to the web for one batch, within one event loop. An async context manager."""

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
        self._room = Room()
        self._stack = AsyncExitStack()
        self._limiter = RateLimiter(limits, in_flight=in_flight, lease_s=config.deadline_s + LEASE_MARGIN_S)
        self._clients = Clients(config, self._limiter, owners, resolve=resolve)
        self._files = SiteFiles(
            self._limiter,
            client_for=self._clients.client_for,
            way_for=self._clients.way_for,
            reader=reader or SharedReader(),
        )
        self._rights = ArticleRights(SiteDocuments(self._files, self._limiter), owners)

    async def __aenter__(self) -> Self:
        await self._stack.__aenter__()
        self._stack.push_async_callback(self._limiter.aclose)
        await self._stack.enter_async_context(self._clients)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.__aexit__(kind, error, trace)

    async def visit(self, visits: Iterable[Visit], take: Take, *, is_full: Callable[[], bool] = never_full) -> None:
        """Make all visits, many hosts at once and each at its own pace. Passes each result to `take` at once.

        While `is_full` returns True, nothing is requested, and the remaining visits are deferred to now.
        """
        self._limiter.is_full = is_full
        by_origin: defaultdict[tuple[str, str], list[Visit]] = defaultdict(list)
        for visit in visits:
            try:
                target = visit.url.without_fragment if isinstance(visit.url, Url) else parse_target(visit.url)
                by_origin[target.origin, mark_of(visit.rules)].append(replace(visit, url=target.lean()))
            except ItemError as error:
                await _hand_over(take, _with_result(visit, None, error, _now()))
        waiting = deque((origin, by_origin.pop((origin, mark))) for origin, mark in tuple(by_origin))
        try:
            async with asyncio.TaskGroup() as visitors:
                for _ in range(min(MAX_ORIGINS, len(waiting))):
                    visitors.create_task(self._visit_origins(waiting, take))
            await self._limiter.settled()
        except BaseExceptionGroup as group_of_errors:
            # the index failed during a permit request or report: raise its error, so that the task is retried
            if isinstance(cause := _innermost(group_of_errors), StageError):
                raise cause from group_of_errors
            raise
        finally:
            self._limiter.is_full = (
                never_full  # or this client would keep alive whatever the caller's function refers to
            )

    async def _visit_origins(self, waiting: deque[tuple[str, list[Visit]]], take: Take) -> None:
        """Visit one origin after the other until none is waiting, and release each when done.

        One task per origin would take 17 MB for ten thousand.
        """
        while waiting:
            await self._visit_origin(*waiting.popleft(), take)

    async def _visit_origin(self, origin: str, group: Sequence[Visit], take: Take) -> None:
        try:
            policy = await self._rules_of(origin, group)
        except (ItemError, HostWaits) as trouble:
            for visit in group:
                await _hand_over(take, _with_result(visit, None, trouble, _now()))
            return
        if len(group) == 1:  # the usual case needs no further task
            await self._ask(group[0], policy, take)
            return
        async with asyncio.TaskGroup() as asking:
            for visit in group:
                asking.create_task(self._ask(visit, policy, take))

    async def _rules_of(self, origin: str, group: Sequence[Visit]) -> RobotsPolicy:
        """Return an origin's policy; look up its reservations if a visit needs them. Raises ItemError, HostWaits."""
        try:
            with guarded_item(f"the rules of {origin}"):
                return await self._learn(origin, group)
        except UnexpectedError as error:
            raise RobotsUnavailable(error.detail) from error

    async def _ask(self, visit: Visit, policy: RobotsPolicy, take: Take) -> None:
        fetched: Exchange | None = None
        trouble: ItemError | HostWaits | None = None
        asked_at, way, share = _now(), self._clients.way_for(visit.rules), Share(self._room)
        try:
            with guarded_item(visit.url):
                self._check(visit, visit.url, policy)
                async with way.opened(visit.url.site):
                    asked_at = _now()
                    fetched = await self._get(visit, way, share)
                    with way.noting():
                        raise_for_status(fetched, now=_now())
                    raise_for_missing(fetched)
        except RightsRefused as met:
            fetched, trouble = met.answer if isinstance(met.answer, Exchange) else fetched, met
        except HttpRefused as refusal:
            trouble = refusal if fetched is None else _payment_asked(fetched, refusal)
        except (ItemError, HostWaits) as other:
            trouble = other
        if visit.is_article:
            share.leave()  # looking up a licence may wait for a permit whose holder waits for this share
        done = _with_result(visit, fetched, trouble, asked_at)
        try:
            with guarded_item(visit.url):
                done = await self._rights.complete(done)
        except (ItemError, HostWaits) as met:
            done = _with_result(visit, fetched, met, asked_at)
        try:
            await _hand_over(take, done)
        finally:
            share.leave()

    def _check(self, visit: Visit, url: Url, policy: RobotsPolicy) -> None:
        """Raise RobotsDisallowed, RightsRefused or HostWaits if the site's documents forbid requesting the URL."""
        if not policy.allows_all:
            policy.check(url, user_agent=visit.rules.user_agent)
        self._rights.check(visit, url)

    async def _learn(self, origin: str, group: Sequence[Visit]) -> RobotsPolicy:
        """Return an origin's robots policy. If any visit is to an article, look up its other documents too."""
        if articles := [visit for visit in group if visit.is_article]:
            return await self._rights.learn(origin, articles)
        return await self._files.policy(origin, group[0].rules)

    async def _get(self, visit: Visit, way: Way, share: Share) -> Exchange:
        async def follow(url: Url) -> None:
            """Apply the robots.txt and the pace of the target's own host to a redirect."""
            way.leave()
            share.leave()
            policy = await self._learn(url.origin, [replace(visit, url=url)])
            self._check(visit, url, policy)
            await way.enter(url.site)

        async def admit(answer: Exchange) -> None:
            way.answered()
            await share.take(len(answer.body), is_coded=answer.header("content-encoding") is not None)

        client = await self._clients.client_for(visit.rules)
        return await client.get(
            visit.url,
            etag=visit.etag,
            last_modified=visit.last_modified,
            accept=visit.accept,
            max_wire_size=visit.max_wire_size,
            max_decoded_size=visit.max_decoded_size,
            on_redirect=follow,
            on_head=partial(self._rights.check_head, visit) if visit.is_article else None,
            on_body=admit,
            takes_part=True,
            asker=visit.rules.source_id,
        )

    async def ask_daily(self, name: str, url: str, rules: SourceRules) -> RobotsAnswer:
        """Return an origin's answer to a request made once a day. `name` identifies the request.

        Status 403 stands for a request that robots.txt forbids. Raises HostWaits, and ItemError if robots.txt is
        unavailable.
        """
        return await self._files.ask_daily(name, Url.of(url), rules)

    async def client_for(self, rules: SourceRules) -> WebClient:
        """Return the client with a source's user agent and permitted networks. It does no rate limiting."""
        return await self._clients.client_for(rules)


class ArticleRights:
    """What the documents of the origins that one batch visits say about its articles."""

    def __init__(self, documents: SiteDocuments, owners: Owners) -> None:
        self._documents = documents
        self._owners = owners
        self._by_origin: dict[tuple[str, str], SiteRights] = {}

    async def learn(self, origin: str, articles: Sequence[Visit]) -> RobotsPolicy:
        """Return an origin's robots policy, and look up its other documents. Raises ItemError, HostWaits."""
        rules = articles[0].rules
        wants_tdm = any(self._obeyed(visit, visit.url).asks_tdm for visit in articles)
        found = await self._documents.rights(origin, rules, wants_tdm=wants_tdm)
        key = (origin, mark_of(rules))
        if not wants_tdm and (known := self._by_origin.get(key)):  # this visit needs no tdmrep.json
            found = replace(found, tdm=known.tdm, tdm_document=known.tdm_document)
        self._by_origin[key] = found
        return found.policy

    def check(self, visit: Visit, url: Url) -> None:
        """Raise RightsRefused for an article that known documents refuse, if the source obeys refusals.

        Raises HostWaits while a document that may refuse it is still unread.
        """
        rights = self._by_origin.get((url.origin, mark_of(visit.rules)))
        if visit.is_article and rights is not None:
            signals = (signal for signal in self._site_signals(visit, url) if signal.value != UNREAD)
            _check_said(signals, self._obeyed(visit, url), url)
            _check_all_read(rights, self._obeyed(visit, url))

    def check_head(self, visit: Visit, answer: Exchange) -> None:
        """Raise RightsRefused if the response header refuses the article and the source obeys: the body is not read."""
        obeyed = self._obeyed(visit, answer.url)
        if answer.status not in {200, 203} or not obeyed.is_excluding:
            return
        signals = header_signals(answer.headers, token=product_token(visit.rules.user_agent))
        _check_said((*self._site_signals(visit, answer.url), *signals), obeyed, answer.url)

    async def complete(self, visit: Visit) -> Visit:
        """Return a finished visit with what its site says about the article. Raises ItemError, HostWaits.

        A page may name licences of its own, and so may a response that demands one: they are requested now. If refusals
        are obeyed and a licence can only be looked up on another day, the page is deferred until then.
        """
        url = visit.fetched.url if visit.fetched else visit.url
        rights = self._by_origin.get((url.origin, mark_of(visit.rules)))
        if visit.deferred_until is not None or rights is None:
            return visit
        obeyed = self._obeyed(visit, url)
        if visit.is_article and visit.fetched is not None:
            rights = await self._with_licences(rights, visit, visit.fetched)
            if visit.error is None:
                _check_all_read(rights, obeyed)
        signals = _signals(rights, visit, url) if visit.fetched else ()
        return replace(visit, documents=rights.documents, obeyed=obeyed, rights=signals)

    async def _with_licences(self, rights: SiteRights, visit: Visit, fetched: Exchange) -> SiteRights:
        """Return the rights with licences that the page names, or that a refusal of it demands."""
        url = fetched.url
        if isinstance(visit.error, PaymentRequired):
            rights = rights.with_licences(await self._documents.enclosed_licences(fetched))
            urls = demanded_licences(fetched.headers, origin=url.origin)
        elif visit.error is None:
            urls = _licences_of(fetched)
        else:
            return rights
        return await self._documents.with_licences(rights, url.origin, urls, visit.rules) if urls else rights

    def _site_signals(self, visit: Visit, url: Url) -> tuple[Signal, ...]:
        """Return what is known about a page before its request: from its site's documents and its feed."""
        rights = self._by_origin.get((url.origin, mark_of(visit.rules)), NO_SITE_RIGHTS)
        return _signals(rights, visit, url)

    def _obeyed(self, visit: Visit, url: Url) -> Obedience:
        return self._owners.obedience_at(url.site, visit.rules)


def _innermost(error: BaseException) -> BaseException:
    return _innermost(error.exceptions[0]) if isinstance(error, BaseExceptionGroup) else error


async def _hand_over(take: Take, done: Visit) -> None:
    pending = take(done)
    if isawaitable(pending):
        await pending


def _with_result(
    visit: Visit, fetched: Exchange | None, trouble: ItemError | HostWaits | None, asked_at: datetime
) -> Visit:
    """Return the visit with its response and error, or with its deferral."""
    if isinstance(trouble, HostWaits):
        return replace(visit, deferred_until=trouble.until)
    return replace(visit, fetched=fetched, error=trouble, asked_at=asked_at)


def _now() -> datetime:
    return datetime.now(UTC)


def _licences_of(fetched: Exchange) -> tuple[Url, ...]:
    """Return the RSL licences named in a page's header and head."""
    origin = fetched.url.origin
    named = (value for name, value in fetched.headers if name == "link")
    return (*licence_links(named, origin=origin), *licence_elements(fetched.content, origin=origin))


def _signals(rights: SiteRights, visit: Visit, url: Url) -> tuple[Signal, ...]:
    of_feed = feed_signals(visit.announced_rights, visit.url) if visit.announced_rights else ()
    common = rights.of_all  # most sites say the same about all pages
    return (*(rights.signals_for(url) if common is None else common), *of_feed)


def _check_said(signals: Iterable[Signal], obeyed: Obedience, url: Url) -> None:
    """Raise RightsRefused if the signals exclude the page."""
    if (excluded := exclusion(signals, obeyed)) is not None:
        raise RightsRefused(f"{excluded}, at {url}")


def _check_all_read(rights: SiteRights, obeyed: Obedience) -> None:
    """Raise HostWaits if refusals are obeyed and a document that may refuse is still unread."""
    is_awaited = obeyed.obey is not Obey.RECORD or (obeyed.obeys_tdm and rights.tdm is None)
    if rights.waits_until is not None and is_awaited:
        raise HostWaits(rights.waits_until)


def _payment_asked(fetched: Exchange, error: HttpRefused) -> ItemError:
    """Return a refusal as PaymentRequired if it demands a licence or a price."""
    asked = payment_of(fetched.status, fetched.headers, fetched.content, origin=fetched.url.origin)
    return error if asked is None else PaymentRequired(f"{asked} at {fetched.url}".strip())
