"""Why something is no article: one table of every reason, what becomes of the URL, when it is looked at again. Pure.

The errors (tasks/errors.py) and the labels of pages (PageType) name a reason; everything else about it is here.
docs/failures.md explains each one, and tests hold that table, errors and page together.
"""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum


class Disposition(StrEnum):
    """What becomes of an item that could not be made into an article."""

    STAYS_DUE = "stays_due"
    DROPPED = "dropped"
    GONE = "gone"
    SKIPPED = "skipped"
    QUARANTINED = "quarantined"


@dataclass(frozen=True, slots=True, kw_only=True)
class Retry:
    """When a URL is looked at again: after `wait`, doubled with each attempt up to `longest`, for at most `looks` looks."""

    wait: timedelta
    longest: timedelta | None = None
    looks: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """One reason. `retry` None: not by schedule. `is_harmless`: the site answered with what it has, and is not to blame."""

    name: str
    disposition: Disposition
    retry: Retry | None
    is_harmless: bool = False


BACKOFF = Retry(wait=timedelta(minutes=2), longest=timedelta(hours=24))
DAYS_LATER = Retry(wait=timedelta(days=3), looks=4)
NEXT_DAY = Retry(wait=timedelta(hours=24))
"""The rules of robots.txt change."""


RIGHTS_LATER = Retry(wait=timedelta(days=7), looks=4)
"""What a site permits changes seldom."""


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
    """Return what is known of a reason, those of HTTP's statuses among them; None for one of another version."""
    status = name.removeprefix(_HTTP)
    if status != name and status.isdecimal():
        return reason_of_status(int(status))
    return REASONS.get(name)


def reason_of_status(status: int) -> Reason:
    """Return the reason that a status is which is no page."""
    name = f"{_HTTP}{status}"
    if status == 410:  # RFC 9110, 15.5.11
        return Reason(name=name, disposition=Disposition.GONE, retry=None)
    return _due(name) if status in _BUSY or status >= 500 else _dropped(name)


def retry_of(name: str | None, disposition: Disposition) -> Retry | None:
    """Return when it is looked at again; what another version named is treated as others of its disposition are."""
    known = find_reason(name or "")
    if known is not None and known.disposition is disposition:
        return known.retry
    return {Disposition.STAYS_DUE: BACKOFF, Disposition.DROPPED: DAYS_LATER}.get(disposition)
