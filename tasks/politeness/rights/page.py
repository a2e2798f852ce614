"""What a page and its response header state about rights: fields and elements to signals. Pure.

What the site's documents state is in tasks.politeness.rights.site.
"""

from collections.abc import Iterable, Iterator
from functools import lru_cache

from tasks.politeness.rights.content_signal import content_signals
from tasks.politeness.rights.crawlers import find_crawler
from tasks.politeness.rights.directives import (
    directive_signals,
    read_robots_list,
    read_robots_tag,
    unreadable_directive,
)
from tasks.politeness.rights.payment import charged_signals
from tasks.politeness.rights.rsl import licence_signals, parse_rsl
from tasks.politeness.rights.usage import header_usage
from tasks.values.rights import FEED, HEADER, META, RAW_LENGTH, TDMREP, UNSET
from tasks.values.rows import Signal

MAX_SIGNALS = 60
"""The most signals kept per page."""

Fields = Iterable[tuple[str, str]]


def header_signals(headers: Fields, *, token: str) -> tuple[Signal, ...]:
    """Return the signals of a response header. `headers` have lower-case names; `token` is our own product token.

    The header of a redirect states nothing about its target.
    """
    fields = tuple(headers)
    return (*_reservations(fields, HEADER), *_other_fields(fields, token))[:MAX_SIGNALS]


def meta_signals(metas: Fields, *, token: str) -> tuple[Signal, ...]:
    """Return the signals of a page's meta elements; names are lower-case."""
    named = tuple(metas)
    found = [*_reservations(named, META)]
    for name, content in named:
        if name in {"robots", token.lower()} or find_crawler(name):
            whom = "" if name == "robots" else f"{name}: "
            found += directive_signals(read_robots_tag(f"{whom}{content}"), token=token, scope=META, raw=content)
    return tuple(found)[:MAX_SIGNALS]


def inline_signals(licence: str, url: str) -> tuple[Signal, ...]:
    """Return the signals of RSL embedded in a page. Raises BadUrl."""
    licences = parse_rsl(licence.encode("utf-8", "replace"), url)
    return tuple(licence_signals(licences, url, scope=META, policy_id=None))[:MAX_SIGNALS]


def feed_signals(licence: str, url: str) -> tuple[Signal, ...]:
    """Return the signals of RSL that a feed declares for a page. Raises BadUrl."""
    licences = _parsed(licence.encode("utf-8", "replace"), url)
    return tuple(licence_signals(licences, url, scope=FEED, policy_id=None))[:MAX_SIGNALS]


_parsed = lru_cache(maxsize=256)(parse_rsl)  # a visit needs it several times


def _other_fields(fields: tuple[tuple[str, str], ...], token: str) -> Iterator[Signal]:
    usages = [value for name, value in fields if name == "content-usage"]
    yield from header_usage(usages, scope=HEADER)
    for name, value in fields:
        if name == "content-signal":
            yield from content_signals(value, scope=HEADER)
        elif name == "x-robots-tag":
            yield from directive_signals(read_robots_tag(value), token=token, scope=HEADER, raw=value)
        elif name == "robots-tag":
            yield from _robots_list(value, token)
    yield from charged_signals(fields)


def _robots_list(value: str, token: str) -> Iterator[Signal]:
    try:
        directives = read_robots_list(value)
    except ValueError:
        yield unreadable_directive(value, scope=HEADER)
        return
    yield from directive_signals(directives, token=token, scope=HEADER, raw=value)


def _reservations(fields: tuple[tuple[str, str], ...], scope: str) -> Iterator[Signal]:
    """Yield one TDMRep signal for a header or all meta elements; if they conflict, the reservation counts."""
    reservations = [value.strip() for name, value in fields if name == "tdm-reservation"]
    policies = [value.strip() for name, value in fields if name == "tdm-policy"]
    if not reservations and not policies:
        return
    # Two fields joined into one are separated by a comma.
    parts = {part.strip() for value in reservations for part in value.split(",")}
    value = "tdm-reservation=1" if "1" in parts else "tdm-reservation=0" if parts == {"0"} else UNSET
    raw = "; ".join([*reservations, *(f"tdm-policy {policy}" for policy in policies)])
    yield Signal(signal=TDMREP, scope=scope, value=value, raw=raw[:RAW_LENGTH], policy_id=None)
