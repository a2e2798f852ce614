"""The daily requests to an origin: robots.txt, tdmrep.json, and a page that cannot exist, shared by like sources.

An answer is kept under a name that includes the asker: another user agent may get another answer, and an answer from a
network that one source may reach is not valid for another.
"""

import asyncio
import hashlib
from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
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
from tasks.politeness.limiter import HostWaits, RateLimiter
from tasks.politeness.rights.documents import SiteDocument, document_of
from tasks.politeness.rights.links import MAX_LICENCES, licence_url
from tasks.politeness.rights.robots_rights import NO_ROBOTS, ReadRobots, read_robots
from tasks.politeness.rights.rsl import Licences, parse_rsl
from tasks.politeness.rights.site import NamedLicence, SiteRights, licence_statements, tdm_statements
from tasks.politeness.robots import (
    MAX_ROBOTS_SIZE,
    RobotsPolicy,
    RobotsVerdict,
    verdict_of_status,
)
from tasks.politeness.tdmrep import TDMREP_PATH, Reservations, parse_tdmrep
from tasks.politeness.way import Way
from tasks.runtime.reading import Reader
from tasks.runtime.workers import Job
from tasks.values.permit import Evidence, LearnedRobots, RobotsAnswer
from tasks.values.rights import PolicyKind
from tasks.values.rows import Signal
from tasks.values.url import Url
from tasks.values.user_agent import product_token
from tasks.web.client import WebClient
from tasks.web.exchange import Exchange, raise_for_status

MAX_CRAWL_DELAY_S = 120.0
"""A longer Crawl-delay is cut to this: some sites require days."""

PARSED_AT_ONCE_SIZE = 8 * 1024
"""Up to this number of bytes, another process costs more than the reading itself."""

MAX_POLICIES = 1000
"""Policies in memory, so that redirects to one host do not read its robots.txt again and again."""

RSL_ACCEPT = "application/rsl+xml, application/xml;q=0.9, */*;q=0.5"

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
        self._reservations: dict[str, tuple[Reservations, SiteDocument | None]] = {}
        self._licences: Kept[tuple[str, str], NamedLicence] = Kept(MAX_POLICIES)
        self._policies: Kept[tuple[str, datetime], ReadRobots] = Kept(MAX_POLICIES)
        self._documents: Kept[tuple[str, datetime], SiteDocument] = Kept(MAX_POLICIES)

    async def policy(self, origin: str, rules: SourceRules) -> RobotsPolicy:
        """Return what the origin's robots.txt allows, and request it if none is kept; raises ItemError, HostWaits."""
        return (await self._robots(origin, rules))[0].policy

    async def _robots(self, origin: str, rules: SourceRules) -> tuple[ReadRobots, RobotsAnswer]:
        name = robots_name(origin, rules)
        async with self._asking[name]:
            kept = await self._limiter.kept_robots(name)
            answer = kept or await self._ask_robots(origin, name, rules)
            read = await self._parsed(answer, origin, rules)
            if kept is None:
                await self._keep(answer, origin, read.policy if read else None, rules, kind=PolicyKind.ROBOTS)
        if read is not None:
            return read, answer
        if answer.status is None and name in self._silences:
            raise self._silences[name]  # says more than "robots.txt unavailable": dns_failed, timed_out
        raise RobotsUnavailable(f"{origin}/robots.txt answered {answer.status or 'nothing'}")

    async def _parsed(self, answer: RobotsAnswer, origin: str, rules: SourceRules) -> ReadRobots | None:
        """Read robots.txt by RFC 9309: 2xx has rules, other answers allow all; None for 5xx or no answer: all is forbidden.

        A long file is read in another process. If that is killed, RobotsUnavailable is raised.
        """
        verdict = verdict_of_status(answer.status)
        if verdict is not RobotsVerdict.PARSE:
            return None if verdict is RobotsVerdict.DISALLOW_ALL else NO_ROBOTS
        key = (answer.origin, answer.fetched_at)
        if (known := self._policies.get(key)) is None:
            known = await self._read(read_robots, answer.body, rules.user_agent, item=f"{origin}/robots.txt")
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

    async def rights(self, origin: str, rules: SourceRules, *, wants_tdm: bool) -> SiteRights:
        """Return what the documents of an origin say, and request those that none is kept of; raises ItemError, HostWaits.

        Those are robots.txt, the licences that it names and, where that is wanted, tdmrep.json.
        """
        read, answer = await self._robots(origin, rules)
        tdm, tdm_document = await self._tdm(origin, read.policy, rules) if wants_tdm else (None, None)
        named = (licence_url(one, base=origin) for one in read.rights.licences[:MAX_LICENCES])
        urls = tuple(dict.fromkeys(one for one in named if one is not None))
        return SiteRights(
            policy=read.policy,
            robots=read.rights,
            robots_document=self._document(PolicyKind.ROBOTS, origin, answer, read.rights.statements),
            tdm=tdm,
            tdm_document=tdm_document,
            licences=await self.licences(origin, urls, rules),
        )

    async def _tdm(
        self, origin: str, policy: RobotsPolicy, rules: SourceRules
    ) -> tuple[Reservations, SiteDocument | None]:
        """Return the origin's tdmrep.json, and request it if none is kept; raises HostWaits.

        It is kept like robots.txt, under its own address. One that cannot be fetched reserves nothing.
        """
        url = Url(f"{origin}{TDMREP_PATH}")
        name = f"{url}#{mark_of(rules)}"
        async with self._asking[name]:
            if name in self._reservations:
                return self._reservations[name]
            ask = partial(self._ask_file, name, url, rules, accept="application/json, */*;q=0.5")
            answer = await self._kept_or_asked(name, url, policy, rules, ask=ask, kind=PolicyKind.TDMREP)
            is_said = answer.status is not None and 200 <= answer.status < 300
            said = await self._read(parse_tdmrep, answer.body, item=url) if is_said else Reservations.none_said()
            document = self._document(PolicyKind.TDMREP, origin, answer, tdm_statements(said) if is_said else ())
            self._reservations[name] = said, document
        return said, document

    async def licences(self, origin: str, urls: Sequence[Url], rules: SourceRules) -> tuple[NamedLicence, ...]:
        """Return the RSL documents that an origin or one of its pages names, asked for once a day; raises HostWaits.

        What cannot be had, or is no RSL, grants nothing.
        """
        return tuple([await self._licence(origin, url, rules) for url in urls[:MAX_LICENCES]])

    async def _licence(self, origin: str, url: Url, rules: SourceRules) -> NamedLicence:
        name = f"{url}#rsl={mark_of(rules)}"
        async with self._asking[name]:
            if known := self._licences.get((origin, name)):
                return known
            ask = partial(self._ask_file, name, url, rules, accept=RSL_ACCEPT)
            try:
                policy = await self.policy(url.origin, rules)
                answer = await self._kept_or_asked(
                    name, url, policy, rules, ask=ask, kind=PolicyKind.RSL, origin=origin
                )
            except ItemError as error:
                return _unlicensed(url, error.counted_as)
            except HostWaits:
                if url.host == Url.of(origin).host:
                    raise
                return _unlicensed(url, "its host requires a wait")  # which is no reason for this one to wait
            if answer.status is not None and 200 <= answer.status < 300:
                said = await self._read(parse_rsl, answer.body, item=url)
            else:
                said = Licences(fault=f"not to be had: it answered {answer.status or 'nothing'}")
            document = self._document(
                PolicyKind.RSL, origin, answer, licence_statements(said), max_age_days=said.max_age_days
            )
            found = NamedLicence(url=url, licences=said, document=document)
            self._licences.keep((origin, name), found)
        return found

    def _document(
        self,
        kind: PolicyKind,
        origin: str,
        answer: RobotsAnswer,
        statements: tuple[Signal, ...],
        *,
        max_age_days: float | None = None,
    ) -> SiteDocument | None:
        key = (f"{origin} {answer.origin}", answer.fetched_at)
        if (known := self._documents.get(key)) is None:
            known = document_of(kind, origin, answer, statements=statements, max_age_days=max_age_days)
            if known is not None:
                self._documents.keep(key, known)
        return known

    async def ask_daily(self, name: str, url: Url, rules: SourceRules) -> RobotsAnswer:
        """Return an origin's answer to a daily request; `name` is the request's.

        403 stands for a request that its robots.txt forbids. Raises HostWaits, and ItemError without a robots.txt.
        """
        name = f"{name}={mark_of(rules)}"
        async with self._asking[name]:
            ask = partial(self._ask_file, name, url, rules, accept=None)
            return await self._kept_or_asked(name, url, await self.policy(url.origin, rules), rules, ask=ask)

    async def _kept_or_asked(
        self,
        name: str,
        url: Url,
        policy: RobotsPolicy,
        rules: SourceRules,
        *,
        ask: Callable[[], Awaitable[RobotsAnswer]],
        kind: PolicyKind | None = None,
        origin: str | None = None,
    ) -> RobotsAnswer:
        """Return what is kept under a name, else what is answered now; `kind` says that it is a document to keep.

        `origin` is the one whose pages it speaks of, where that is another than its own.
        """
        if kept := await self._limiter.kept_robots(name):
            return kept
        if not policy.allows(url, user_agent=rules.user_agent):
            return RobotsAnswer(origin=name, status=403, body=b"", fetched_at=datetime.now(UTC))
        try:
            answer = await ask()
        except ItemError:
            answer = RobotsAnswer(origin=name, status=None, body=b"", fetched_at=datetime.now(UTC))
        await self._keep(answer, url.origin, policy, rules, kind=kind, speaks_of=origin)
        return answer

    async def _ask_file(self, name: str, url: Url, rules: SourceRules, *, accept: str | None) -> RobotsAnswer:
        """Request what is kept under a name; any status is an answer here. Raises ItemError, HostWaits."""
        client, way = await self._client_for(rules), self._way_for(rules)
        async with way.opened(url):
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
        is_good = fetched.final.status < 300
        body = fetched.content if is_good else b""
        return RobotsAnswer(
            origin=name,
            status=fetched.final.status,
            body=body,
            fetched_at=datetime.now(UTC),
            evidence=_evidence(fetched.final, is_good=is_good).pack(),
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
    ) -> None:
        delay_s = policy.crawl_delay_s(product_token(rules.user_agent)) if policy else None
        capped_s = None if delay_s is None else min(delay_s, MAX_CRAWL_DELAY_S)
        document = document_of(kind, speaks_of or origin, answer) if kind else None
        await self._limiter.keep(
            LearnedRobots(
                answer=answer if kind else replace(answer, evidence=None),
                host=Url.of(origin).host,
                crawl_delay_s=capped_s,
                policy_id=document.policy_id if document else None,
            )
        )


def _unlicensed(url: Url, why: str) -> NamedLicence:
    return NamedLicence(url=url, licences=Licences(fault=f"not to be had: {why}"), document=None)


def _evidence(final: Exchange, *, is_good: bool) -> Evidence:
    return Evidence(
        url=final.url,
        request_head=final.request_head,
        response_head=final.response_head,
        body=final.body if is_good else b"",
        address=final.address,
    )
