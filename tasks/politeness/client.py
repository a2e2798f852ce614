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
from inspect import isawaitable
from types import TracebackType
from typing import Self

from tasks.config.catalogue import SourceRules
from tasks.config.owners import NO_OWNERS, Owners
from tasks.errors import (
    ItemError,
    RobotsUnavailable,
    StageError,
    UnexpectedError,
)
from tasks.politeness.keeping import Room
from tasks.politeness.limiter import LEASE_MARGIN_S, HostWaits, RateLimiter, SharedLimits
from tasks.politeness.robots import (
    RobotsPolicy,
)
from tasks.politeness.site_files import SiteFiles, mark_of, networks_of
from tasks.politeness.way import Way
from tasks.runtime.guarding import guarded_item
from tasks.runtime.reading import Reader, SharedReader
from tasks.values.permit import RobotsAnswer
from tasks.values.url import Url
from tasks.web.client import WebClient, WebConfig
from tasks.web.exchange import Fetched, raise_for_missing, raise_for_status
from tasks.web.guard import AddressGuard
from tasks.web.lookups import Resolve
from tasks.web.target import parse_target

MAX_ORIGINS = 500
"""Origins at work at once: each holds its robots.txt in memory."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """One URL to request, once, under its source's rules; `key` is the caller's name for it.

    With `wants_rights`, its site's tdmrep.json is asked for before it. With `is_article`, it is asked for as well where
    the owner of a host on its way obeys reservations.
    """

    key: str
    url: Url
    rules: SourceRules
    accept: str | None = None
    etag: str | None = None
    last_modified: str | None = None
    max_wire_size: int | None = None
    max_decoded_size: int | None = None
    wants_rights: bool = False
    is_article: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Deferred:
    """Not requested: the host requires a wait until then."""

    until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """The result of a visit: `fetched` where there is an answer, of any status, and `error` where it is not a page.

    With `obeys_rights`, reservations are obeyed there; `tdm_reserved` is what the site's tdmrep.json then says of the
    page.
    """

    fetched: Fetched | None
    error: ItemError | None
    asked_at: datetime
    obeys_rights: bool = False
    tdm_reserved: bool | None = None


Tell = Callable[[Visit, Answered | Deferred], object]
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
        self._limiter = RateLimiter(limits, in_flight=in_flight, lease_s=config.deadline_s + LEASE_MARGIN_S)
        self._origins = asyncio.Semaphore(MAX_ORIGINS)
        self._files = SiteFiles(
            self._limiter, client_for=self.client_for, way_for=self._way, reader=reader or SharedReader()
        )

    async def __aenter__(self) -> Self:
        await self._stack.__aenter__()
        self._stack.push_async_callback(self._limiter.aclose)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.__aexit__(kind, error, trace)

    async def visit(self, visits: Sequence[Visit], tell: Tell, *, is_full: Callable[[], bool] = lambda: False) -> None:
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
                await _tell(tell, one, _told(None, error, _now()))
        try:
            async with asyncio.TaskGroup() as origins:
                for (origin, _), group in by_origin.items():
                    origins.create_task(self._visit_origin(origin, group, tell))
        except BaseExceptionGroup as group_of_errors:
            # the index was away during a request for a permit or the report of an answer: raised as such, it is retried
            if isinstance(cause := _innermost(group_of_errors), StageError):
                raise cause from group_of_errors
            raise

    async def _visit_origin(self, origin: str, group: Sequence[Visit], tell: Tell) -> None:
        async with self._origins:
            try:
                policy = await self._rules_of(origin, group)
            except (ItemError, HostWaits) as trouble:
                for one in group:
                    await _tell(tell, one, _told(None, trouble, _now()))
                return
            async with asyncio.TaskGroup() as asking:
                for one in group:
                    asking.create_task(self._ask(one, policy, tell))

    async def _rules_of(self, origin: str, group: Sequence[Visit]) -> RobotsPolicy:
        """Return the policy of an origin, its reservations at hand where anybody asks; raises ItemError, HostWaits.

        Where reading them meets an exception nothing is known to be allowed: its URLs stay due, they are not to blame.
        """
        try:
            with guarded_item(f"the rules of {origin}"):
                policy = await self._files.policy(origin, group[0].rules)
                if any(self._obeys_rights(one, one.url) for one in group):
                    await self._files.learn_rights(origin, policy, group[0].rules)
        except UnexpectedError as error:
            raise RobotsUnavailable(error.detail) from error
        return policy

    async def _ask(self, one: Visit, policy: RobotsPolicy, tell: Tell) -> None:
        fetched, trouble, asked_at = None, None, _now()
        way, size = self._way(one.rules), 0
        try:
            with guarded_item(one.url):
                policy.check(one.url, user_agent=one.rules.user_agent)
                async with way.opened(one.url.site):
                    asked_at = _now()
                    fetched = await self._get(one, way)
                    with way.noting():
                        raise_for_status(fetched, now=_now())
                    raise_for_missing(fetched)
                    size = await self._room.enter(len(fetched.content))
        except (ItemError, HostWaits) as met:
            trouble = met
        told = _told(fetched, trouble, asked_at)
        if isinstance(told, Answered) and fetched is not None and self._obeys_rights(one, fetched.url):
            tdm_reserved = self._files.is_reserved(fetched.url, one.rules)
            told = replace(told, obeys_rights=True, tdm_reserved=tdm_reserved)
        try:
            await _tell(tell, one, told)
        finally:
            self._room.leave(size)

    def _way(self, rules: SourceRules) -> Way:
        return Way(self._limiter, rules, self._owners)

    def _obeys_rights(self, one: Visit, url: Url) -> bool:
        return one.wants_rights or (one.is_article and self._owners.obey_rights_at(url.site))

    async def _get(self, one: Visit, way: Way) -> Fetched:
        async def follow(url: Url) -> None:
            """Apply the robots.txt and pace of its own host to a redirect's target."""
            await way.leave()
            policy = await self._files.policy(url.origin, one.rules)
            policy.check(url, user_agent=one.rules.user_agent)
            if self._obeys_rights(one, url):
                await self._files.learn_rights(url.origin, policy, one.rules)
            await way.enter(url.site)

        client = await self.client_for(one.rules)
        return await client.get(
            one.url,
            etag=one.etag,
            last_modified=one.last_modified,
            accept=one.accept,
            max_wire_size=one.max_wire_size,
            max_decoded_size=one.max_decoded_size,
            on_redirect=follow,
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


def _innermost(error: BaseException) -> BaseException:
    return _innermost(error.exceptions[0]) if isinstance(error, BaseExceptionGroup) else error


def _told(fetched: Fetched | None, trouble: ItemError | HostWaits | None, asked_at: datetime) -> Answered | Deferred:
    if isinstance(trouble, HostWaits):
        return Deferred(until=trouble.until)
    return Answered(fetched=fetched, error=trouble, asked_at=asked_at)


async def _tell(tell: Tell, one: Visit, told: Answered | Deferred) -> None:
    pending = tell(one, told)
    if isawaitable(pending):
        await pending


def _now() -> datetime:
    return datetime.now(UTC)
