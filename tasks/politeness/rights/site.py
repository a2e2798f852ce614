"""Rights stated by the documents of one origin about its pages: by robots.txt alone, and by all together. Pure.

In robots.txt these are Content-Usage, Content-Signal, License, and the AI crawlers that it names.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache

from tasks.politeness.rights.content_signal import content_signals
from tasks.politeness.rights.crawlers import crawlers
from tasks.politeness.rights.documents import SiteDocument
from tasks.politeness.rights.mapping import UNREAD
from tasks.politeness.rights.robots_lines import (
    EVERYONE,
    RightsGroup,
    RightsLines,
    merged,
    rights_lines_of,
    usage_path,
)
from tasks.politeness.rights.rsl import USAGES, Licences, licence_signals
from tasks.politeness.rights.usage import usage_signals
from tasks.politeness.robots import RobotsPolicy, RobotsText, matched_path, policy_of
from tasks.politeness.robots_rules import Group, Rule, path_rule
from tasks.politeness.tdmrep import Reservations
from tasks.values.rights import CRAWLERS, RAW_LENGTH, ROBOTS, RSL, TDMREP, UNREADABLE, UNSET
from tasks.values.rows import Signal
from tasks.values.url import Url
from tasks.values.user_agent import product_token

MAX_STATEMENTS = 300
MAX_CRAWLER_GROUPS = 20
"""The most distinct sets of groups for AI crawlers whose rules are kept. The document itself is stored whole."""

ALLOW, DISALLOW, PARTLY = "allow", "disallow", "partly"

OPEN = RobotsPolicy.allow_all()
_ROOT = Url.parse("http://site.invalid/")


@dataclass(frozen=True, slots=True, kw_only=True)
class PathLine:
    """The value of a line, for a path pattern or for all paths (`rule` None)."""

    path: str
    rule: Rule | None
    value: str

    @property
    def length(self) -> int:
        """The pattern's length: the longest matching pattern counts."""
        return -1 if self.rule is None else self.rule.length


@dataclass(frozen=True, slots=True, kw_only=True)
class ToldCrawlers:
    """AI crawlers named by the same groups, and the rules of these groups."""

    tokens: tuple[str, ...]
    policy: RobotsPolicy


@dataclass(frozen=True, slots=True, kw_only=True)
class RobotsRights:
    """What applies to one agent. `name`: its groups' name, its own or `*`. `statements`: everything in the file."""

    name: str
    usages: tuple[PathLine, ...] = ()
    signals: tuple[PathLine, ...] = ()
    licences: tuple[str, ...] = ()
    crawlers: tuple[ToldCrawlers, ...] = ()
    statements: tuple[Signal, ...] = ()
    is_readable: bool = True

    @property
    def goes_by_path(self) -> bool:
        """Whether it may state different things about different pages."""
        return self.is_readable and bool(self.crawlers or self.usages or self.signals)

    def of_any(self, *, policy_id: str | None) -> Signal:
        """Return the signal for every page that this agent may fetch."""
        value = ALLOW if self.is_readable else UNREADABLE
        return Signal(signal=ROBOTS, scope=self.name, value=value, raw="", policy_id=policy_id)

    def signals_for(self, url: str, *, policy_id: str | None) -> Iterator[Signal]:
        """Yield the signals for a page that this agent may fetch. Raises BadUrl."""
        yield self.of_any(policy_id=policy_id)
        if not self.is_readable:
            return
        for one in self.crawlers:
            if not one.policy.allows(url, user_agent=one.tokens[0]):
                yield Signal(signal=CRAWLERS, scope=" ".join(one.tokens), value=DISALLOW, raw="", policy_id=policy_id)
        for line in _longest(self.usages, url):
            yield from usage_signals(line.value, scope=line.path, policy_id=policy_id)
        for line in _longest(self.signals, url):
            yield from content_signals(line.value, scope=line.path, policy_id=policy_id)


NO_RIGHTS = RobotsRights(name=EVERYONE)
"""The rights of a site without robots.txt."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadRobots:
    """A robots.txt as one agent needs it: what it may fetch, and what is stated about rights."""

    policy: RobotsPolicy
    rights: RobotsRights


NO_ROBOTS = ReadRobots(policy=RobotsPolicy.allow_all(), rights=NO_RIGHTS)


def read_robots(body: bytes, user_agent: str) -> ReadRobots:
    """Parse a robots.txt for one agent."""
    text = RobotsText.of(body)
    every, lines = policy_of(text), rights_lines_of(text)
    own_policy = every.for_agent(user_agent)
    name, groups = lines.for_agent(user_agent)
    own = merged(groups)
    named = tuple(_named_crawlers(every, body))
    rights = RobotsRights(
        name=name if name in _names_of(every) else EVERYONE,
        usages=tuple(map(_path_line, own.usages)),
        signals=tuple(map(_path_line, own.signals)),
        licences=own.licences or lines.licences,
        crawlers=named,
        statements=tuple(_statements(lines, own_policy, named, user_agent))[:MAX_STATEMENTS],
        is_readable=not lines.is_html,
    )
    return ReadRobots(policy=own_policy, rights=rights)


def _names_of(policy: RobotsPolicy) -> set[str]:
    return {name for group in policy.groups for name in group.agents}


def _path_line(value: str) -> PathLine:
    path, statement = usage_path(value)
    return PathLine(path=path or "/", rule=path_rule(path) if path else None, value=statement)


def _longest(lines: tuple[PathLine, ...], url: str) -> list[PathLine]:
    if not lines:
        return []
    path = matched_path(url)
    found = [line for line in lines if line.rule is None or line.rule.matches(path)]
    longest = max((line.length for line in found), default=0)
    return [line for line in found if line.length == longest]


@cache
def _crawler_names() -> tuple[tuple[str, str, bytes], ...]:
    """Return each crawler's token, its name as RFC 9309 parses it, and its full lower-case form."""
    return tuple(
        (crawler.token, product_token(crawler.token).lower(), crawler.token.lower().encode()) for crawler in crawlers()
    )


def _named_crawlers(policy: RobotsPolicy, body: bytes) -> Iterator[ToldCrawlers]:
    """Yield the AI crawlers that have groups of their own, by set of groups.

    RFC 9309 ends a token at its first digit or space (`AI2Bot` becomes `AI`), so the full token must occur in the file.
    """
    text, names = body.lower(), _names_of(policy)
    several: dict[tuple[int, ...], list[str]] = {}
    groups_by_key: dict[tuple[int, ...], tuple[Group, ...]] = {}
    for token, name, whole in _crawler_names():
        if name not in names or whole not in text:
            continue
        groups = tuple(policy.groups_for(token))
        key = tuple(map(id, groups))
        several.setdefault(key, []).append(token)
        groups_by_key[key] = groups
    for key in list(several)[:MAX_CRAWLER_GROUPS]:
        yield ToldCrawlers(tokens=tuple(several[key]), policy=RobotsPolicy(groups_by_key[key]))


def _statements(
    lines: RightsLines, policy: RobotsPolicy, named: tuple[ToldCrawlers, ...], user_agent: str
) -> Iterator[Signal]:
    """Yield everything that the file states, also to other agents. The scope is the agents and the path, if any."""
    if lines.is_html:
        yield _statement(ROBOTS, "", UNREADABLE, "it is a page of HTML")
        return
    if lines.is_cut:
        yield _statement(ROBOTS, "", UNREADABLE, "the file is longer than what is read of it")
    if lines.is_split:
        yield _statement(ROBOTS, "", UNSET, "Content-Usage ends a list of agents here, and for Allow and Disallow not")
    yield _statement(ROBOTS, product_token(user_agent).lower(), _extent(policy), "")
    for one in named:
        yield _statement(CRAWLERS, " ".join(one.tokens), _extent(one.policy), "")
    yield from (_licence(EVERYONE, value) for value in lines.licences)
    for group in lines.groups:
        yield from _of_group(group)
    for key, value in lines.stray:
        yield _statement(key, "", UNSET, f"{key}: {value}")


def _of_group(group: RightsGroup) -> Iterator[Signal]:
    agents = " ".join(group.agents)
    for read, values in ((usage_signals, group.usages), (content_signals, group.signals)):
        for value in values:
            path, statement = usage_path(value)
            yield from read(statement, scope=f"{agents} {path or '/'}"[:RAW_LENGTH])
    yield from (_licence(agents, value) for value in group.licences)


def _licence(agents: str, value: str) -> Signal:
    return _statement(RSL, agents, UNSET, f"License: {value}")


def _extent(policy: RobotsPolicy) -> str:
    """Return whether the site is open, closed or partly open to an agent."""
    if not policy.allows(_ROOT, user_agent=EVERYONE) or not _allows_root(policy):
        return DISALLOW
    return PARTLY if any(_forbids(group) for group in policy.groups) else ALLOW


def _allows_root(policy: RobotsPolicy) -> bool:
    return not any(group.plain.get("/") is False for group in policy.groups)


def _forbids(group: Group) -> bool:
    return any(not allows for allows in group.plain.values()) or any(not rule.allows for rule in group.rules)


def _statement(signal: str, scope: str, value: str, raw: str) -> Signal:
    return Signal(signal=signal, scope=scope[:RAW_LENGTH], value=value, raw=raw[:RAW_LENGTH], policy_id=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedLicence:
    """An RSL licence named by a site or page: its URL, its contents, and its document, if there is one.

    `is_read` False: it was never looked up, so it grants nothing.
    """

    url: str
    licences: Licences
    document: SiteDocument | None
    is_read: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteRights:
    """The documents in force at an origin, for one agent. A part without its document comes from an older version.

    `waits_until`: when the next document that was never looked up may be requested.
    """

    policy: RobotsPolicy = OPEN
    robots: RobotsRights = NO_RIGHTS
    robots_document: SiteDocument | None = None
    tdm: Reservations | None = None
    tdm_document: SiteDocument | None = None
    licences: tuple[NamedLicence, ...] = ()
    waits_until: datetime | None = None

    @property
    def documents(self) -> tuple[SiteDocument, ...]:
        """The documents that exist."""
        several = (self.robots_document, self.tdm_document, *(one.document for one in self.licences))
        return tuple(one for one in several if one is not None)

    @property
    def of_all(self) -> tuple[Signal, ...] | None:
        """The signals for every page that robots.txt allows, or None if they differ by page."""
        if self.tdm is not None or self.licences or self.robots.goes_by_path:
            return None
        return (self.robots.of_any(policy_id=_id(self.robots_document)),)

    def signals_for(self, url: str) -> tuple[Signal, ...]:
        """Return the signals for a page that robots.txt allows. Raises BadUrl."""
        return tuple(self._signals(url))

    def with_licences(self, more: tuple[NamedLicence, ...], *, waits_until: datetime | None = None) -> "SiteRights":
        """Return the rights with further licences, named by a page."""
        known = {licence.url for licence in self.licences}
        licences = (*self.licences, *(licence for licence in more if licence.url not in known))
        return replace(self, licences=licences, waits_until=waits_until or self.waits_until)

    def _signals(self, url: str) -> Iterator[Signal]:
        yield from self.robots.signals_for(url, policy_id=_id(self.robots_document))
        if self.tdm is not None:
            yield from tdm_signals(self.tdm, url, policy_id=_id(self.tdm_document))
        for licence in self.licences:
            if licence.is_read:
                yield from licence_signals(licence.licences, url, policy_id=_id(licence.document))
            else:
                yield Signal(signal=RSL, scope="", value=UNREAD, raw=licence.url[:RAW_LENGTH], policy_id=None)


def tdm_signals(tdm: Reservations, url: str, *, policy_id: str | None) -> Iterator[Signal]:
    """Yield the signal of a tdmrep.json for a page, none if no rule matches. Raises BadUrl."""
    if not tdm.is_readable:
        yield Signal(signal=TDMREP, scope="", value=UNREADABLE, raw="", policy_id=policy_id)
    elif rule := tdm.rule_for(url):
        value = f"tdm-reservation={int(rule.is_reserved)}"
        yield Signal(signal=TDMREP, scope=rule.location[:RAW_LENGTH], value=value, raw=rule.raw, policy_id=policy_id)


def tdm_statements(tdm: Reservations) -> tuple[Signal, ...]:
    """Return everything that a tdmrep.json states."""
    if not tdm.is_readable:
        return (Signal(signal=TDMREP, scope="", value=UNREADABLE, raw="", policy_id=None),)
    return tuple(
        Signal(
            signal=TDMREP,
            scope=rule.location[:RAW_LENGTH],
            value=f"tdm-reservation={int(rule.is_reserved)}",
            raw=rule.raw,
            policy_id=None,
        )
        for rule in tdm.rules
    )


def licence_statements(licences: Licences) -> tuple[Signal, ...]:
    """Return everything that an RSL document states."""
    if licences.fault is not None:
        return (Signal(signal=RSL, scope="", value=UNREADABLE, raw=licences.fault[:RAW_LENGTH], policy_id=None),)
    return tuple(
        Signal(
            signal=RSL,
            scope=f"{content.origin or ''}{content.pattern}"[:RAW_LENGTH],
            value=f"{usage}={answer}",
            raw=content.raw,
            policy_id=None,
        )
        for content in licences.contents
        for usage, answer in zip(USAGES, content.answers, strict=True)
    )


def _id(document: SiteDocument | None) -> str | None:
    return document.policy_id if document else None
