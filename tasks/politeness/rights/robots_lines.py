"""Lines of robots.txt other than Allow and Disallow, by group: Content-Usage, Content-Signal, License. Pure.

Groups are those of RFC 9309: unknown lines do not end one (2.2.4). Only Content-Usage is a rule
(draft-ietf-aipref-attach-05), so agents after it start a new group. tasks.politeness.robots reads Allow and Disallow;
it agrees with Google's reference and treats Content-Usage as unknown. `is_split` marks files that the two read
differently.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from tasks.politeness.robots import RobotsText
from tasks.values.user_agent import product_token

EVERYONE = "*"
MAX_LINES = 200
"""The most lines kept per kind and group. The document itself is stored whole."""

_TOKEN = re.compile(r"[a-z_-]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class RightsGroup:
    """What one group states about rights. `agents` are lower-case names, as RFC 9309 reads them."""

    agents: tuple[str, ...]
    usages: tuple[str, ...] = ()
    signals: tuple[str, ...] = ()
    licences: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RightsLines:
    """What a robots.txt states about rights. `licences` and `stray` lines, which apply to nobody, precede any group."""

    groups: tuple[RightsGroup, ...] = ()
    licences: tuple[str, ...] = ()
    stray: tuple[tuple[str, str], ...] = ()
    is_html: bool = False
    is_cut: bool = False
    is_split: bool = False

    def for_agent(self, user_agent: str) -> tuple[str, tuple[RightsGroup, ...]]:
        """Return the name whose groups apply to an agent (its own or `*`), and these groups. `*` is not inherited."""
        name = product_token(user_agent).lower()
        for agent in (name, EVERYONE):
            if found := tuple(group for group in self.groups if agent in group.agents):
                return agent, found
        return EVERYONE, ()


def rights_lines_of(text: RobotsText) -> RightsLines:
    """Return the lines about rights. An HTML page has no valid lines."""
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
    """Return the path of a Content-Usage or Content-Signal line (None without one) and its value."""
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
                # without Allow or Disallow, the other reader sees one group where this one sees two
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
    """Return the lower-case name of a User-agent line. `* everybody` also means `*`."""
    if value.split(maxsplit=1)[:1] == [EVERYONE]:
        return EVERYONE
    found = _TOKEN.match(value.lower())
    return found[0] if found else ""


def merged(groups: Iterable[RightsGroup]) -> RightsGroup:
    """Merge several groups of one agent (RFC 9309, 2.2.1)."""
    several = tuple(groups)

    def every(name: str) -> Iterator[str]:
        return (value for group in several for value in getattr(group, name))

    return RightsGroup(
        agents=tuple(dict.fromkeys(every("agents"))),
        usages=tuple(every("usages")),
        signals=tuple(every("signals")),
        licences=tuple(dict.fromkeys(every("licences"))),
    )
