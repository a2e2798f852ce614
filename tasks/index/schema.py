"""The tables of the index, defined once for SQLite and PostgreSQL. Migrations (alembic) create them.

They use only features of both databases. Figures of sources are in tasks/index/figures.py.
"""

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Float,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    String,
    Table,
    Text,
    text,
)

from tasks.index import figures  # noqa: F401 - its tables belong to the metadata
from tasks.index.column_types import METADATA, Instant, WebText

metadata = METADATA
"""All tables, including the figures."""

facts = Table(
    "facts",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("value", Text, nullable=False),
)
"""Facts about the index itself: index_id, lake_id, lake_uri."""

counters = Table(
    "counters",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("value", BigInteger, nullable=False),
)
"""Numbers in commit order. A database sequence assigns them before the commit, so a reader could miss one."""

runs = Table(
    "runs",
    metadata,
    Column("run_id", String(64), primary_key=True),
    Column("machine", String(255), nullable=False),
    Column("pid", Integer, nullable=False),
    Column("process_born_at", Float, nullable=False),
    Column("started_at", Instant, nullable=False),
    Column("ended_at", Instant),
    Column("state", String(16), nullable=False),
    Column("summary", Text),
    Column("heard_at", Instant, nullable=False),
    Column("sweep_id", String(64), index=True),
)
"""One row per run: the owner of leases, its process, and its summary.

A live run renews `heard_at` three times per lease period. The run of a shard refers to its sweep (`sweep_id`).
"""

feeds = Table(
    "feeds",
    metadata,
    Column("feed_key", String(64), primary_key=True),
    Column("feed_url", Text, nullable=False),
    Column("source_id", String(255), nullable=False, index=True),
    Column("kind", String(16), nullable=False),
    Column("etag", WebText),
    Column("last_modified", WebText),
    Column("body_digest", String(80)),
    Column("due_at", Instant),
    Column("polled_at", Instant),
    Column("interval_s", Float),
    Column("failures", Integer, nullable=False),
    Column("reason", String(64)),
    Column("entries", Integer),
    Column("moved_to", WebText),
    Column("sightings", Integer),
    Column("parent_url", Text),
    Column("unchanged", Integer),
)
"""Feeds and their poll state. `due_at` is null after a feed has ended (410).

`parent_url` is the feed that names this one. `feed_key` is the SHA-256 of the URL: PostgreSQL limits index entries to
2,704 bytes, and a URL may be longer.
"""

WAITING_STATES = ("done", "dropped", "due")
"""States of URLs that become due at `due_at`, if it is set. Leased URLs are being fetched."""

DUE_OF_SOURCE, DUE_OF_HOST = "ix_frontier_due_of_source", "ix_frontier_due_of_host"

_IS_WAITING = text(f"state IN ({', '.join(map(repr, WAITING_STATES))}) AND due_at IS NOT NULL")

frontier = Table(
    "frontier",
    metadata,
    Column("url_key", Text, primary_key=True),
    Column("url", Text, nullable=False),
    Column("host", Text, nullable=False, index=True),
    Column("source_id", String(255), nullable=False),
    Column("state", String(16), nullable=False),
    Column("priority", Integer, nullable=False),
    Column("due_at", Instant),
    Column("lease_owner", String(64), index=True),
    Column("lease_until", Instant),
    Column("attempts", Integer, nullable=False),
    Column("etag", WebText),
    Column("last_modified", WebText),
    Column("payload_digest", String(80)),
    Column("captured_at", Instant),
    Column("article_id", String(32)),
    Column("outcome", String(16)),
    Column("reason", String(64)),
    Column("announced_by", WebText),
    Column("announced_title", WebText),
    Column("announced_at", Instant),
    Column("discovered_at", Instant, nullable=False),
    Column("shard", SmallInteger, nullable=False),
    Column("partial", String(96)),
    Column("announced_rights", WebText),
    Index(None, "state", "priority", "due_at"),
    Index(None, "source_id", "state"),
    *(
        # the migration makes them partial in PostgreSQL too; saying so here would import its dialect for every command
        Index(name, *columns, sqlite_where=_IS_WAITING)
        for name, columns in (
            (DUE_OF_SOURCE, ("source_id", "priority", "due_at")),
            (DUE_OF_HOST, ("source_id", "priority", "host", "due_at")),
        )
    ),
    Index("ix_frontier_no_page", "captured_at", sqlite_where=text("reason IS NOT NULL")),
)
"""Every URL ever announced, once, with its state. `shard` depends on its host's registrable domain.

`partial`: for a truncated body, how many looks returned it, and its digest. `announced_rights`: the RSL licence that
the feed declares for the URL.
"""

hosts = Table(
    "hosts",
    metadata,
    Column("host", Text, primary_key=True),
    Column("next_slot_at", Instant, nullable=False),
    Column("crawl_delay_s", Float),
    Column("latency_s", Float),
    Column("slowdown", Float, nullable=False),
    Column("turns", JSON),
)
"""Politeness: no request before `next_slot_at`. `turns`: permits in use, as {id: end of its lease}."""

places = Table(
    "places",
    metadata,
    Column("place", String(64), primary_key=True),
    Column("next_slot_at", Instant, nullable=False),
    Column("turns", JSON),
)
"""The same for all hosts of a registrable domain at one address. `place` is a digest of the two."""

robots = Table(
    "robots",
    metadata,
    Column("origin", Text, primary_key=True),
    Column("status", Integer),
    Column("body", LargeBinary),
    Column("fetched_at", Instant, nullable=False),
    Column("evidence", LargeBinary),
    Column("form", String(32)),
    Column("turn", String(8)),
)
"""robots.txt as received; `status` is null if there was no response. Other daily requests have names of their own.

`evidence`: the packed HTTP exchange, for documents that the lake keeps. `form` identifies the content and stays while
there is no response. `turn` is set once a document returns to an earlier form.
"""

policies = Table(
    "policies",
    metadata,
    Column("policy_id", String(32), primary_key=True),
    Column("origin", Text, nullable=False, index=True),
    Column("kind", String(16), nullable=False),
    Column("url", Text, nullable=False),
    Column("status", Integer, nullable=False),
    Column("body_digest", String(80), nullable=False),
    Column("observed_at", Instant, nullable=False),
    Column("last_seen_at", Instant, nullable=False),
    Column("told_at", Instant, nullable=False),
    Column("warc_key", Text, nullable=False),
    Column("warc_offset", BigInteger, nullable=False),
    Column("warc_length", BigInteger, nullable=False),
)
"""Documents in the lake in which sites state permitted uses of their pages. `told_at`: `last_seen_at` in the lake."""

SHOWN_AT = "(CASE WHEN (published_at <= first_seen_at) THEN published_at ELSE first_seen_at END)"
"""When an article was published, or first seen if that is unknown or in the future. Lists sort by it."""

articles = Table(
    "articles",
    metadata,
    Column("article_id", String(32), primary_key=True),
    Column("url_key", Text, nullable=False, unique=True),
    Column("url", Text, nullable=False),
    Column("source_id", String(255), nullable=False, index=True),
    Column("language", String(16)),
    Column("title", WebText),
    Column("revision", Integer, nullable=False),
    Column("text_digest", String(80), nullable=False, index=True),
    Column("published_at", Instant),
    Column("first_seen_at", Instant, nullable=False, index=True),
    Column("fetched_at", Instant, nullable=False),
    Column("cluster_id", String(32), nullable=False, index=True),
    Column("duplicate_of", String(32)),
    Column("is_representative", Boolean, nullable=False),
    Column("content_digest", String(128)),
    Column("extractor", WebText),
    Column("earlier_contents", JSON(none_as_null=True)),
    Column("last_revision", Integer),
    Index("ix_articles_told", text(SHOWN_AT), "article_id"),
    Index("ix_articles_told_of_source", "source_id", text(SHOWN_AT), "article_id"),
)
"""One row per article: its newest revision, reduced to what later decisions need.

`earlier_contents`: other contents seen at its URL, as (revision, content digest). `content_digest` and `extractor` are
null in rows written before 0.2.0. `last_revision`: the highest revision number that a replay folded into another or
removed; it is never reused.
"""

stale_clusters = Table(
    "stale_clusters",
    metadata,
    Column("cluster_id", String(32), primary_key=True),
    Column("marks", BigInteger, nullable=False),
)
"""Clusters changed since the lake's rows were updated. `marks` counts the changes, so that none is missed."""

taken_down = Table(
    "taken_down",
    metadata,
    Column("takedown_id", String(64), primary_key=True),
    Column("digest", String(80), primary_key=True),
)
"""What takedowns exclude, copied from the lake's table: digests only, no URLs."""

aliases = Table(
    "aliases",
    metadata,
    Column("url_key", Text, primary_key=True),
    Column("article_key", Text, nullable=False, index=True),
    Column("how", String(16), nullable=False),
    Column("noted_at", Instant, nullable=False),
)
"""Other URLs of an article, by URL key: claims of pages and servers, believed only while the texts are equal."""

shapes = Table(
    "shapes",
    metadata,
    Column("number", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    Column("article_id", String(32), nullable=False, unique=True),
    Column("algorithm", Integer, nullable=False),
    Column("generation", Integer, nullable=False, index=True),
    Column("told_at", Instant, nullable=False),
    Column("host", Text, nullable=False),
    Column("words", Integer, nullable=False),
    Column("sketch", LargeBinary, nullable=False),
    Column("shingles", LargeBinary, nullable=False),
    Column("numbers", LargeBinary, nullable=False),
    Column("vocabulary", LargeBinary),
    Column("names", LargeBinary),
)
"""The shape of an article's newest text: little-endian, 8 bytes per sketch hash, 4 per other hash.

`vocabulary` and `names` are null in shapes of the first algorithm, which lacked them.
"""

postings = Table(
    "postings",
    metadata,
    Column("generation", Integer, primary_key=True, autoincrement=False),
    Column("hash", BigInteger, primary_key=True, autoincrement=False),
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    sqlite_with_rowid=False,
)
"""Shapes by sketch hash. A generation is a time window, deleted as one range of the key."""

edges = Table(
    "edges",
    metadata,
    Column("a", String(32), primary_key=True),
    Column("b", String(32), primary_key=True, index=True),
    Column("kind", String(16), primary_key=True),
    Column("score", Float, nullable=False),
    Column("found_at", Instant, nullable=False),
)
"""Relations of articles: `near_duplicate` (a < b), `excerpt` and `syndicated` (a derives from b)."""

quarantine = Table(
    "quarantine",
    metadata,
    Column("document_key", String(255), primary_key=True),
    Column("url_key", Text, nullable=False),
    Column("source_id", String(255), nullable=False),
    Column("url", Text, nullable=False),
    Column("reason", String(64), nullable=False),
    Column("captured_at", Instant, nullable=False, index=True),
)
"""Pages that cannot be processed, with the keys of their documents in the lake."""

replayed = Table(
    "replayed",
    metadata,
    Column("capture_id", String(64), primary_key=True),
    Column("day", String(10), nullable=False),
    Column("article_id", String(32), index=True),
    Column("revision", Integer),
    Column("position", BigInteger),
    Column("rules", String(128)),
    Column("knowledge", Integer),
    Column("kept", JSON(none_as_null=True)),
    Column("noted_at", Instant, nullable=False),
)
"""Captures that replays processed or moved: the rules applied, and the revision shown before the first replay."""

batches = Table(
    "batches",
    metadata,
    Column("batch_id", String(64), primary_key=True),
    Column("run_id", String(64), nullable=False, index=True),
    Column("decided_at", Instant, nullable=False),
    Column("counts", Text, nullable=False),
)
"""Decided batches. They make decisions idempotent."""

outbox = Table(
    "outbox",
    metadata,
    Column("sequence", BigInteger, primary_key=True, autoincrement=False),
    Column("batch_id", String(64), nullable=False, unique=True),
    Column("created_at", Instant, nullable=False),
    Column("payload", LargeBinary, nullable=False),
)
"""Committed decisions that are not yet in the lake's tables. The payload is compressed JSON."""

archived = Table(
    "archived",
    metadata,
    Column("capture_id", String(32), primary_key=True),
    sqlite_with_rowid=False,
)
"""Captures imported from archives, so that importing a record again adds nothing."""
