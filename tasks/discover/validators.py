"""The validators of a feed's body, without those that say nothing about it. Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from tasks.values.feed import FeedState
from tasks.web.headers import parse_http_date

CLOCK_ERROR = timedelta(hours=1)
"""How far a server's clock may be ahead of ours."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Validators:
    """What distinguishes a body that was read from another; nothing if it has to be read each time."""

    etag: str | None = None
    last_modified: str | None = None
    digest: str | None = None


def new_validators(
    feed: FeedState, etag: str | None, last_modified: str | None, digest: str, *, now: datetime
) -> Validators:
    """Return what distinguishes a body that was just read from the next; without what its server says of every body.

    A tag that is the same on another body says nothing. Neither does an instant in the future (RFC 9110, 8.8.2.1).
    """
    is_other = feed.body_digest is not None and feed.body_digest != digest
    if is_other and etag is not None and etag == feed.etag:
        return Validators(digest=digest)
    changed_at = parse_http_date(last_modified)
    if changed_at is not None and changed_at > now + CLOCK_ERROR:
        last_modified = None
    return Validators(etag=etag, last_modified=last_modified, digest=digest)


def kept_validators(feed: FeedState) -> Validators:
    """Return the validators that a feed has: they stand for a body that was read."""
    return Validators(etag=feed.etag, last_modified=feed.last_modified, digest=feed.body_digest)
