"""Rules of robots.txt groups, matched to a path within a work budget (RFC 9309, 2.2.2 and 2.2.3). Pure."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Self
from urllib.parse import quote

MAX_PATTERNS = 2000
"""The most rules with a wildcard or anchor per group: each is tried, whereas plain paths are looked up."""

VERDICT_WORK = 2_000_000
"""The most characters of rules and paths compared for one verdict: a few milliseconds."""

_ESCAPE = re.compile(r"%([0-9A-Fa-f]{2})")
_PLAIN = re.compile(r"[A-Za-z0-9/._~?=&-]*")
_UNRESERVED = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")


@dataclass(frozen=True, slots=True)
class Rule:
    """One Allow or Disallow. `pieces`: the parts between wildcards, normalised by `normal_path`."""

    pieces: tuple[str, ...]
    is_anchored: bool
    allows: bool
    length: int

    @property
    def is_plain(self) -> bool:
        """Whether it has neither wildcard nor anchor."""
        return len(self.pieces) == 1 and not self.is_anchored

    def matches(self, path: str) -> bool:
        """Whether a normalised path starts with this pattern. Linear in the path's length."""
        first, last = self.pieces[0], self.pieces[-1]
        if not path.startswith(first):
            return False
        position = len(first)
        if len(self.pieces) == 1:
            return not self.is_anchored or position == len(path)
        for piece in self.pieces[1:-1]:
            found = path.find(piece, position)
            if found < 0:
                return False
            position = found + len(piece)
        if self.is_anchored:
            return path.endswith(last) and position + len(last) <= len(path)
        return path.find(last, position) >= 0


class TooMuchWork(Exception):
    """A verdict exceeds its budget, or its group has more patterns than are kept."""


@dataclass(slots=True)
class Work:
    """What remains of a verdict's budget, in compared characters: the count is equal on all machines."""

    left: int = VERDICT_WORK

    def take(self, cost: int) -> None:
        self.left -= cost
        if self.left < 0:
            raise TooMuchWork(f"a verdict needs to read more than {VERDICT_WORK:,} characters")


@dataclass(frozen=True, slots=True)
class Group:
    """Rules for some agents. `agents` maps each lower-case name to its position in the group.

    `rules`: patterns, the longest first. They are tried one by one, and at most MAX_PATTERNS are kept (`is_cut`).
    `plain`: paths without wildcards, with whether they are allowed. They are looked up once for each of their
    `lengths`, the longest first. `delays`: a delay applies to the agents right above it, given as a range of positions,
    with the seconds.
    """

    agents: dict[str, int]
    rules: tuple[Rule, ...]
    delays: tuple[tuple[range, float], ...] = ()
    plain: dict[str, bool] = field(default_factory=dict)
    lengths: tuple[int, ...] = ()
    is_cut: bool = False

    @classmethod
    def of(cls, agents: dict[str, int], rules: Iterable[Rule], delays: tuple[tuple[range, float], ...]) -> Self:
        """Return the group of these rules, without repeats."""
        plain: dict[str, bool] = {}
        patterns: dict[Rule, None] = {}
        for rule in rules:
            if rule.is_plain:
                plain[rule.pieces[0]] = rule.allows or plain.get(rule.pieces[0], False)
            else:
                patterns[rule] = None
        ordered = sorted(patterns, key=weight_of, reverse=True)
        lengths = tuple(sorted({len(path) for path in plain}, reverse=True))
        return cls(agents, tuple(ordered[:MAX_PATTERNS]), delays, plain, lengths, len(ordered) > MAX_PATTERNS)

    def verdict(self, path: str, work: Work) -> Rule | None:
        """Return the longest rule that matches, Allow before Disallow if equally long (RFC 9309, 2.2.2).

        Raises TooMuchWork, also if no rule matches in a group whose patterns were cut.
        """
        best = self._plain_verdict(path, work)
        work.take(len(self.rules))
        for rule in self.rules:
            if best is not None and (rule.length, rule.allows) < (best.length, best.allows):
                return best
            if path.startswith(rule.pieces[0]):
                work.take(rule.length + len(path))
                if rule.matches(path):
                    return rule
        if best is None and self.is_cut:
            raise TooMuchWork(f"a group has more than {MAX_PATTERNS:,} patterns")
        return best

    def _plain_verdict(self, path: str, work: Work) -> Rule | None:
        for length in self.lengths:
            if length <= len(path):
                work.take(length)
                allows = self.plain.get(path[:length])
                if allows is not None:
                    return Rule((path[:length],), is_anchored=False, allows=allows, length=length)
        return None


def path_rule(value: str, *, allows: bool = False) -> Rule:
    """Parse a path pattern, in which `*` and a final `$` are special (RFC 9309, 2.2.3)."""
    pattern = normal_path(value)
    is_anchored = pattern.endswith("$")
    # `$` is an anchor at the end and literal elsewhere
    pieces = pattern.removesuffix("$").replace("$", "%24").split("*")
    return Rule(tuple(pieces), is_anchored, allows, len(pattern))


def weight_of(rule: Rule) -> tuple[int, bool]:
    return rule.length, rule.allows


def normal_path(path: str) -> str:
    """Return the form in which paths and patterns are compared (RFC 9309, 2.2.2).

    Octets that are not URI characters are escaped, unreserved ones unescaped, and escapes are upper-case.
    """
    if _PLAIN.fullmatch(path):
        return path
    escaped = quote(path, safe="%/:?#[]@!$&'()*+,;=", errors="surrogateescape")
    return _ESCAPE.sub(_normal_escape, escaped)


def _normal_escape(escape: re.Match[str]) -> str:
    character = chr(int(escape[1], 16))
    return character if character in _UNRESERVED else escape[0].upper()
