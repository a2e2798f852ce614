"""What feeds, sitemaps and listings have in common: raw links, titles and dates become entries, and doubts are counted. Pure."""

import html
import re
from collections import Counter
from dataclasses import replace
from datetime import datetime, time

from tasks.feeds.dates import is_plausible, parse_instant
from tasks.feeds.refusals import Refusals
from tasks.values.feed import Entry
from tasks.values.text.storable import storable_text, without_unseen
from tasks.values.url import Url

MAX_TITLE_LENGTH = 1000

_FEWEST_EQUAL = 3

_NO_LINK = "entry without a link that can be fetched"
_TAG = re.compile(r"</?[A-Za-z][^<>]*>|<!--[^<>]*-->")


class Collector:
    """Entries in the making. At most `limit` are kept; what is left out or doubtful is counted in `warnings`."""

    def __init__(self, *, base_url: str, now: datetime, limit: int) -> None:
        self._base_url = base_url
        self._now = now
        self._limit = limit
        self._entries: list[Entry] = []
        self._doubts: Counter[str] = Counter()
        self.refusals = Refusals()

    @property
    def entries(self) -> tuple[Entry, ...]:
        """The entries, in the order of the feed."""
        return tuple(self._entries)

    @property
    def is_full(self) -> bool:
        """Whether the limit is reached: no more is kept."""
        return len(self._entries) >= self._limit

    @property
    def is_lacking(self) -> bool:
        """Whether an entry was left out for want of a link."""
        return self._doubts[_NO_LINK] > 0

    @property
    def warnings(self) -> tuple[str, ...]:
        """The doubts, each with its count where there is more than one: `date unreadable (3 times)`."""
        return tuple(
            doubt + (f" ({count} times)" if count > 1 else "") for doubt, count in self._doubts.items() if count
        )

    def doubt(self, what: str) -> None:
        """Count a doubt."""
        self._doubts[what] += 1

    def add(
        self,
        link: str | None,
        *,
        base_url: str | None = None,
        title: str | None = None,
        published: str | None = None,
        modified: str | None = None,
        rights: str | None = None,
    ) -> None:
        """Add one entry from its raw words; without a link that can be fetched it is counted and left out.

        A feed gives `rights` to pages of its own origin alone (RSL 1.0).
        """
        if self.is_full:
            self.doubt(f"entry past the limit of {self._limit}")
            return
        url = self.refusals.url(link, base_url=base_url or self._base_url)
        if url is None:
            self.doubt(_NO_LINK)
            return
        with self.refusals.guarded(url):
            self._entries.append(
                Entry(
                    url=url,
                    title=plain_title(title),
                    published_at=self.instant(published),
                    modified_at=self.instant(modified),
                    rights=storable_text(rights) if rights and url.origin == Url.of(self._base_url).origin else None,
                )
            )

    def flag_equal_dates(self) -> None:
        """Take away a date that all entries bear to the second: it says when the feed was made.

        Days without a clock may be equal: what one sitemap holds is often of one day.
        """
        if len(self._entries) < _FEWEST_EQUAL:
            return
        if _is_one_moment([entry.published_at for entry in self._entries]):
            self.doubt("date equal on all entries")
            self._entries = [replace(entry, published_at=None) for entry in self._entries]
        if _is_one_moment([entry.modified_at for entry in self._entries]):
            self.doubt("change equal on all entries")
            self._entries = [replace(entry, modified_at=None) for entry in self._entries]

    def instant(self, text: str | None) -> datetime | None:
        """Return the instant that a text names, None where it names none or none that can be true; both are counted."""
        if not text or text.isspace():
            return None
        instant = parse_instant(text)
        if instant is None:
            self.doubt("date unreadable")
        elif not is_plausible(instant, now=self._now):
            self.doubt("date implausible")
        else:
            return instant
        return None


def _is_one_moment(instants: list[datetime | None]) -> bool:
    first = instants[0]
    return first is not None and first.time() != time.min and all(instant == first for instant in instants)


def absolute_url(link: str | None, *, base_url: str) -> Url | None:
    """Return the link as announced, absolute; None where it cannot be fetched over http or https. Counted nowhere."""
    return Refusals().url(link, base_url=base_url)


def plain_title(text: str | None) -> str | None:
    """Return a title without tags, entities and superfluous white space, at most 1000 characters; None for nothing."""
    # read more than is kept, since tags and entities shrink; never all, since it comes from the web
    words = _TAG.sub("", (text or "")[: 10 * MAX_TITLE_LENGTH])
    words = _TAG.sub("", html.unescape(words))
    return without_unseen(storable_text(" ".join(words.split())))[:MAX_TITLE_LENGTH].rstrip() or None
