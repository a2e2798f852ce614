"""Erase URLs from every table of the index, and from the bytes of its file.

All functions but `vacuum` run in the caller's transaction.
"""

import json
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any

from sqlalchemy import Connection, Table, and_, delete, or_, select, update

from tasks.index import clusters
from tasks.index.articles import find_clusters
from tasks.index.database import Index
from tasks.index.figures import source_alarms
from tasks.index.repairing import remove_articles
from tasks.index.schema import aliases, articles, batches, feeds, frontier, hosts, metadata, quarantine, robots, runs
from tasks.index.statements import in_chunks

CHUNK = 400
ROWS_AT_ONCE = 2000
PATIENCE_S = 60
"""How long to wait for other readers before the WAL of an SQLite file can be truncated."""

Changed = Callable[[Any], Any]
IsTaken = Callable[[str], bool]


def read_names(tx: Connection) -> Iterator[tuple[str, str]]:
    """Yield every URL key in the index with its source ("" for aliases)."""
    for table in (frontier, articles, quarantine):
        query = select(table.c.url_key, table.c.source_id).execution_options(yield_per=ROWS_AT_ONCE)
        yield from tx.execute(query).tuples()
    names = select(aliases.c.url_key, aliases.c.article_key).execution_options(yield_per=ROWS_AT_ONCE)
    for url_key, article_key in tx.execute(names).tuples():
        yield url_key, ""
        yield article_key, ""


def erase_securely(tx: Connection) -> None:
    """Make SQLite overwrite what this connection deletes with zeros."""
    if tx.dialect.name == "sqlite":
        tx.exec_driver_sql("PRAGMA secure_delete=ON")


def erase_articles(tx: Connection, article_ids: Collection[str]) -> list[str]:
    """Delete articles with their shapes, postings and edges; returns the ids of their clusters."""
    belonged: set[str] = set()
    for part in in_chunks(sorted(article_ids), CHUNK):
        belonged |= set(find_clusters(tx, part).values())
        remove_articles(tx, part)
    clusters.mark(tx, sorted(belonged))
    return sorted(belonged)


def find_ids(tx: Connection, url_keys: Collection[str]) -> set[str]:
    """Return the ids of the articles at these URLs."""
    ids: set[str] = set()
    for part in in_chunks(sorted(url_keys), CHUNK):
        ids.update(tx.execute(select(articles.c.article_id).where(articles.c.url_key.in_(part))).scalars())
    return ids


def erase_urls(tx: Connection, url_keys: Collection[str]) -> int:
    """Delete URLs from the frontier, the aliases and the quarantine; returns the number of rows."""
    gone = 0
    for part in in_chunks(sorted(url_keys), CHUNK):
        gone += tx.execute(delete(frontier).where(frontier.c.url_key.in_(part))).rowcount
        gone += tx.execute(delete(quarantine).where(quarantine.c.url_key.in_(part))).rowcount
        is_theirs = or_(aliases.c.url_key.in_(part), aliases.c.article_key.in_(part))
        gone += tx.execute(delete(aliases).where(is_theirs)).rowcount
    return gone


def erase_titles(tx: Connection, revisions: Mapping[str, int]) -> None:
    """Delete the titles of articles whose newest revision has this number, and their announced titles."""
    for article_id, revision in sorted(revisions.items()):
        is_it = and_(articles.c.article_id == article_id, articles.c.revision == revision)
        tx.execute(update(articles).where(is_it).values(title=None))
    for part in in_chunks(sorted(revisions), CHUNK):
        tx.execute(update(frontier).where(frontier.c.article_id.in_(part)).values(announced_title=None))


def erase_announcers(tx: Connection, is_taken: IsTaken) -> int:
    """Clear the announcing feed of frontier rows if its URL `is_taken`; returns the number of rows."""
    named = [feed_url for feed_url in _distinct(tx, frontier, "announced_by") if is_taken(feed_url)]
    gone = 0
    for part in in_chunks(named, CHUNK):
        statement = update(frontier).where(frontier.c.announced_by.in_(part)).values(announced_by=None)
        gone += tx.execute(statement).rowcount
    return gone


def erase_feeds(tx: Connection, is_taken: IsTaken, has_source: IsTaken) -> int:
    """Delete feeds whose URL, parent or new address `is_taken` or whose source is taken down; returns how many."""
    columns = (feeds.c.feed_url, feeds.c.parent_url, feeds.c.moved_to)
    keys = [
        key
        for key, source_id, *urls in tx.execute(select(feeds.c.feed_key, feeds.c.source_id, *columns))
        if has_source(source_id) or any(is_taken(url) for url in urls if url)
    ]
    return sum(tx.execute(delete(feeds).where(feeds.c.feed_key.in_(part))).rowcount for part in in_chunks(keys, CHUNK))


def erase_hosts(tx: Connection, has_host: IsTaken, is_named: IsTaken) -> int:
    """Delete the paces of hosts taken down, and the site files of origins that name one; returns how many rows."""
    named = [one for one in _distinct(tx, hosts, "host") if has_host(one)]
    origins = [one for one in _distinct(tx, robots, "origin") if is_named(one)]
    gone = sum(tx.execute(delete(hosts).where(hosts.c.host.in_(part))).rowcount for part in in_chunks(named, CHUNK))
    files = (delete(robots).where(robots.c.origin.in_(part)) for part in in_chunks(origins, CHUNK))
    return gone + sum(tx.execute(one).rowcount for one in files)


def erase_reports(tx: Connection, changed: Changed) -> int:
    """Replace the JSON of run summaries and batch counts by what `changed` returns; returns how many differ."""
    return _rewrite(tx, runs, "run_id", "summary", changed) + _rewrite(tx, batches, "batch_id", "counts", changed)


def erase_alarms(tx: Connection, is_named: IsTaken) -> int:
    """Delete the alarms whose reason names what is taken down; returns how many."""
    gone = 0
    for source_id, kind, reason in tx.execute(
        select(source_alarms.c.source_id, source_alarms.c.kind, source_alarms.c.reason)
    ).all():
        if is_named(reason):
            is_it = (source_alarms.c.source_id == source_id, source_alarms.c.kind == kind)
            gone += tx.execute(delete(source_alarms).where(*is_it)).rowcount
    return gone


def forget_feed_validators(tx: Connection) -> None:
    """Forget the validators of all feeds, so that their entries are read again even if unchanged."""
    tx.execute(update(feeds).values(etag=None, last_modified=None, body_digest=None))


def vacuum(index: Index) -> bool:
    """Remove every deleted byte from an SQLite file and its WAL; vacuum the tables in PostgreSQL.

    Returns False if another process kept reading an older state of the file for too long. Raises IndexUnavailable.
    """
    return _vacuum_file(index) if index.is_sqlite else _vacuum_tables(index)


def _vacuum_file(index: Index) -> bool:
    give_up_at = time.monotonic() + PATIENCE_S
    with index.alone() as connection:
        connection.execute("PRAGMA temp_store=FILE")  # the copy of a large file does not fit into memory
        connection.execute("PRAGMA secure_delete=ON")
        connection.execute("VACUUM")
        while connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]:
            if time.monotonic() > give_up_at:
                return False
            time.sleep(0.2)
        return True


def _vacuum_tables(index: Index) -> bool:
    with index.alone() as connection:
        for name in sorted(metadata.tables):
            connection.execute(f"VACUUM {name}")
    return True


def _distinct(tx: Connection, table: Table, name: str) -> list[str]:
    column = table.c[name]
    return list(tx.execute(select(column).where(column.is_not(None)).distinct()).scalars())


def _rewrite(tx: Connection, table: Table, key: str, name: str, changed: Changed) -> int:
    """Rewrite a JSON column where `changed` returns another value."""
    query = select(table.c[key], table.c[name]).where(table.c[name].is_not(None))
    count = 0
    for row_key, content in tx.execute(query.execution_options(yield_per=ROWS_AT_ONCE)).all():
        before = json.loads(content)
        after = changed(before)
        if after != before:
            tx.execute(update(table).where(table.c[key] == row_key).values({name: json.dumps(after)}))
            count += 1
    return count
