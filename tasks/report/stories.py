"""Stories that several articles tell: how many articles, since when, and who was first."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from tasks.config.settings import Settings
from tasks.errors import ConfigError
from tasks.index import browsing
from tasks.index.browsing import ListedArticle, ListedStory
from tasks.index.database import Transaction
from tasks.runtime.resources import index_to_read
from tasks.values.display import Rows, Table, moment, plain, plural, span


@dataclass(frozen=True, slots=True, kw_only=True)
class Stories:
    """The stories reported again within some days, those with the most sources first, each with its first article.

    `newest_at` is the instant of the newest article of all, or None.
    """

    first: date
    last: date
    stories: tuple[tuple[ListedStory, ListedArticle], ...]
    newest_at: datetime | None

    def to_json(self) -> dict[str, Any]:
        """Return it as plain data; instants in ISO 8601."""
        return {
            "first": self.first.isoformat(),
            "last": self.last.isoformat(),
            "stories": [
                {
                    **(plain(asdict(story)) or {}),
                    "article_id": head.article_id,
                    "url": head.url,
                    "title": head.title,
                    "source_id": head.source_id,
                }
                for story, head in self.stories
            ],
        }

    def tables(self, *, now: datetime) -> Iterator[Table]:
        """Return it as a titled table; the ids are those of the stories' first articles."""
        rows: Rows = [
            (
                story.articles,
                story.sources,
                head.source_id,
                moment(story.first_at, now),
                span(story.newest_at - story.first_at),
                head.title or head.url,
                head.article_id,
            )
            for story, head in self.stories
        ]
        title = f"{plural(len(rows), 'story', 'stories')}, {self.first} to {self.last}"
        yield title, ("articles", "sources", "first in", "first", "over", "title", "id"), rows


def read_stories(settings: Settings, *, last: date | None, days: int, limit: int) -> Stories:
    """Read the index; raises ConfigError."""
    with index_to_read(settings) as index, index.read() as tx:
        return find_stories(tx, last=last, days=days, limit=limit)


def find_stories(tx: Transaction, *, last: date | None, days: int, limit: int) -> Stories:
    """Return the stories reported again in the days up to the last one, or up to the newest article's."""
    newest = browsing.newest_at(tx)
    last = last or (newest or datetime.now(UTC)).astimezone(UTC).date()
    until = datetime.combine(last, time(), tzinfo=UTC) + timedelta(days=1)
    since = until - timedelta(days=days)
    found = browsing.find_stories(tx, since=since, until=until, limit=limit)
    heads = browsing.find_heads(tx, [one.cluster_id for one in found])
    return Stories(
        first=since.date(), last=last, stories=tuple((one, heads[one.cluster_id]) for one in found), newest_at=newest
    )


def read_day(text: str) -> date:
    """Return a day that a person gave; raises ConfigError."""
    try:
        day = date.fromisoformat(text)
    except ValueError as error:
        raise ConfigError(f"--day {text}: should be a day such as 2026-11-29") from error
    if not 1970 <= day.year <= 9000:
        raise ConfigError(f"--day {text}: no article from that time")
    return day
