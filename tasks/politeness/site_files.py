"""The daily requests to an origin: robots.txt, tdmrep.json, and a page that cannot exist, shared by like sources.

An answer is kept under a name that includes the asker: another user agent may get another answer, and an answer from a
network that one source may reach is not valid for another.
"""

import asyncio
import hashlib
from collections import defaultdict
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import UTC, datetime
from typing import TypeVar

from tasks.config.catalogue import SourceRules
from tasks.errors import (
    BadResponse,
    HttpStatusError,
    ItemError,
    RobotsUnavailable,
    TooManyRedirects,
    TransientError,
)
from tasks.politeness.keeping import Kept
from tasks.politeness.limiter import RateLimiter
from tasks.politeness.robots import (
    MAX_ROBOTS_SIZE,
    RobotsPolicy,
    RobotsVerdict,
    policy_for,
    product_token,
    verdict_of_status,
)
from tasks.politeness.tdmrep import TDMREP_PATH, Reservations, parse_tdmrep
from tasks.politeness.way import Way
from tasks.runtime.reading import Reader
from tasks.runtime.workers import Job
from tasks.values.permit import LearnedRobots, RobotsAnswer
from tasks.values.url import Url
from tasks.web.client import WebClient
from tasks.web.exchange import raise_for_status

MAX_CRAWL_DELAY_S = 120.0
"""A longer Crawl-delay is cut to this: some sites require days."""

PARSED_AT_ONCE_SIZE = 8 * 1024
"""Up to this number of bytes, another process costs more than the reading itself."""

MAX_POLICIES = 1000
"""Policies in memory, so that redirects to one host do not read its robots.txt again and again."""

T = TypeVar("T")


def networks_of(rules: SourceRules) -> tuple[str, ...]:
    """Return the networks that a source may reach beside the public internet, as text."""
    return tuple(str(network) for network in rules.allow_networks)


def mark_of(rules: SourceRules) -> str:
    """Return a value that is equal for sources with the same user agent and networks."""
    said = "\n".join((rules.user_agent, *sorted(networks_of(rules))))
    return hashlib.sha256(said.encode()).hexdigest()[:12]


def robots_name(origin: str, rules: SourceRules) -> str:
    """Return the name under which an origin's robots.txt is kept, for sources like this one."""
    return f"{origin}#robots={mark_of(rules)}"


class SiteFiles:
    """The files of the sites that one client visits; every request has its host's permit."""

    def __init__(
        self,
        limiter: RateLimiter,
        *,
        client_for: Callable[[SourceRules], Awaitable[WebClient]],
        way_for: Callable[[SourceRules], Way],
        reader: Reader,
    ) -> None:
        self._limiter = limiter
        self._client_for = client_for
        self._way_for = way_for
        self._reader = reader
        self._silences: dict[str, TransientError] = {}
        self._asking: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._reservations: dict[str, Reservations] = {}
        self._policies: Kept[tuple[str, datetime], RobotsPolicy] = Kept(MAX_POLICIES)

    async def policy(self, origin: str, rules: SourceRules) -> RobotsPolicy:
        """Return the origin's robots.txt, and request it if none is kept; raises ItemError, HostWaits."""
        name = robots_name(origin, rules)
        async with self._asking[name]:
            kept = await self._limiter.kept_robots(name)
            answer = kept or await self._ask_robots(origin, name, rules)
            policy = await self._parsed(answer, origin, rules)
            if kept is None:
                await self._keep(answer, origin, policy, rules)
        if policy is not None:
            return policy
        if answer.status is None and name in self._silences:
            raise self._silences[name]  # says more than "robots.txt unavailable": dns_failed, timed_out
        raise RobotsUnavailable(f"{origin}/robots.txt answered {answer.status or 'nothing'}")

    async def _parsed(self, answer: RobotsAnswer, origin: str, rules: SourceRules) -> RobotsPolicy | None:
        """Read robots.txt by RFC 9309: 2xx has rules, other answers allow all; None for 5xx or no answer: all is forbidden.

        A long file is read in another process. If that is killed, RobotsUnavailable is raised.
        """
        verdict = verdict_of_status(answer.status)
        if verdict is not RobotsVerdict.PARSE:
            return None if verdict is RobotsVerdict.DISALLOW_ALL else RobotsPolicy.allow_all()
        key = (answer.origin, answer.fetched_at)
        if (known := self._policies.get(key)) is None:
            known = await self._read(policy_for, answer.body, rules.user_agent, item=f"{origin}/robots.txt")
            self._policies.keep(key, known)
        return known

    async def _read(self, read: Callable[..., T], body: bytes, *more: object, item: str) -> T:
        """Read a daily file, a long one in another process; raises RobotsUnavailable if that is killed."""
        if len(body) <= PARSED_AT_ONCE_SIZE:
            return read(body, *more)
        return await self._reader.read(Job(read, (body, *more), item, RobotsUnavailable, RobotsUnavailable))

    async def _ask_robots(self, origin: str, name: str, rules: SourceRules) -> RobotsAnswer:
        """Request robots.txt; a missing answer counts as one (RFC 9309, 2.3.1.4), and is kept for a while."""
        try:
            return await self._ask_file(name, Url(f"{origin}/robots.txt"), rules, accept="text/plain, */*;q=0.5")
        except TooManyRedirects:
            return RobotsAnswer(origin=name, status=404, body=b"", fetched_at=datetime.now(UTC))
        except TransientError as error:
            self._silences[name] = error
            return RobotsAnswer(origin=name, status=None, body=b"", fetched_at=datetime.now(UTC))

    async def learn_rights(self, origin: str, policy: RobotsPolicy, rules: SourceRules) -> None:
        """Load the origin's tdmrep.json, and request it if none is kept; raises HostWaits.

        It is kept like robots.txt, under its own address. One that cannot be fetched reserves nothing.
        """
        url = Url(f"{origin}{TDMREP_PATH}")
        name = f"{url}#{mark_of(rules)}"
        async with self._asking[name]:
            if name in self._reservations:
                return
            answer = await self._kept_or_asked(name, url, policy, rules, accept="application/json, */*;q=0.5")
        is_said = answer.status is not None and 200 <= answer.status < 300
        said = await self._read(parse_tdmrep, answer.body, item=url) if is_said else Reservations.none_said()
        self._reservations[name] = said

    def is_reserved(self, url: Url, rules: SourceRules) -> bool | None:
        """Return whether tdmrep.json reserves a page's rights, None where it says nothing; raises BadUrl."""
        return self._reservations[f"{url.origin}{TDMREP_PATH}#{mark_of(rules)}"].says(url)

    async def ask_daily(self, name: str, url: Url, rules: SourceRules) -> RobotsAnswer:
        """Return an origin's answer to a daily request; `name` is the request's.

        403 stands for a request that its robots.txt forbids. Raises HostWaits, and ItemError without a robots.txt.
        """
        name = f"{name}={mark_of(rules)}"
        async with self._asking[name]:
            return await self._kept_or_asked(name, url, await self.policy(url.origin, rules), rules)

    async def _kept_or_asked(
        self, name: str, url: Url, policy: RobotsPolicy, rules: SourceRules, *, accept: str | None = None
    ) -> RobotsAnswer:
        if kept := await self._limiter.kept_robots(name):
            return kept
        if not policy.allows(url, user_agent=rules.user_agent):
            return RobotsAnswer(origin=name, status=403, body=b"", fetched_at=datetime.now(UTC))
        try:
            answer = await self._ask_file(name, url, rules, accept=accept)
        except ItemError:
            answer = RobotsAnswer(origin=name, status=None, body=b"", fetched_at=datetime.now(UTC))
        await self._keep(answer, url.origin, policy, rules)
        return answer

    async def _ask_file(self, name: str, url: Url, rules: SourceRules, *, accept: str | None) -> RobotsAnswer:
        """Request what is kept under a name; any status is an answer here. Raises ItemError, HostWaits."""
        client, way = await self._client_for(rules), self._way_for(rules)
        async with way.opened(url.site):
            # Another run may have asked while we waited for the permit.
            if kept := await self._limiter.kept_robots(name):
                return kept
            fetched = await client.get(
                url,
                accept=accept,
                max_wire_size=MAX_ROBOTS_SIZE,
                max_decoded_size=MAX_ROBOTS_SIZE,
                on_redirect=way.follow,
                cut=True,
                asker=rules.source_id,
            )
            with suppress(HttpStatusError, BadResponse), way.noting():  # what it asks of us is heeded
                raise_for_status(fetched, now=datetime.now(UTC))
        body = fetched.content if fetched.final.status < 300 else b""
        return RobotsAnswer(origin=name, status=fetched.final.status, body=body, fetched_at=datetime.now(UTC))

    async def _keep(self, answer: RobotsAnswer, origin: str, policy: RobotsPolicy | None, rules: SourceRules) -> None:
        delay_s = policy.crawl_delay_s(product_token(rules.user_agent)) if policy else None
        capped_s = None if delay_s is None else min(delay_s, MAX_CRAWL_DELAY_S)
        await self._limiter.keep(LearnedRobots(answer=answer, host=Url.of(origin).host, crawl_delay_s=capped_s))
