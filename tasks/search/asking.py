"""Parse search queries, and define the options of a search. Pure.

    harbour ferry            both words              "grain prices"      this phrase
    harbour OR ferry         one of them             harbour -ferry      the one without the other (or NOT ferry)
    econom*                  words that begin so     (a OR b) c          parts in brackets
    *                        every article

There are no field names and no regular expressions. All other characters separate words.
"""

import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from tasks.errors import ConfigError

LONGEST_QUERY = 1000
DEEPEST = 20


class Order(StrEnum):
    """The order of hits."""

    RELEVANCE = "relevance"
    NEWEST = "newest"


class Period(StrEnum):
    """The periods by which hits are counted."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchQuery:
    """A query with its options; `since` and `until` (exclusive) bound the article's time."""

    text: str
    sources: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    since: datetime | None = None
    until: datetime | None = None
    order: Order = Order.RELEVANCE
    limit: int = 20
    offset: int = 0
    by: Period | None = None


@dataclass(frozen=True, slots=True)
class Term:
    """A word or a phrase; with `is_prefix`, the last word is a prefix."""

    text: str
    is_prefix: bool = False


@dataclass(frozen=True, slots=True)
class Not:
    part: "Part"


@dataclass(frozen=True, slots=True)
class AllOf:
    parts: "tuple[Part, ...]"


@dataclass(frozen=True, slots=True)
class AnyOf:
    parts: "tuple[Part, ...]"


Part = Term | Not | AllOf | AnyOf

_TOKEN = re.compile(
    r'\s*(?:(?P<bracket>[()])|(?P<not>-(?=[^\s-]))|"(?P<phrase>[^"]*)"|(?P<word>[^\s()"]+)|(?P<open>"))'
)


def read_query(text: str) -> Part:
    """Parse a query; raises ConfigError, in one line, if it is invalid."""
    if len(text) > LONGEST_QUERY:
        raise ConfigError(f"the query has {len(text):,} characters; the limit is {LONGEST_QUERY:,}")
    reader = _Reader(text)
    part = reader.read_either(0)
    if reader.next is not None:
        raise ConfigError("the query has an unmatched )")
    return part


class _Reader:
    """A recursive-descent parser of queries."""

    def __init__(self, text: str) -> None:
        self._tokens = [match for match in _TOKEN.finditer(text) if match.lastgroup]
        self._at = 0

    @property
    def next(self) -> re.Match[str] | None:
        return self._tokens[self._at] if self._at < len(self._tokens) else None

    def read_either(self, depth: int) -> Part:
        parts = [self._read_all(depth)]
        while self._take("word", "OR"):
            parts.append(self._read_all(depth))
        return parts[0] if len(parts) == 1 else AnyOf(tuple(parts))

    def _read_all(self, depth: int) -> Part:
        parts = list[Part]()
        while (token := self.next) is not None and token["bracket"] != ")" and token["word"] != "OR":
            if parts and self._take("word", "AND"):
                continue
            parts.append(self._read_one(depth))
        if not parts:
            raise ConfigError(f"the query has an empty part {self._place()}")
        return parts[0] if len(parts) == 1 else AllOf(tuple(parts))

    def _read_one(self, depth: int) -> Part:
        token = self.next
        if depth > DEEPEST:
            raise ConfigError(f"the query has more than {DEEPEST} nested parts")
        if token is None:
            raise ConfigError(f"the query has an empty part {self._place()}")
        self._at += 1
        if token.lastgroup == "not" or token["word"] == "NOT":
            return Not(self._read_one(depth + 1))
        if token.lastgroup == "phrase":
            return Term(token["phrase"])
        if token.lastgroup == "word":
            return _wanted(token["word"])
        return self._read_bracket(token, depth)

    def _read_bracket(self, token: re.Match[str], depth: int) -> Part:
        if token.lastgroup == "open":
            raise ConfigError('the query has an unmatched "')
        if token["bracket"] == ")":
            raise ConfigError(f"the query has an empty part {self._place()}")
        part = self.read_either(depth + 1)
        if not self._take("bracket", ")"):
            raise ConfigError("the query has an unmatched (")
        return part

    def _take(self, group: str, text: str) -> bool:
        found = self.next is not None and self.next[group] == text
        self._at += found
        return found

    def _place(self) -> str:
        before = self._tokens[self._at - 1].group().strip() if self._at else ""
        return f"after {before}" if before else "at its beginning" if self._tokens else "in it"


def _wanted(word: str) -> Term:
    return Term(word.rstrip("*"), is_prefix=True) if word.endswith("*") else Term(word)
