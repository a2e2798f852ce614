"""GETs that keep to robots.txt (RFC 9309), the host's pace and its waits, whoever else is asking it.

The book of slots is shared by all processes (tasks.index.hosts); what is here waits for a slot, asks, and tells.
A visit ends in a `Fetched`, an `ItemError`, or a `Deferred`: the host wants a wait and was not asked.
"""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import count
from types import TracebackType
from typing import Protocol, Self

from tasks.catalogue import SourceRules
from tasks.errors import ItemError, RobotsDisallowed, RobotsUnavailable, ServerBusy, TooManyRedirects, TransientError
from tasks.models import Booking, RobotsAnswer, SlotRequest
from tasks.urls import host_of
from tasks.web.client import Fetched, WebClient, WebConfig, raise_for_status
from tasks.web.guard import AddressGuard
from tasks.web.robots import MAX_ROBOTS_SIZE, RobotsPolicy, origin_of, parse_robots, product_token

MAX_CRAWL_DELAY_S = 120.0
"""A longer Crawl-delay is taken as this one: some sites ask for days."""

UNSPOKEN_WAIT_S = 60.0
"""The wait after a 429 that names none."""


class Book(Protocol):
    """The shared book of slots and robots.txt; calls block, and are made in a thread."""

    def book(self, wanted: Mapping[str, SlotRequest], *, now: datetime) -> Mapping[str, Booking]: ...
    def keep_robots(
        self, answer: RobotsAnswer, slots: SlotRequest, *, crawl_delay_s: float | None, now: datetime
    ) -> Booking: ...
    def hold(self, host: str, *, until: datetime, now: datetime) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """One URL to ask for, once, under its source's rules; `key` is the asker's name for it."""

    key: str
    url: str
    rules: SourceRules
    accept: str | None = None
    etag: str | None = None
    last_modified: str | None = None
    max_wire_size: int | None = None
    max_decoded_size: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Deferred:
    """Not asked for: the host wants a wait until then."""

    until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """What came of a visit: `fetched` where an answer came, whatever its status, and `error` where it is no page."""

    fetched: Fetched | None
    error: ItemError | None
    asked_at: datetime


Tell = Callable[[Visit, Answered | Deferred], None]


class PoliteClient:
    """One batch's way to the web. Lives inside one event loop; an async context manager."""

    def __init__(self, config: WebConfig, book: Book, *, in_flight: int = 50) -> None:
        self._config = config
        self._book = book
        self._stack = AsyncExitStack()
        self._clients: dict[tuple[str, tuple[str, ...]], WebClient] = {}
        self._in_flight = asyncio.Semaphore(in_flight)
        self._at_host: dict[str, asyncio.Semaphore] = {}
        self._held: dict[str, datetime] = {}
        self._is_full: Callable[[], bool] = lambda: False
        self._robots: dict[str, RobotsAnswer] = {}
        self._silences: dict[str, TransientError] = {}
        self._asking_robots: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def __aenter__(self) -> Self:
        await self._stack.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.__aexit__(kind, error, trace)

    async def visit(self, visits: Sequence[Visit], tell: Tell, *, is_full: Callable[[], bool] = lambda: False) -> None:
        """Make all visits, many hosts at once and each at its own pace, and tell what came of each as it comes.

        Once `is_full` is true, nothing more is asked for and the rest is told to be deferred to now.
        """
        self._is_full = is_full
        by_origin: defaultdict[str, list[Visit]] = defaultdict(list)
        for one in visits:
            by_origin[origin_of(one.url)].append(one)
        wanted = {origin: _slots(group) for origin, group in by_origin.items()}
        bookings = await asyncio.to_thread(self._book.book, wanted, now=_now())
        async with asyncio.TaskGroup() as origins:
            for origin, group in by_origin.items():
                origins.create_task(self._visit_origin(origin, group, bookings[origin], tell))

    async def _visit_origin(self, origin: str, group: Sequence[Visit], booking: Booking, tell: Tell) -> None:
        try:
            policy, booking = await self._admit(origin, group, booking)
        except ItemError as error:
            for one in group:
                tell(one, Answered(fetched=None, error=error, asked_at=_now()))
            return
        places = count()
        async with asyncio.TaskGroup() as asking:
            for one in group:
                if policy.allows(one.url, user_agent=one.rules.user_agent):
                    slot_at = booking.first_at + timedelta(seconds=next(places) * booking.delay_s)
                    asking.create_task(self._ask(one, slot_at, tell))
                else:
                    tell(one, Answered(fetched=None, error=RobotsDisallowed(one.url), asked_at=_now()))

    async def _ask(self, one: Visit, slot_at: datetime, tell: Tell) -> None:
        host = host_of(one.url)
        await _sleep_until(slot_at)
        at_host = self._at_host.setdefault(host, asyncio.Semaphore(one.rules.max_per_host))
        fetched, error = None, None
        async with at_host, self._in_flight:
            asked_at = _now()
            until = asked_at if self._is_full() else self._held.get(host)
            if until is not None and until >= asked_at:
                tell(one, Deferred(until=until))
                return
            try:
                fetched = await self._get(one)
                raise_for_status(fetched, now=_now())
            except ItemError as trouble:
                error = trouble
                await self._heed_wait(host, trouble)
        tell(one, Answered(fetched=fetched, error=error, asked_at=asked_at))

    async def _get(self, one: Visit) -> Fetched:
        client = await self._client(one.rules)
        return await client.get(
            one.url,
            etag=one.etag,
            last_modified=one.last_modified,
            accept=one.accept,
            max_wire_size=one.max_wire_size,
            max_decoded_size=one.max_decoded_size,
            on_redirect=partial(self._admit_redirect, one),
        )

    async def _admit_redirect(self, one: Visit, target: str) -> None:
        """Hold a redirect's target to its own host's robots.txt and pace."""
        origin, target_visit = origin_of(target), replace(one, url=target)
        booking = (await asyncio.to_thread(self._book.book, {origin: _slots([target_visit])}, now=_now()))[origin]
        policy, booking = await self._admit(origin, [target_visit], booking)
        if not policy.allows(target, user_agent=one.rules.user_agent):
            raise RobotsDisallowed(target)
        await _sleep_until(booking.first_at)

    async def _admit(self, origin: str, group: Sequence[Visit], booking: Booking) -> tuple[RobotsPolicy, Booking]:
        """Return the origin's policy and the booking for the whole group, asking for robots.txt where it must."""
        if booking.robots is not None:
            return _policy(booking.robots), booking
        rules = group[0].rules
        async with self._asking_robots[origin]:
            await _sleep_until(booking.first_at)
            answer = self._robots.get(origin) or await self._ask_robots(origin, rules)
            self._robots[origin] = answer
            policy = _policy(answer) if _has_answered(answer) else None
            crawl_delay_s = policy.crawl_delay_s(product_token(rules.user_agent)) if policy else None
            capped_s = None if crawl_delay_s is None else min(crawl_delay_s, MAX_CRAWL_DELAY_S)
            booking = await asyncio.to_thread(
                self._book.keep_robots, answer, _slots(group), crawl_delay_s=capped_s, now=_now()
            )
        if policy is None and origin in self._silences:
            raise self._silences[origin]  # says more than "robots.txt unavailable": dns_failed, timed_out
        return policy or _policy(answer), booking

    async def _ask_robots(self, origin: str, rules: SourceRules) -> RobotsAnswer:
        """Ask for robots.txt; a transient silence is an answer too (RFC 9309, 2.3.1.4), and is kept for a while."""
        client = await self._client(rules)
        try:
            fetched = await client.get(
                f"{origin}/robots.txt", accept="text/plain, */*;q=0.5", max_wire_size=MAX_ROBOTS_SIZE, cut=True
            )
        except TooManyRedirects:
            return RobotsAnswer(origin=origin, status=404, body=b"", fetched_at=_now())
        except TransientError as error:
            self._silences[origin] = error
            return RobotsAnswer(origin=origin, status=None, body=b"", fetched_at=_now())
        body = fetched.content[:MAX_ROBOTS_SIZE] if fetched.final.status < 300 else b""
        return RobotsAnswer(origin=origin, status=fetched.final.status, body=body, fetched_at=_now())

    async def _heed_wait(self, host: str, error: ItemError) -> None:
        """Hold the host for everybody when it asks for a wait (Retry-After), or says 429 without one."""
        if not isinstance(error, ServerBusy):
            return
        wait_s = (
            error.retry_after_s
            if error.retry_after_s is not None
            else (UNSPOKEN_WAIT_S if error.status == 429 else None)
        )
        if wait_s is not None:
            until = _now() + timedelta(seconds=wait_s)
            self._held[host] = max(until, self._held.get(host, until))
            await asyncio.to_thread(self._book.hold, host, until=until, now=_now())

    async def _client(self, rules: SourceRules) -> WebClient:
        networks = tuple(str(network) for network in rules.allow_networks)
        key = (rules.user_agent, networks)
        if key not in self._clients:
            client = WebClient(replace(self._config, user_agent=rules.user_agent), guard=AddressGuard(networks))
            self._clients[key] = client
            await self._stack.enter_async_context(client)
        return self._clients[key]


def _slots(group: Sequence[Visit]) -> SlotRequest:
    return SlotRequest(
        host=host_of(group[0].url), count=len(group), delay_s=max(one.rules.crawl_delay_s for one in group)
    )


def _has_answered(answer: RobotsAnswer) -> bool:
    return answer.status is not None and answer.status < 500 and answer.status != 429


def _policy(answer: RobotsAnswer) -> RobotsPolicy:
    """Read an answer by RFC 9309: 2xx says, other answers allow, 5xx and silence disallow until they answer."""
    if not _has_answered(answer):
        said = "nothing" if answer.status is None else answer.status
        raise RobotsUnavailable(f"{answer.origin}/robots.txt answered {said}")
    return parse_robots(answer.body) if answer.status is not None and answer.status < 300 else RobotsPolicy.allow_all()


def _now() -> datetime:
    return datetime.now(UTC)


async def _sleep_until(instant: datetime) -> None:
    wait_s = (instant - _now()).total_seconds()
    if wait_s > 0:
        await asyncio.sleep(wait_s)
