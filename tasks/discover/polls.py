"""One poll of a feed, as a request and while it waits for its children. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tasks.config.catalogue import SourceRules
from tasks.discover.intake import MAX_FEED_SIZE
from tasks.discover.schedule import poll_url, trusts_validators
from tasks.feeds.formats import ACCEPT
from tasks.politeness.visits import Visit
from tasks.values.feed import Entry, FeedKind, FeedState
from tasks.values.url import Url


@dataclass(frozen=True, slots=True, kw_only=True)
class Poll:
    """One GET for a feed of the plan, `root_url`: that feed itself, or a child."""

    feed: FeedState
    root_url: str
    depth: int = 1

    @property
    def is_named(self) -> bool:
        """Whether it is one of the source's own feeds, which are counted: not a child, and not a fallback front page."""
        return self.is_asked_for and self.feed.kind is not FeedKind.FALLBACK

    @property
    def is_asked_for(self) -> bool:
        return self.depth == 1


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingPoll:
    """A front page or an index whose record waits for its children; `links` are a front page's own."""

    poll: Poll
    max_age_s: float | None
    place: tuple[str | None, int]
    links: Sequence[Entry] | None


def visit_of(poll: Poll, number: int, rules: Mapping[str, SourceRules]) -> Visit:
    """Return the request of a poll; its key is the number of the poll in its wave."""
    return Visit(
        key=str(number),
        url=Url.of(poll_url(poll.feed)),
        rules=rules[poll.feed.source_id],
        accept=ACCEPT,
        etag=poll.feed.etag if trusts_validators(poll.feed) else None,
        last_modified=poll.feed.last_modified if trusts_validators(poll.feed) else None,
        max_wire_size=MAX_FEED_SIZE,
        max_decoded_size=MAX_FEED_SIZE,
    )
