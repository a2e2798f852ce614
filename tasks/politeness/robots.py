"""robots.txt by RFC 9309: bytes to a policy, a policy to answers. Pure.

This matcher agrees with Google's reference (ADR 0009). The reference's Python port is under the GPL, parses the whole
file for each answer (200 ms on a large one) and stops at a line without a separator. Here a policy is parsed once. The
index stores the file's bytes and status, not the policy.
"""

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Self

from tasks.errors import RobotsDisallowed, RobotsTooCostly
from tasks.politeness.robots_rules import Group, Rule, TooMuchWork, Work, normal_path, path_rule, weight_of
from tasks.values.url import Url
from tasks.values.user_agent import product_token, token_of

MAX_ROBOTS_SIZE = 500 * 1024
"""Bytes that are parsed; RFC 9309, 2.5 requires no more."""

_ROBOTS_PATH = "/robots.txt"
_BOM = re.compile(rb"\xef?\xbb?\xbf?")  # like Google, also skip a partial byte order mark
_LINE_END = re.compile(r"\r\n|\n|\r")

# Keys in use, misspellings included. Longer keys that start with them also count.
_AGENT_KEYS = ("user-agent", "useragent", "user agent")
_ALLOW_KEYS = ("allow",)
_DISALLOW_KEYS = ("disallow", "dissallow", "dissalow", "disalow", "diaslow", "diasllow", "disallaw")
_SITEMAP_KEYS = ("sitemap", "site-map")
_DELAY_KEYS = ("crawl-delay", "crawldelay", "crawl delay")


class RobotsVerdict(StrEnum):
    """What the status of a robots.txt means for its site (RFC 9309, 2.3.1)."""

    PARSE = "parse"
    ALLOW_ALL = "allow_all"
    DISALLOW_ALL = "disallow_all"


def verdict_of_status(status: int | None) -> RobotsVerdict:
    """Return the meaning of a status. None means unreachable: disallow all.

    429 is treated like a missing response: a request to slow down does not mean that there are no rules.
    """
    if status is None or status >= 500 or status == 429:
        return RobotsVerdict.DISALLOW_ALL
    return RobotsVerdict.PARSE if 200 <= status < 300 else RobotsVerdict.ALLOW_ALL


def origin_of(url: str) -> str:
    """Return `scheme://host[:port]`, the scope of one robots.txt. Raises BadUrl."""
    return Url.of(url).origin


@dataclass(frozen=True, slots=True)
class RobotsPolicy:
    """The rules of one robots.txt. `sitemaps`: as written, in order, without repeats."""

    groups: tuple[Group, ...] = ()
    sitemaps: tuple[str, ...] = ()

    @classmethod
    def allow_all(cls) -> Self:
        """Return the policy of a site without rules."""
        return cls()

    @classmethod
    def disallow_all(cls) -> Self:
        """Return the policy of a site whose robots.txt is unavailable."""
        return cls((Group.of({"*": 0}, [Rule(("/",), is_anchored=False, allows=False, length=1)], ()),))

    @property
    def allows_all(self) -> bool:
        """Whether every URL is allowed, because there are no rules."""
        return not self.groups

    def allows(self, url: str, *, user_agent: str) -> bool:
        """Whether this user agent or product token may fetch the URL. Raises BadUrl.

        robots.txt itself is always allowed (RFC 9309, 2.2.2). A URL whose verdict is too costly is not.
        """
        try:
            return self._allows(url, user_agent)
        except RobotsTooCostly:
            return False

    def check(self, url: str, *, user_agent: str) -> None:
        """Raise RobotsDisallowed if the URL may not be fetched, RobotsTooCostly if the verdict is too costly."""
        if not self._allows(url, user_agent):
            raise RobotsDisallowed(url)

    def _allows(self, url: str, user_agent: str) -> bool:
        if Url.of(url).parts.path == _ROBOTS_PATH or self.allows_all:
            return True
        path, work = matched_path(url), Work()
        try:
            verdicts = [rule for group in self.groups_for(user_agent) if (rule := group.verdict(path, work))]
        except TooMuchWork as error:
            raise RobotsTooCostly(f"{error} in robots.txt, at {url}") from error
        return not verdicts or max(verdicts, key=weight_of).allows

    def for_agent(self, user_agent: str) -> Self:
        """Return the groups of one user agent, so that the others need not be kept in memory."""
        return replace(self, groups=tuple(self.groups_for(user_agent)))

    def crawl_delay_s(self, user_agent: str) -> float | None:
        """Return the longest Crawl-delay of this user agent or product token, in seconds and uncapped."""
        name = product_token(user_agent).lower()
        delays = [
            delay_s
            for group in self.groups_for(user_agent)
            for places, delay_s in group.delays
            if group.agents.get(name, group.agents.get("*")) in places
        ]
        return max(delays, default=None)

    def groups_for(self, user_agent: str) -> list[Group]:
        """Return the groups that name the agent, or else those of `*` (RFC 9309, 2.2.1)."""
        name = product_token(user_agent).lower()
        return [group for group in self.groups if name in group.agents] or [
            group for group in self.groups if "*" in group.agents
        ]


def matched_path(url: str) -> str:
    """Return the path and query of a URL in the form that `Rule.matches` expects. Raises BadUrl."""
    # `*` and `$` are special in patterns, but literal in paths
    return normal_path(Url.of(url).request_target).replace("*", "%2A").replace("$", "%24")


@dataclass(frozen=True, slots=True)
class RobotsText:
    """The parsed part of a robots.txt: keys and values of its lines, none for HTML. `is_cut`: the file is longer."""

    fields: tuple[tuple[str, str], ...]
    is_html: bool
    is_cut: bool

    @classmethod
    def of(cls, body: bytes) -> Self:
        """Read the lines of a robots.txt, at most its first 500 KiB."""
        plain = _BOM.sub(b"", body[: MAX_ROBOTS_SIZE + 1], count=1)
        text = _cut(plain).decode("utf-8", "surrogateescape")
        is_html = text.lstrip().startswith("<")
        return cls(() if is_html else tuple(robots_fields(text)), is_html, len(body) >= MAX_ROBOTS_SIZE)


def parse_robots(body: bytes) -> RobotsPolicy:
    """Parse a robots.txt, at most its first 500 KiB. Unknown content, such as HTML, yields no rules."""
    return policy_of(RobotsText.of(body))


def policy_of(text: RobotsText) -> RobotsPolicy:
    """Return the rules of a robots.txt."""
    reader = _Reader()
    for key, value in text.fields:
        reader.take(key, value)
    return reader.policy()


def policy_for(body: bytes, user_agent: str) -> RobotsPolicy:
    """Parse the rules of one user agent."""
    return parse_robots(body).for_agent(user_agent)


def sitemaps_in(body: bytes) -> tuple[str, ...]:
    """Return the sitemaps named in a robots.txt."""
    return parse_robots(body).sitemaps


def _cut(body: bytes) -> bytes:
    if len(body) <= MAX_ROBOTS_SIZE:
        return body
    body = body[:MAX_ROBOTS_SIZE]
    # a partial line would be a different rule
    return body[: max(body.rfind(b"\n"), body.rfind(b"\r")) + 1]


def robots_fields(text: str) -> Iterator[tuple[str, str]]:
    """Yield each line's lower-case key and its value, without comments. Skips lines without a key."""
    for raw in _LINE_END.split(text):
        line = raw.partition("#")[0].strip()
        key, colon, value = line.partition(":")
        if not colon:
            # the colon may be missing; a line of two words is still clear
            words = line.split()
            key, value = words if len(words) == 2 else ("", "")
        if key := key.strip().lower():
            yield key, value.strip()


@dataclass(slots=True)
class _Reader:
    """The groups parsed so far. Agents that follow a rule start a new group."""

    groups: list[Group] = field(default_factory=list)
    sitemaps: dict[str, None] = field(default_factory=dict)
    agents: dict[str, int] = field(default_factory=dict)
    rules: list[Rule] = field(default_factory=list)
    delays: list[tuple[range, float]] = field(default_factory=list)
    first_of_row: int = 0
    is_row_over: bool = False
    has_rule: bool = False

    def take(self, key: str, value: str) -> None:
        if key.startswith(_AGENT_KEYS):
            if self.has_rule:
                self._close()
            if self.is_row_over:
                self.first_of_row, self.is_row_over = len(self.agents), False
            self.agents.setdefault(_agent_name(value), len(self.agents))
        elif key.startswith(_ALLOW_KEYS):
            self._add(value, allows=True)
        elif key.startswith(_DISALLOW_KEYS):
            self._add(value, allows=False)
        elif key.startswith(_SITEMAP_KEYS):
            if value:
                self.sitemaps[value] = None
        elif key.startswith(_DELAY_KEYS) and (delay_s := _delay_s(value)) is not None:
            # only a rule ends a group (RFC 9309, 2.2.4), but authors mean that a delay ends a list of agents
            self.delays.append((range(self.first_of_row, len(self.agents)), delay_s))
            self.is_row_over = True

    def policy(self) -> RobotsPolicy:
        self._close()
        return RobotsPolicy(tuple(self.groups), tuple(self.sitemaps))

    def _add(self, value: str, *, allows: bool) -> None:
        if not self.agents:
            return  # rules before any group apply to no agent
        self.has_rule = True
        if not value:
            return  # an empty Disallow forbids nothing (RFC 9309, 2.2.2)
        self.rules.append(path_rule(value, allows=allows))
        folder, slash, page = value.rpartition("/")
        if allows and slash and page.startswith("index.htm"):
            # allowing a folder's index page allows the folder
            self.rules.append(path_rule(f"{folder}/$", allows=True))

    def _close(self) -> None:
        if self.agents:
            self.groups.append(Group.of(self.agents, self.rules, tuple(self.delays)))
        self.agents, self.rules, self.delays = {}, [], []
        self.first_of_row, self.is_row_over, self.has_rule = 0, False, False


def _agent_name(value: str) -> str:
    # `* everybody` also means `*`
    return "*" if value.split(maxsplit=1)[:1] == ["*"] else token_of(value).lower()


def _delay_s(value: str) -> float | None:
    try:
        delay_s = float(value)
    except ValueError:
        return None
    return delay_s if math.isfinite(delay_s) and delay_s >= 0 else None
