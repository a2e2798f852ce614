"""Daily requests to an origin: robots.txt, a page that cannot exist, documents. Sources of the same kind share them.

The name of a stored answer includes the requester: the server may answer another user agent differently, and an answer
from a network that one source may reach is not valid for another.
"""

import hashlib
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network
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
from tasks.politeness.keeping import Kept, Locks
from tasks.politeness.limiter import RateLimiter
from tasks.politeness.rights.documents import document_of, form_of
from tasks.politeness.rights.site import NO_ROBOTS, ReadRobots, read_robots
from tasks.politeness.robots import (
    MAX_ROBOTS_SIZE,
    RobotsPolicy,
    RobotsVerdict,
    verdict_of_status,
)
from tasks.politeness.way import Way
from tasks.runtime.reading import Reader
from tasks.runtime.workers import Job
from tasks.values.permit import Evidence, LearnedRobots, RobotsAnswer
from tasks.values.rights import PolicyKind
from tasks.values.url import Url
from tasks.values.user_agent import product_token
from tasks.web.client import WebClient
from tasks.web.exchange import Exchange, raise_for_status

MAX_CRAWL_DELAY_S = 120.0
"""A longer Crawl-delay is capped at this: some sites require days."""

PARSED_AT_ONCE_SIZE = 8 * 1024
"""Parse bodies up to this size here: another process costs more than parsing them."""

MAX_POLICIES = 500
"""Policies in memory, one per origin visited at once: redirects to one host need not parse its robots.txt again."""

MAX_SILENCES = 100
"""Errors in memory that explain missing robots.txt answers. Each holds its stack frames, about 10 kB."""

T = TypeVar("T")
Networks = tuple[IPv4Network | IPv6Network, ...]


class _MayNot(Exception):
    """The request for a document is no longer allowed today."""


def networks_of(rules: SourceRules) -> tuple[str, ...]:
    """Return the networks that a source may reach besides the public internet, as text."""
    return _spelled(rules.allow_networks)


def mark_of(rules: SourceRules) -> str:
    """Return a value that is equal for sources with the same user agent and networks."""
    return _mark(rules.user_agent, rules.allow_networks)


@lru_cache(maxsize=1024)  # each request needs it several times, and few values differ
def _mark(user_agent: str, networks: Networks) -> str:
    identity = "\n".join((user_agent, *sorted(_spelled(networks))))
    return hashlib.sha256(identity.encode()).hexdigest()[:12]


@lru_cache(maxsize=1024)
def _spelled(networks: Networks) -> tuple[str, ...]:
    return tuple(map(str, networks))


def robots_name(origin: str, rules: SourceRules) -> str:
    """Return the name under which an origin's robots.txt is stored, for sources like this one."""
    return f"{origin}#robots={mark_of(rules)}"


class SiteFiles:
    """The files of the sites that one client visits. Every request holds its host's permit."""

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
        self._silences: Kept[str, TransientError] = Kept(MAX_SILENCES)
        self._asking: Locks[str] = Locks()
        self._policies: Kept[tuple[str, datetime], ReadRobots] = Kept(MAX_POLICIES)

    async def policy(self, origin: str, rules: SourceRules) -> RobotsPolicy:
        """Return what the origin's robots.txt allows; request it if none is stored. Raises ItemError, HostWaits."""
        return (await self.robots(origin, rules))[0].policy

    async def robots(self, origin: str, rules: SourceRules) -> tuple[ReadRobots, RobotsAnswer]:
        """Return an origin's robots.txt, parsed and as received. Raises ItemError, HostWaits."""
        name = robots_name(origin, rules)
        async with self._asking.of(name):
            kept = await self._limiter.kept_robots(name)
            answer = kept or await self._ask_robots(origin, name, rules)
            read = await self._parsed(answer, origin, rules)
            if kept is None:
                policy = read.policy if read else None
                answer = await self._keep(answer, origin, policy, rules, kind=PolicyKind.ROBOTS)
        if read is not None:
            return read, answer
        if answer.status is None and (silence := self._silences.get(name)):
            raise silence  # more specific than RobotsUnavailable: dns_failed, timed_out
        raise RobotsUnavailable(f"{origin}/robots.txt answered {answer.status or 'nothing'}")

    async def _parsed(self, answer: RobotsAnswer, origin: str, rules: SourceRules) -> ReadRobots | None:
        """Parse robots.txt by RFC 9309. Other answers allow everything; None (5xx, 429 or no response) forbids it.

        A long file is parsed in another process. If that is killed, raises RobotsUnavailable.
        """
        verdict = verdict_of_status(answer.status)
        if verdict is not RobotsVerdict.PARSE:
            return None if verdict is RobotsVerdict.DISALLOW_ALL else NO_ROBOTS
        key = (answer.origin, answer.fetched_at)
        if (known := self._policies.get(key)) is None:
            known = await self.read(read_robots, answer.body, rules.user_agent, item=f"{origin}/robots.txt")
            self._policies.keep(key, known)
        return known

    async def read(self, read: Callable[..., T], body: bytes, *more: object, item: str) -> T:
        """Parse a daily file, a long one in another process. Raises RobotsUnavailable if that is killed."""
        if len(body) <= PARSED_AT_ONCE_SIZE:
            return read(body, *more)
        return await self._reader.read(Job(read, (body, *more), item, RobotsUnavailable, RobotsUnavailable))

    async def _ask_robots(self, origin: str, name: str, rules: SourceRules) -> RobotsAnswer:
        """Request robots.txt. A missing response is stored for a while, too (RFC 9309, 2.3.1.4)."""
        try:
            return await self._ask_file(name, Url(f"{origin}/robots.txt"), rules, accept="text/plain, */*;q=0.5")
        except TooManyRedirects:
            return RobotsAnswer(origin=name, status=404, body=b"", fetched_at=datetime.now(UTC))
        except TransientError as error:
            self._silences.keep(name, error)
            return RobotsAnswer(origin=name, status=None, body=b"", fetched_at=datetime.now(UTC))

    async def ask_daily(self, name: str, url: Url, rules: SourceRules) -> RobotsAnswer:
        """Return an origin's answer to a daily request. `name` identifies the request.

        Status 403 stands for a request that robots.txt forbids. Raises HostWaits, and ItemError if robots.txt is
        unavailable.
        """
        name = f"{name}={mark_of(rules)}"
        async with self._asking.of(name):
            policy = await self.policy(url.origin, rules)
            if kept := await self._limiter.kept_robots(name):
                return kept
            return await self._ask_and_keep(name, url, policy, rules, accept=None)

    async def ask_document(
        self,
        name: str,
        url: Url,
        rules: SourceRules,
        *,
        accept: str,
        kind: PolicyKind,
        speaks_of: str,
        may_ask: Callable[[], Awaitable[bool]],
    ) -> RobotsAnswer | None:
        """Request a document and store the answer; return None if `may_ask` denies it once the permit is there.

        `speaks_of` is the origin whose pages it is about. Raises HostWaits, and ItemError if robots.txt is unavailable.
        """
        async with self._asking.of(name):
            policy = await self.policy(url.origin, rules)
            try:
                return await self._ask_and_keep(
                    name, url, policy, rules, accept=accept, kind=kind, speaks_of=speaks_of, may_ask=may_ask
                )
            except _MayNot:
                return None

    async def note(
        self, answer: RobotsAnswer, origin: str, policy: RobotsPolicy, rules: SourceRules, *, form: str
    ) -> None:
        """Store a fact about an origin under its own name."""
        await self._keep(answer, origin, policy, rules, form=form)

    async def _ask_and_keep(
        self,
        name: str,
        url: Url,
        policy: RobotsPolicy,
        rules: SourceRules,
        *,
        accept: str | None,
        kind: PolicyKind | None = None,
        speaks_of: str | None = None,
        may_ask: Callable[[], Awaitable[bool]] | None = None,
    ) -> RobotsAnswer:
        """Return the current answer, 403 if robots.txt forbids the request. `kind` marks a document to keep."""
        if not policy.allows(url, user_agent=rules.user_agent):
            return RobotsAnswer(origin=name, status=403, body=b"", fetched_at=datetime.now(UTC))
        try:
            answer = await self._ask_file(name, url, rules, accept=accept, may_ask=may_ask)
        except ItemError:
            answer = RobotsAnswer(origin=name, status=None, body=b"", fetched_at=datetime.now(UTC))
        return await self._keep(answer, url.origin, policy, rules, kind=kind, speaks_of=speaks_of)

    async def _ask_file(
        self,
        name: str,
        url: Url,
        rules: SourceRules,
        *,
        accept: str | None,
        may_ask: Callable[[], Awaitable[bool]] | None = None,
    ) -> RobotsAnswer:
        """Request a file to be stored under a name. Any status is an answer. Raises ItemError, HostWaits."""
        client, way = await self._client_for(rules), self._way_for(rules)
        async with way.opened(url.site):
            # another run may have requested it while this one waited for the permit
            if kept := await self._limiter.kept_robots(name):
                return kept
            if may_ask is not None and not await may_ask():
                raise _MayNot
            fetched = await client.get(
                url,
                accept=accept,
                max_wire_size=MAX_ROBOTS_SIZE,
                max_decoded_size=MAX_ROBOTS_SIZE,
                on_redirect=lambda target: way.follow(target.site),
                cut=True,
                asker=rules.source_id,
            )
            with suppress(HttpStatusError, BadResponse), way.noting():  # records a wait that the server requests
                raise_for_status(fetched, now=datetime.now(UTC))
        is_good = fetched.status < 300
        body = fetched.content if is_good else b""
        return RobotsAnswer(
            origin=name,
            status=fetched.status,
            body=body,
            fetched_at=datetime.now(UTC),
            evidence=evidence_of(fetched, body=fetched.body if is_good else b"").pack(),
        )

    async def _keep(
        self,
        answer: RobotsAnswer,
        origin: str,
        policy: RobotsPolicy | None,
        rules: SourceRules,
        *,
        kind: PolicyKind | None = None,
        speaks_of: str | None = None,
        form: str | None = None,
    ) -> RobotsAnswer:
        """Store an answer and return it as stored: a document that has returned gets another turn."""
        delay_s = policy.crawl_delay_s(product_token(rules.user_agent)) if policy else None
        document = document_of(kind, speaks_of or origin, answer) if kind else None
        await self._limiter.keep(
            LearnedRobots(
                answer=answer if kind else replace(answer, evidence=None),
                host=Url.of(origin).host,
                crawl_delay_s=None if delay_s is None else min(delay_s, MAX_CRAWL_DELAY_S),
                policy_id=document.policy_id if document else None,
                form=form_of(answer, document.evidence) if document else form,
            )
        )
        kept = await self._limiter.kept_answer(answer.origin) if document else None
        return answer if kept is None else replace(answer, turn=kept.turn)


def evidence_of(final: Exchange, *, body: bytes) -> Evidence:
    """Return the evidence of an exchange, with this body."""
    return Evidence(
        url=final.url,
        request_head=final.request_head,
        response_head=final.response_head,
        body=body,
        address=final.address,
    )
