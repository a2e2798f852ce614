"""Robots directives of a page: X-Robots-Tag, Robots-Tag and meta elements to signals. Pure.

`X-Robots-Tag` is a convention (documented by Google and MDN), `Robots-Tag` a draft (draft-illyes-repext), `noai` and
`noimageai` a convention of 2022. A field may name a crawler: the rules up to the next name apply to it alone.
"""

import re
from collections.abc import Iterable, Iterator

from tasks.politeness.rights.crawlers import find_crawler
from tasks.politeness.rights.structured import Token, parse_list
from tasks.values.rights import DIRECTIVE, RAW_LENGTH, UNREADABLE
from tasks.values.rows import Signal
from tasks.web.headers import capped

EVERYONE = "*"
VALUED = frozenset({"unavailable_after", "max-snippet", "max-image-preview", "max-video-preview"})
"""Rules with a colon that do not name a crawler."""

MAX_DIRECTIVES = 30

_AGENT = re.compile(r"[A-Za-z][A-Za-z0-9_. -]{0,60}")
_OF_A_DATE = re.compile(r"[0-9]")

Directive = tuple[str, str]
"""A crawler's name, or `*`, and a rule with its value; both in lower case."""


def read_robots_tag(value: str) -> tuple[Directive, ...]:
    """Return the directives of one X-Robots-Tag field or of a meta element's content."""
    agent, found = EVERYONE, list[Directive]()
    for part in capped(value).split(","):
        name, colon, rest = part.strip().partition(":")
        name = name.strip().lower()
        if colon and name in VALUED:
            found.append((agent, f"{name}: {rest.strip().lower()}"))
            continue
        if colon and _AGENT.fullmatch(name):
            agent, name = name, rest.strip().lower()
        if found and _OF_A_DATE.match(name) and found[-1][1].startswith("unavailable_after"):
            continue  # the date of an unavailable_after contains a comma
        if name:
            found.append((agent, name))
    return tuple(found[:MAX_DIRECTIVES])


def read_robots_list(value: str) -> tuple[Directive, ...]:
    """Return the directives of one Robots-Tag field: a List of Tokens with rules as parameters. Raises ValueError."""
    found = [
        (str(agent).lower(), str(rule).lower())
        for agent, rules in parse_list(capped(value))
        if isinstance(agent, Token)
        for rule, is_said in rules.items()
        if is_said is not False
    ]
    return tuple(found[:MAX_DIRECTIVES])


def directives_for(directives: Iterable[Directive], token: str) -> frozenset[str]:
    """Return the rules that apply to a crawler: those for everyone and its own."""
    return frozenset(rule for agent, rule in directives if agent in {EVERYONE, token.lower()})


def directive_signals(directives: Iterable[Directive], *, token: str, scope: str, raw: str) -> Iterator[Signal]:
    """Yield one signal per rule for us or for everyone, and one per rule for each AI crawler named."""
    for agent, rule in dict.fromkeys(directives):
        if agent in {EVERYONE, token.lower()}:
            yield _signal(scope, rule, raw)
        elif (crawler := find_crawler(agent)) is not None:
            yield _signal(f"{scope} {crawler.token}", rule, raw)


def unreadable_directive(raw: str, *, scope: str) -> Signal:
    """Return the signal of an unreadable field."""
    return _signal(scope, UNREADABLE, raw)


def _signal(scope: str, rule: str, raw: str) -> Signal:
    return Signal(signal=DIRECTIVE, scope=scope, value=rule[:100], raw=raw[:RAW_LENGTH], policy_id=None)
