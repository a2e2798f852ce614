"""Looks for tests: made from a URL or from a capture, and a batch's parts by what names them."""

from tasks.politeness.rights.mapping import site_reserves
from tasks.values.batch import Batch
from tasks.values.look import DueUrl, Look
from tasks.values.rows import Capture
from tasks.values.url import Url, host_of, url_key


def look_at(url: str, **due) -> Look:
    """A look at a URL that was claimed."""
    known = {"url_key": url_key(url), "host": host_of(url), "source_id": "daily", "attempt": 1}
    return Look(due=DueUrl(url=Url(url), **(known | due)))


def captured(capture: Capture, **parts) -> Look:
    """A look that was fetched."""
    due = DueUrl(
        url=Url.of(capture.url), url_key=capture.url_key, host="daily.example", source_id=capture.source_id, attempt=capture.attempt
    )  # fmt: skip
    return Look(due=due, capture=capture, **parts)


def pages_of(batch: Batch) -> dict:
    """The pages by capture_id."""
    return {look.captured.capture_id: look.page for look in batch.looks if look.page is not None}


def dispositions_of(batch: Batch) -> dict:
    """The dispositions of what failed, by URL key."""
    return {look.due.url_key: look.disposition for look in batch.looks if look.disposition is not None}


def reservations_of(batch: Batch) -> dict:
    """What tdmrep.json says of the URLs at which reservations are obeyed, by URL key."""
    return {look.due.url_key: site_reserves(look.rights) for look in batch.looks if look.obeyed.obeys_tdm}
