"""Make looks for tests from a URL or a capture; return a batch's parts as dictionaries."""

from tasks.politeness.rights.mapping import site_reserves
from tasks.values.batch import Batch
from tasks.values.look import DueUrl, Look
from tasks.values.rows import Capture
from tasks.values.url import Url, host_of, url_key


def look_at(url: str, **due) -> Look:
    """Return a look at a claimed URL."""
    known = {"url_key": url_key(url), "host": host_of(url), "source_id": "daily", "attempt": 1}
    return Look(due=DueUrl(url=Url(url), **(known | due)))


def captured(capture: Capture, **parts) -> Look:
    """Return a fetched look."""
    due = DueUrl(
        url=Url.of(capture.url), url_key=capture.url_key, host="daily.example", source_id=capture.source_id, attempt=capture.attempt
    )  # fmt: skip
    return Look(due=due, capture=capture, **parts)


def pages_of(batch: Batch) -> dict:
    """Return the pages by capture id."""
    return {look.captured.capture_id: look.page for look in batch.looks if look.page is not None}


def dispositions_of(batch: Batch) -> dict:
    """Return the dispositions of failed looks by URL key."""
    return {look.due.url_key: look.disposition for look in batch.looks if look.disposition is not None}


def reservations_of(batch: Batch) -> dict:
    """Return tdmrep.json's reservations by URL key, for URLs whose source obeys them."""
    return {look.due.url_key: site_reserves(look.rights) for look in batch.looks if look.obeyed.obeys_tdm}
