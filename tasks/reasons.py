"""The table of reasons why something is not an article: what happens to the URL, and when it is looked at again. Pure.

The errors (tasks/errors.py) and the labels of pages (PageType) name a reason; everything else about it is here.
docs/failures.md explains each one; tests keep table, errors and page consistent.
"""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum


class Disposition(StrEnum):
    """What happens to an item that did not become an article."""

    STAYS_DUE = "stays_due"
    DROPPED = "dropped"
    GONE = "gone"
    SKIPPED = "skipped"
    QUARANTINED = "quarantined"


@dataclass(frozen=True, slots=True, kw_only=True)
class Retry:
    """When a URL is looked at again: after `wait`, doubled with each attempt up to `longest`, until it had `looks` looks."""

    wait: timedelta
    longest: timedelta | None = None
    looks: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """One reason. `retry` None: no scheduled retry. `is_harmless`: a normal answer, not a fault of the site."""

    name: str
    disposition: Disposition
    retry: Retry | None
    is_harmless: bool = False


BACKOFF = Retry(wait=timedelta(minutes=2), longest=timedelta(hours=24))
DAYS_LATER = Retry(wait=timedelta(days=3), looks=4)
NEXT_DAY = Retry(wait=timedelta(hours=24))
"""For robots.txt, whose rules may change."""


RIGHTS_LATER = Retry(wait=timedelta(days=7), looks=4)
"""For rights, which seldom change."""


def _due(name: str) -> Reason:
    return Reason(name=name, disposition=Disposition.STAYS_DUE, retry=BACKOFF)


def _dropped(name: str) -> Reason:
    return Reason(name=name, disposition=Disposition.DROPPED, retry=DAYS_LATER)


def _skipped(name: str, *, retry: Retry | None = None, is_harmless: bool = False) -> Reason:
    return Reason(name=name, disposition=Disposition.SKIPPED, retry=retry, is_harmless=is_harmless)


def _quarantined(name: str) -> Reason:
    return Reason(name=name, disposition=Disposition.QUARANTINED, retry=None)


REASONS = {
    one.name: one
    for one in (
        _due("dns_failed"),
        _due("connect_failed"),
        _due("tls_failed"),
        _due("connection_lost"),
        _due("timed_out"),
        _due("body_truncated"),
        _due("robots_unavailable"),
        _due("deferred"),
        _dropped("bad_url"),
        _dropped("forbidden_scheme"),
        _dropped("forbidden_address"),
        _dropped("too_many_redirects"),
        _dropped("too_large"),
        _dropped("decompression_bomb"),
        _dropped("bad_content_encoding"),
        _dropped("bad_response"),
        _dropped("not_a_feed"),
        _dropped("payment_required"),
        _skipped("robots_disallowed", retry=NEXT_DAY),
        _skipped("robots_too_costly", retry=NEXT_DAY),
        _skipped("tdm_reserved", is_harmless=True),
        _skipped("rights_refused", retry=RIGHTS_LATER, is_harmless=True),
        _skipped("foreign_host", is_harmless=True),
        _skipped("redirected_home", is_harmless=True),
        _skipped("not_html", is_harmless=True),
        _skipped("not_an_article", is_harmless=True),
        _skipped("index", is_harmless=True),
        _skipped("consent"),
        _skipped("login"),
        _skipped("paywall"),
        _skipped("notice"),
        _skipped("blocked"),
        _skipped("soft_404", is_harmless=True),
        _skipped("taken_down", is_harmless=True),
        _quarantined("extractor_crashed"),
        _quarantined("extractor_timed_out"),
        _quarantined("feed_unreadable"),
        _quarantined("too_many_elements"),
        _quarantined("empty_extraction"),
        _quarantined("unexpected_error"),
    )
}

HARMLESS = frozenset(name for name, one in REASONS.items() if one.is_harmless)

_HTTP = "http_"
_BUSY = frozenset({408, 425, 429})


def find_reason(name: str) -> Reason | None:
    """Return a reason by name, including those of HTTP statuses; None for a reason that this version does not know."""
    status = name.removeprefix(_HTTP)
    if status != name and status.isdecimal():
        return reason_of_status(int(status))
    return REASONS.get(name)


def reason_of_status(status: int) -> Reason:
    """Return the reason for an HTTP status that is not a page."""
    name = f"{_HTTP}{status}"
    if status == 410:  # RFC 9110, 15.5.11
        return Reason(name=name, disposition=Disposition.GONE, retry=None)
    return _due(name) if status in _BUSY or status >= 500 else _dropped(name)


def retry_of(name: str | None, disposition: Disposition) -> Retry | None:
    """Return when an item is looked at again; an unknown reason is treated like others of its disposition."""
    known = find_reason(name or "")
    if known is not None and known.disposition is disposition:
        return known.retry
    return {Disposition.STAYS_DUE: BACKOFF, Disposition.DROPPED: DAYS_LATER}.get(disposition)
