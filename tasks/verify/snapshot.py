"""A scratch database with the small columns of index and lake, since what is compared may exceed memory."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from tasks.verify.spill import ScratchDatabase

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_TABLES = """
CREATE TABLE revision (article_id, revision, url_key, source_id, text_digest, content_digest,
    payload_digest, published_at, first_seen_at, fetched_at, warc_key, warc_offset, warc_length, cluster_id, is_representative, cluster_size,
    cluster_earliest, change_seq, place);
CREATE TABLE stale_cluster (cluster_id PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE capture (capture_id, url_key, fetched_at, outcome, article_id, revision, payload_digest,
    warc_key, warc_offset, warc_length, change_seq, place);
CREATE TABLE changed_revision (article_id, revision, change_seq);
CREATE TABLE changed_capture (capture_id, change_seq);
CREATE TABLE article (article_id PRIMARY KEY, url_key, source_id, revision, text_digest, content_digest, published_at,
    first_seen_at, fetched_at, told_at, cluster_id, is_representative) WITHOUT ROWID;
CREATE TABLE url (url_key PRIMARY KEY, state, due_at, lease_owner, lease_until, captured_at, article_id) WITHOUT ROWID;
CREATE TABLE edge (a, b, kind);
CREATE TABLE shape (article_id);
CREATE TABLE object (key PRIMARY KEY, modified_at) WITHOUT ROWID;
CREATE TABLE document (capture_id, key);
CREATE TABLE policy (policy_id, body_digest, observed_at, warc_key, warc_offset, warc_length, place);
CREATE TABLE known_policy (policy_id PRIMARY KEY, observed_at) WITHOUT ROWID;
CREATE TABLE named_policy (policy_id, article_id, fetched_at);
"""

_INDEXES = """
CREATE INDEX policy_id ON policy (policy_id);
CREATE INDEX revision_of ON revision (article_id, revision);
CREATE INDEX revision_at ON revision (warc_key, warc_offset);
CREATE INDEX capture_id ON capture (capture_id);
CREATE INDEX capture_of ON capture (article_id, revision);
CREATE INDEX capture_at ON capture (warc_key, warc_offset);
CREATE INDEX capture_url ON capture (url_key);
DELETE FROM revision WHERE rowid IN (SELECT r.rowid FROM changed_revision AS c JOIN revision AS r
    ON r.article_id = c.article_id AND r.revision = c.revision AND coalesce(r.change_seq, 0) < c.change_seq);
DELETE FROM capture WHERE rowid IN (SELECT r.rowid FROM changed_capture AS c JOIN capture AS r
    ON r.capture_id = c.capture_id AND coalesce(r.change_seq, 0) < c.change_seq);
DELETE FROM revision WHERE place = 'outbox' AND EXISTS (SELECT 1 FROM revision AS r WHERE r.article_id = revision.article_id
    AND r.revision = revision.revision AND r.place <> 'outbox' AND r.change_seq >= revision.change_seq);
DELETE FROM capture WHERE place = 'outbox' AND EXISTS (SELECT 1 FROM capture AS r WHERE r.capture_id = capture.capture_id
    AND r.place <> 'outbox' AND r.change_seq >= capture.change_seq);
CREATE INDEX article_cluster ON article (cluster_id);
CREATE TABLE cluster (cluster_id PRIMARY KEY, size, earliest) WITHOUT ROWID;
INSERT INTO cluster SELECT cluster_id, count(*), max(CASE WHEN is_representative THEN article_id END)
    FROM article GROUP BY cluster_id HAVING sum(is_representative) = 1 AND max(article_id = cluster_id) = 1;
CREATE TABLE newest (article_id PRIMARY KEY, revision, url_key, source_id, text_digest, content_digest, published_at,
    first_seen_at, fetched_at) WITHOUT ROWID;
INSERT INTO newest SELECT article_id, revision, url_key, source_id, text_digest, content_digest, published_at,
    first_seen_at, fetched_at FROM (SELECT *, row_number() OVER (PARTITION BY article_id
        ORDER BY fetched_at DESC, revision DESC, rowid DESC) AS place_in_time FROM revision) WHERE place_in_time = 1;
"""

_INSERTS = {
    "revision": "INSERT INTO revision VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
    "stale_cluster": "INSERT INTO stale_cluster VALUES (?)",
    "capture": "INSERT INTO capture VALUES (?,?,?,?,?,?,?,?,?,?,?,?)",
    "changed_revision": "INSERT INTO changed_revision VALUES (?,?,?)",
    "changed_capture": "INSERT INTO changed_capture VALUES (?,?)",
    "article": "INSERT INTO article VALUES (?,?,?,?,?,?,?,?,?,?,?,?)",
    "url": "INSERT INTO url VALUES (?,?,?,?,?,?,?)",
    "edge": "INSERT INTO edge VALUES (?,?,?)",
    "shape": "INSERT INTO shape VALUES (?)",
    "object": "INSERT OR REPLACE INTO object VALUES (?,?)",
    "policy": "INSERT INTO policy VALUES (?,?,?,?,?,?,?)",
    "named_policy": "INSERT INTO named_policy VALUES (?,?,?)",
    "known_policy": "INSERT INTO known_policy VALUES (?,?)",
    "document": "INSERT INTO document VALUES (?,?)",
}


class Snapshot(ScratchDatabase):
    """A scratch database, deleted at the end of the block. Its instants are microseconds since 1970 (`micros`)."""

    _SCHEMA = _TABLES

    def add(self, table: str, rows: Iterable[tuple[Any, ...]]) -> int:
        """Add rows to a table, in the order of its columns; returns how many."""
        return self._database.executemany(_INSERTS[table], rows).rowcount

    def finish(self) -> None:
        """Make indexes and derived tables; call it after all rows are added.

        If a batch in the outbox changes a row, or it was published while the tables were read, its newest state is
        kept.
        """
        self._database.executescript(_INDEXES)

    def ask(self, query: str, *values: object) -> Iterator[tuple[Any, ...]]:
        """Yield the rows of a query."""
        yield from self._database.execute(query, values)

    def count(self, query: str, *values: object) -> int:
        """Return the single number of a query."""
        ((number,),) = self._database.execute(query, values)
        return int(number)


def micros(instant: datetime | None) -> int | None:
    """Return an instant in the snapshot's form."""
    return None if instant is None else instant_micros(instant)


def instant_micros(instant: datetime) -> int:
    """Return microseconds since 1970."""
    return (instant - _EPOCH) // timedelta(microseconds=1)
