"""Robots directives of a page: X-Robots-Tag, Robots-Tag and meta elements into signals. Pure.

`X-Robots-Tag` is a convention (Google's and MDN's pages), `Robots-Tag` a draft (draft-illyes-repext), `noai` and
`noimageai` a convention of 2022. A field may name a crawler: what follows is for that one, up to the next name.
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
"""Rules that have a colon and name no crawler."""

MAX_DIRECTIVES = 30

_AGENT = re.compile(r"[A-Za-z][A-Za-z0-9_. -]{0,60}")
_OF_A_DATE = re.compile(r"[0-9]")

Directive = tuple[str, str]
"""A crawler's name in lower case, or `*`, and the rule with its value, in lower case."""


def read_robots_tag(value: str) -> tuple[Directive, ...]:
    """Return what one X-Robots-Tag field, or the content of a meta element, says to whom."""
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
            continue  # the date of an unavailable_after has a comma of its own
        if name:
            found.append((agent, name))
    return tuple(found[:MAX_DIRECTIVES])


def read_robots_list(value: str) -> tuple[Directive, ...]:
    """Return what one Robots-Tag field says to whom: a List of Tokens with rules as parameters. Raises ValueError."""
    found = [
        (str(agent).lower(), str(rule).lower())
        for agent, rules in parse_list(capped(value))
        if isinstance(agent, Token)
        for rule, is_said in rules.items()
        if is_said is not False
    ]
    return tuple(found[:MAX_DIRECTIVES])


def directives_for(directives: Iterable[Directive], token: str) -> frozenset[str]:
    """Return the rules that hold for a crawler: those to everyone and its own together."""
    return frozenset(rule for agent, rule in directives if agent in {EVERYONE, token.lower()})


def directive_signals(directives: Iterable[Directive], *, token: str, scope: str, raw: str) -> Iterator[Signal]:
    """Yield a signal per rule that holds for us or for everyone, and for each named AI crawler what is said to it alone."""
    for agent, rule in dict.fromkeys(directives):
        if agent in {EVERYONE, token.lower()}:
            yield _signal(scope, rule, raw)
        elif (crawler := find_crawler(agent)) is not None:
            yield _signal(f"{scope} {crawler.token}", rule, raw)


def unreadable_directive(raw: str, *, scope: str) -> Signal:
    """Return the signal of a field that cannot be read."""
    return _signal(scope, UNREADABLE, raw)


def _signal(scope: str, rule: str, raw: str) -> Signal:
    return Signal(signal=DIRECTIVE, scope=scope, value=rule[:100], raw=raw[:RAW_LENGTH], policy_id=None)
