"""Check the catalogue's sources, and export their feeds for feed readers."""

from collections.abc import Collection
from datetime import UTC, datetime

from tasks.config.loading import load_catalogue
from tasks.config.settings import Settings
from tasks.discover.asking import index_for_pace, run_with_client
from tasks.discover.check import FeedCheck, SourceCheck, check_sources
from tasks.feeds.opml import write_opml
from tasks.index.feeds import select_feeds
from tasks.values.display import Rows, Table, age, plural


def check(settings: Settings, ids: Collection[str]) -> tuple[SourceCheck, ...]:
    """Look at every feed of the chosen sources (all without ids); raises ConfigError."""
    catalogue = load_catalogue(settings.catalogue)
    chosen = catalogue.select(ids).sources
    rules = catalogue.rules()
    with index_for_pace(settings) as index, index.read() as tx:
        named = [feed_url for source in chosen for feed_url, _ in source.feeds_of()]
        states = {feed.feed_url: feed for feed in select_feeds(tx, named, due_by=None)}
    now = datetime.now(UTC)
    return run_with_client(
        settings,
        catalogue.sources,
        rules,
        lambda client, _: check_sources(chosen, rules=rules, states=states, client=client, now=now),
    )


def export_opml(settings: Settings) -> bytes:
    """Return the catalogue's feeds as OPML 2.0; raises ConfigError."""
    return write_opml(load_catalogue(settings.catalogue).sources, title="Presslake", now=datetime.now(UTC))


def check_table(checks: Collection[SourceCheck], *, now: datetime) -> Table:
    """Return the checks as a table, one row per feed."""
    rows: Rows = [_check_row(one, feed, now) for one in checks for feed in one.feeds]
    healthy = sum(one.is_healthy for one in checks)
    return (
        f"{healthy} of {plural(len(checks), 'source')} {'has' if len(checks) == 1 else 'have'} entries",
        ("source", "feed", "reachable", "robots", "items", "newest", "next poll", "warnings"),
        rows,
    )


def _check_row(one: SourceCheck, feed: FeedCheck, now: datetime) -> tuple[object, ...]:
    reachable = "yes" if feed.is_reachable else "no"
    due = age(feed.due_at, now) or "not polled yet"
    warnings = "; ".join(feed.warnings)
    return (
        one.source_id,
        feed.feed_url,
        reachable,
        feed.robots.value,
        feed.entries,
        age(feed.newest_at, now),
        due,
        warnings,
    )
