"""The lines of a robots.txt that are no Allow and no Disallow, by group: Content-Usage, Content-Signal, License. Pure.

Groups are those of RFC 9309: an unknown line disturbs none (2.2.4). Content-Usage alone is a rule
(draft-ietf-aipref-attach-05), so that agents that follow one begin another group. Allow and Disallow are read by
tasks.politeness.robots, which agrees with Google's reference and takes Content-Usage for an unknown line: if the two
readings differ, `is_split` says so.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from tasks.politeness.robots import RobotsText
from tasks.values.user_agent import product_token

EVERYONE = "*"
MAX_LINES = 200
"""Lines of one kind and group that are kept; a document of thousands has its bytes, and is said to be cut."""

_TOKEN = re.compile(r"[a-z_-]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class RightsGroup:
    """What one group says of rights. `agents` are lower-case names as far as RFC 9309 reads them."""

    agents: tuple[str, ...]
    usages: tuple[str, ...] = ()
    signals: tuple[str, ...] = ()
    licences: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RightsLines:
    """What a robots.txt says of rights. `licences` are before any group, as are `stray` lines, which are for nobody."""

    groups: tuple[RightsGroup, ...] = ()
    licences: tuple[str, ...] = ()
    stray: tuple[tuple[str, str], ...] = ()
    is_html: bool = False
    is_cut: bool = False
    is_split: bool = False

    def for_agent(self, user_agent: str) -> tuple[str, tuple[RightsGroup, ...]]:
        """Return whose groups count for an agent, its own name or `*`, and those groups; nothing of `*` is inherited."""
        name = product_token(user_agent).lower()
        for one in (name, EVERYONE):
            if found := tuple(group for group in self.groups if one in group.agents):
                return one, found
        return EVERYONE, ()


def rights_lines_of(text: RobotsText) -> RightsLines:
    """Read a robots.txt; of a page of HTML, no line counts."""
    if text.is_html:
        return RightsLines(is_html=True, is_cut=text.is_cut)
    reader = _Reader()
    for key, value in text.fields:
        reader.take(key, value)
    reader.close()
    return RightsLines(
        groups=tuple(reader.groups),
        licences=tuple(reader.licences[:MAX_LINES]),
        stray=tuple(reader.stray[:MAX_LINES]),
        is_cut=text.is_cut,
        is_split=reader.is_split,
    )


def usage_path(value: str) -> tuple[str | None, str]:
    """Return the path of a Content-Usage or Content-Signal line, None without one, and what it says there."""
    if not value.startswith("/"):
        return None, value
    path, *rest = value.split(maxsplit=1)
    return path, rest[0] if rest else ""


@dataclass(slots=True)
class _Reader:
    groups: list[RightsGroup] = field(default_factory=list)
    licences: list[str] = field(default_factory=list)
    stray: list[tuple[str, str]] = field(default_factory=list)
    agents: dict[str, None] = field(default_factory=dict)
    held: dict[str, list[str]] = field(default_factory=dict)
    has_rule: bool = False
    has_path_rule: bool = False
    is_split: bool = False

    def take(self, key: str, value: str) -> None:
        if key.startswith(("user-agent", "useragent", "user agent")):
            if self.has_rule:
                # without Allow or Disallow, the other reading has one group where this one has two
                self.is_split = self.is_split or not self.has_path_rule
                self.close()
            self.agents[agent_name(value)] = None
        elif key.startswith(
            ("allow", "disallow", "dissallow", "dissalow", "disalow", "diaslow", "diasllow", "disallaw")
        ):
            if self.agents:
                self.has_rule = self.has_path_rule = True
        elif key == "license" and not self.agents:
            self.licences.append(value)
        elif key in {"content-usage", "content-signal", "license"}:
            if not self.agents:
                self.stray.append((key, value))
                return
            if len(lines := self.held.setdefault(key, [])) < MAX_LINES:
                lines.append(value)
            self.has_rule = self.has_rule or key == "content-usage"

    def close(self) -> None:
        if self.agents:
            self.groups.append(
                RightsGroup(
                    agents=tuple(self.agents),
                    usages=tuple(self.held.get("content-usage", ())),
                    signals=tuple(self.held.get("content-signal", ())),
                    licences=tuple(self.held.get("license", ())),
                )
            )
        self.agents, self.held = {}, {}
        self.has_rule = self.has_path_rule = False


def agent_name(value: str) -> str:
    """Return the name of a User-agent line, lower-case; `* everybody` is the star, too."""
    if value.split(maxsplit=1)[:1] == [EVERYONE]:
        return EVERYONE
    found = _TOKEN.match(value.lower())
    return found[0] if found else ""


def merged(groups: Iterable[RightsGroup]) -> RightsGroup:
    """Return several groups of one agent as one (RFC 9309, 2.2.1)."""
    several = tuple(groups)

    def every(name: str) -> Iterator[str]:
        return (value for one in several for value in getattr(one, name))

    return RightsGroup(
        agents=tuple(dict.fromkeys(every("agents"))),
        usages=tuple(every("usages")),
        signals=tuple(every("signals")),
        licences=tuple(dict.fromkeys(every("licences"))),
    )
