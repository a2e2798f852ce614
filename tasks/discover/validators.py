"""The validators of a feed's body, without useless ones. Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from tasks.values.feed import FeedState
from tasks.web.headers import parse_http_date

CLOCK_ERROR = timedelta(hours=1)
"""How far a server's clock may be ahead of ours."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Validators:
    """The validators that identify a body that was read; all None if it must be read each time."""

    etag: str | None = None
    last_modified: str | None = None
    digest: str | None = None


def new_validators(
    feed: FeedState, etag: str | None, last_modified: str | None, digest: str, *, now: datetime
) -> Validators:
    """Return the usable validators of a body that was just read.

    An ETag that was the same for another body is useless, and so is a Last-Modified in the future (RFC 9110, 8.8.2.1).
    """
    is_other = feed.body_digest is not None and feed.body_digest != digest
    if is_other and etag is not None and etag == feed.etag:
        return Validators(digest=digest)
    changed_at = parse_http_date(last_modified)
    if changed_at is not None and changed_at > now + CLOCK_ERROR:
        last_modified = None
    return Validators(etag=etag, last_modified=last_modified, digest=digest)


def stored_validators(feed: FeedState) -> Validators:
    """Return the stored validators of a feed."""
    return Validators(etag=feed.etag, last_modified=feed.last_modified, digest=feed.body_digest)
