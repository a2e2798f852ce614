"""GETs that keep to robots.txt (RFC 9309), the host's pace and its waits, whoever else is asking it.

Every request, robots.txt and each hop of a redirect included, has its host's turn (tasks.politeness.limiter), at the pace of the
source that owns the host (tasks.config.owners), whoever asks.
A visit ends in a `Fetched`, an `ItemError`, or a `Deferred`: the host wants a wait and was not asked.
"""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from types import TracebackType
from typing import Self

from tasks.config.catalogue import SourceRules
from tasks.config.owners import NO_OWNERS, Owners
from tasks.errors import (
    BadResponse,
    HttpStatusError,
    ItemError,
    RobotsDisallowed,
    RobotsUnavailable,
    ServerBusy,
    StageError,
    TooManyRedirects,
    TransientError,
    UnexpectedError,
)
from tasks.politeness.limiter import LEASE_MARGIN_S, Book, Heard, HostWaits, TurnDesk
from tasks.politeness.robots import (
    MAX_ROBOTS_SIZE,
    RobotsPolicy,
    RobotsVerdict,
    parse_robots,
    product_token,
    verdict_of_status,
)
from tasks.politeness.tdmrep import TDMREP_PATH, Reservations, parse_tdmrep
from tasks.runtime.guarding import guarded_item
from tasks.values.permit import LearnedRobots, RobotsAnswer
from tasks.values.url import Url
from tasks.web.backend import Resolve
from tasks.web.client import WebClient, WebConfig
from tasks.web.exchange import Fetched, raise_for_status
from tasks.web.guard import AddressGuard
from tasks.web.target import parse_target

MAX_CRAWL_DELAY_S = 120.0
"""A longer Crawl-delay is taken as this one: some sites ask for days."""

UNSPOKEN_WAIT_S = 60.0
"""The wait after a 429 that names none."""

PARSED_AT_ONCE_SIZE = 8 * 1024
"""Bytes of a robots.txt up to which a thread costs more than the reading."""

MAX_ORIGINS = 500
"""Origins at work at once: each holds its robots.txt in memory."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """One URL to ask for, once, under its source's rules; `key` is the asker's name for it.

    With `wants_rights`, its site's tdmrep.json is asked for before it. With `is_article`, it is asked for as well where the
    owner of a host on its way obeys reservations.
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
    """Not asked for: the host wants a wait until then."""

    until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """What came of a visit: `fetched` where an answer came, whatever its status, and `error` where it is no page.

    With `obeys_rights`, reservations are obeyed there; `tdm_reserved` is what the site's tdmrep.json then says of the page.
    """

    fetched: Fetched | None
    error: ItemError | None
    asked_at: datetime
    obeys_rights: bool = False
    tdm_reserved: bool | None = None


Tell = Callable[[Visit, Answered | Deferred], None]


class PoliteClient:
    """One batch's way to the web. Lives inside one event loop; an async context manager."""

    def __init__(
        self,
        config: WebConfig,
        book: Book,
        *,
        in_flight: int = 50,
        owners: Owners = NO_OWNERS,
        resolve: Resolve | None = None,
    ) -> None:
        self._config = config
        self._owners = owners
        self._resolve = resolve
        self._stack = AsyncExitStack()
        self._clients: dict[tuple[str, tuple[str, ...]], WebClient] = {}
        self._desk = TurnDesk(book, in_flight=in_flight, lease_s=config.deadline_s + LEASE_MARGIN_S)
        self._origins = asyncio.Semaphore(MAX_ORIGINS)
        self._silences: dict[str, TransientError] = {}
        self._asking: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._reservations: dict[str, Reservations] = {}

    async def __aenter__(self) -> Self:
        await self._stack.__aenter__()
        self._stack.push_async_callback(self._desk.aclose)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.__aexit__(kind, error, trace)

    async def visit(self, visits: Sequence[Visit], tell: Tell, *, is_full: Callable[[], bool] = lambda: False) -> None:
        """Make all visits, many hosts at once and each at its own pace, and tell what came of each as it comes.

        Once `is_full` is true, nothing more is asked for and the rest is told to be deferred to now.
        """
        self._desk.is_full = is_full
        by_origin: defaultdict[str, list[Visit]] = defaultdict(list)
        for one in visits:
            try:
                target = parse_target(one.url)
                by_origin[target.origin].append(replace(one, url=target))
            except ItemError as error:
                tell(one, _told(None, error, _now()))
        try:
            async with asyncio.TaskGroup() as origins:
                for origin, group in by_origin.items():
                    origins.create_task(self._visit_origin(origin, group, tell))
        except BaseExceptionGroup as group_of_errors:
            # the index was away while a turn was asked for or an answer told: as such it is worth another try
            if isinstance(cause := _innermost(group_of_errors), StageError):
                raise cause from group_of_errors
            raise

    async def _visit_origin(self, origin: str, group: Sequence[Visit], tell: Tell) -> None:
        async with self._origins:
            try:
                policy = await self._rules_of(origin, group)
            except (ItemError, HostWaits) as trouble:
                for one in group:
                    tell(one, _told(None, trouble, _now()))
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
                policy = await self._policy(origin, group[0].rules)
                if any(self._obeys_rights(one, one.url) for one in group):
                    await self._learn_rights(origin, policy, group[0].rules)
        except UnexpectedError as error:
            raise RobotsUnavailable(error.detail) from error
        return policy

    async def _ask(self, one: Visit, policy: RobotsPolicy, tell: Tell) -> None:
        fetched, trouble, asked_at = None, None, _now()
        way = self._way(one.rules)
        try:
            with guarded_item(one.url):
                if not policy.allows(one.url, user_agent=one.rules.user_agent):
                    raise RobotsDisallowed(one.url)
                async with way.opened(one.url):
                    asked_at = _now()
                    fetched = await self._get(one, way)
                    way.judge(fetched)
        except (ItemError, HostWaits) as met:
            trouble = met
        told = _told(fetched, trouble, asked_at)
        if isinstance(told, Answered) and fetched is not None and self._obeys_rights(one, fetched.url):
            tdm_reserved = self._reservations[fetched.url.origin].says(fetched.url)
            told = replace(told, obeys_rights=True, tdm_reserved=tdm_reserved)
        tell(one, told)

    def _way(self, rules: SourceRules) -> "_Way":
        return _Way(self._desk, rules, self._owners)

    def _obeys_rights(self, one: Visit, url: Url) -> bool:
        return one.wants_rights or (one.is_article and self._owners.obey_rights_at(url))

    async def _get(self, one: Visit, way: "_Way") -> Fetched:
        async def follow(url: Url) -> None:
            """Hold a redirect's target to its own host's robots.txt and pace."""
            await way.leave()
            policy = await self._policy(url.origin, one.rules)
            if not policy.allows(url, user_agent=one.rules.user_agent):
                raise RobotsDisallowed(url)
            if self._obeys_rights(one, url):
                await self._learn_rights(url.origin, policy, one.rules)
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
        )

    async def _policy(self, origin: str, rules: SourceRules) -> RobotsPolicy:
        """Return what the origin's robots.txt says, asking for it where none is kept; raises ItemError, HostWaits."""
        async with self._asking[origin]:
            kept = await self._desk.kept_robots(origin)
            answer = kept or await self._ask_robots(origin, rules)
            # A long one in a thread: it takes up to a fifth of a second, and other hosts are being asked.
            is_short = len(answer.body) <= PARSED_AT_ONCE_SIZE
            policy = _parse(answer) if is_short else await asyncio.to_thread(_parse, answer)
            if kept is None:
                await self._keep(answer, origin, policy, rules)
        if policy is not None:
            return policy
        if answer.status is None and origin in self._silences:
            raise self._silences[origin]  # says more than "robots.txt unavailable": dns_failed, timed_out
        raise RobotsUnavailable(f"{origin}/robots.txt answered {answer.status or 'nothing'}")

    async def _ask_robots(self, origin: str, rules: SourceRules) -> RobotsAnswer:
        """Ask for robots.txt; a transient silence is an answer too (RFC 9309, 2.3.1.4), and is kept for a while."""
        try:
            return await self._ask_file(origin, Url(f"{origin}/robots.txt"), rules, accept="text/plain, */*;q=0.5")
        except TooManyRedirects:
            return RobotsAnswer(origin=origin, status=404, body=b"", fetched_at=_now())
        except TransientError as error:
            self._silences[origin] = error
            return RobotsAnswer(origin=origin, status=None, body=b"", fetched_at=_now())

    async def _learn_rights(self, origin: str, policy: RobotsPolicy, rules: SourceRules) -> None:
        """Have the origin's tdmrep.json at hand, asking for it where none is kept; raises HostWaits.

        It is kept like robots.txt, under its own address. One that cannot be had says nothing.
        """
        url = Url(f"{origin}{TDMREP_PATH}")
        async with self._asking[url]:
            if origin in self._reservations:
                return
            answer = await self._kept_or_asked(url, url, policy, rules, accept="application/json, */*;q=0.5")
        is_said = answer.status is not None and 200 <= answer.status < 300
        self._reservations[origin] = parse_tdmrep(answer.body) if is_said else Reservations.none_said()

    async def ask_daily(self, name: str, url: str, rules: SourceRules) -> RobotsAnswer:
        """Return what an origin answers to a question that is put to it once a day; `name` is the question's.

        403 stands for what its robots.txt does not let us ask. Raises HostWaits, and ItemError for want of a robots.txt.
        """
        address = Url.of(url)
        async with self._asking[name]:
            return await self._kept_or_asked(name, address, await self._policy(address.origin, rules), rules)

    async def _kept_or_asked(
        self, name: str, url: Url, policy: RobotsPolicy, rules: SourceRules, *, accept: str | None = None
    ) -> RobotsAnswer:
        if kept := await self._desk.kept_robots(name):
            return kept
        if not policy.allows(url, user_agent=rules.user_agent):
            return RobotsAnswer(origin=name, status=403, body=b"", fetched_at=_now())
        try:
            answer = await self._ask_file(name, url, rules, accept=accept)
        except ItemError:
            answer = RobotsAnswer(origin=name, status=None, body=b"", fetched_at=_now())
        await self._keep(answer, url.origin, policy, rules)
        return answer

    async def _ask_file(self, name: str, url: Url, rules: SourceRules, *, accept: str | None) -> RobotsAnswer:
        """Ask for what is kept under a name; a status is an answer here. Raises ItemError, HostWaits."""
        client, way = await self.client_for(rules), self._way(rules)
        async with way.opened(url):
            # Another run may have asked while we waited for the turn.
            if kept := await self._desk.kept_robots(name):
                return kept
            fetched = await client.get(
                url,
                accept=accept,
                max_wire_size=MAX_ROBOTS_SIZE,
                max_decoded_size=MAX_ROBOTS_SIZE,
                on_redirect=way.follow,
                cut=True,
            )
            with suppress(HttpStatusError, BadResponse):  # what it asks of us is heeded
                way.judge(fetched)
        body = fetched.content if fetched.final.status < 300 else b""
        return RobotsAnswer(origin=name, status=fetched.final.status, body=body, fetched_at=_now())

    async def _keep(self, answer: RobotsAnswer, origin: str, policy: RobotsPolicy | None, rules: SourceRules) -> None:
        delay_s = policy.crawl_delay_s(product_token(rules.user_agent)) if policy else None
        capped_s = None if delay_s is None else min(delay_s, MAX_CRAWL_DELAY_S)
        await self._desk.keep(LearnedRobots(answer=answer, host=Url.of(origin).host, crawl_delay_s=capped_s))

    async def client_for(self, rules: SourceRules) -> WebClient:
        """Return the client that asks as a source does and connects where it may; it knows no turns."""
        networks = tuple(str(network) for network in rules.allow_networks)
        key = (rules.user_agent, networks)
        if key not in self._clients:
            config = replace(self._config, user_agent=rules.user_agent)
            client = WebClient(config, guard=AddressGuard(networks), resolve=self._resolve)
            self._clients[key] = client
            await self._stack.enter_async_context(client)
        return self._clients[key]


def _innermost(error: BaseException) -> BaseException:
    return _innermost(error.exceptions[0]) if isinstance(error, BaseExceptionGroup) else error


class _Way:
    """The turn that one GET holds, as redirects lead it from host to host: never two at once."""

    def __init__(self, desk: TurnDesk, rules: SourceRules, owners: Owners) -> None:
        self._desk = desk
        self._rules = rules
        self._owners = owners
        self._held = AsyncExitStack()
        self._heard = Heard()

    @asynccontextmanager
    async def opened(self, url: Url) -> AsyncIterator[None]:
        """Hold the turn for a first request within the block, then for whatever the redirects led to."""
        await self.enter(url)
        try:
            yield
        finally:
            await self.leave()

    async def enter(self, url: Url) -> None:
        """Wait for the turn at a URL's host; raises HostWaits."""
        pace = self._owners.pace_at(url, self._rules)
        turn = self._desk.turn(url.host, delay_s=pace.crawl_delay_s, max_per_host=pace.max_per_host)
        self._heard = await self._held.enter_async_context(turn)

    async def leave(self) -> None:
        """Give the turn back, if one is held."""
        await self._held.aclose()

    async def follow(self, url: Url) -> None:
        """Go on to another request."""
        await self.leave()
        await self.enter(url)

    def judge(self, fetched: Fetched) -> None:
        """Raise for an answer that is no page, having noted the wait that it asks for."""
        try:
            raise_for_status(fetched, now=_now())
        except ServerBusy as error:
            unspoken_s = UNSPOKEN_WAIT_S if error.status == 429 else None
            self._heard.hold_s = unspoken_s if error.retry_after_s is None else error.retry_after_s
            self._heard.is_busy = error.status in {429, 503}
            raise


def _told(fetched: Fetched | None, trouble: ItemError | HostWaits | None, asked_at: datetime) -> Answered | Deferred:
    if isinstance(trouble, HostWaits):
        return Deferred(until=trouble.until)
    return Answered(fetched=fetched, error=trouble, asked_at=asked_at)


def _parse(answer: RobotsAnswer) -> RobotsPolicy | None:
    """Read an answer by RFC 9309: 2xx says, other answers allow; None for 5xx and silence, which disallow all."""
    verdict = verdict_of_status(answer.status)
    if verdict is RobotsVerdict.DISALLOW_ALL:
        return None
    return parse_robots(answer.body) if verdict is RobotsVerdict.PARSE else RobotsPolicy.allow_all()


def _now() -> datetime:
    return datetime.now(UTC)
