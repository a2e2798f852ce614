"""The tables of the index, one definition for SQLite and PostgreSQL. Migrations (alembic) create them.

Nothing here needs what only one of the two can do. Figures of sources are in tasks/index/figures.py.
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
"""All tables, those of figures as well."""

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
"""Numbers in the order of commits: a database sequence assigns them before, and a reader could miss one."""

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
"""One row per run: the owner of leases, whether its process lives, and its summary.

A live run renews `heard_at` three times a lease. The run of a shard names its sweep (`sweep_id`).
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
"""Poll state; `due_at` is null for a feed that has ended (410). `parent_url` is the feed that named this one.

`feed_key` is the SHA-256 of the URL: an index of PostgreSQL allows 2,704 bytes, and a feed's URL may be longer.
"""

WAITING_STATES = ("done", "dropped", "due")
"""Where URLs are that will be looked at again, if they have an instant; leased ones are being looked at."""

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
        # the migration makes them partial in PostgreSQL too; to name that here would import its dialect for every
        # command
        Index(name, *columns, sqlite_where=_IS_WAITING)
        for name, columns in (
            (DUE_OF_SOURCE, ("source_id", "priority", "due_at")),
            (DUE_OF_HOST, ("source_id", "priority", "host", "due_at")),
        )
    ),
    Index("ix_frontier_no_page", "captured_at", sqlite_where=text("reason IS NOT NULL")),
)
"""Every URL ever announced, once, with its state. `shard` is made of its host's registrable domain.

`partial` is of a body that ended before its end: how many looks gave it, and its digest. `announced_rights` is the RSL
licence that its feed gave with it.
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
"""Politeness: no request to the host begins before `next_slot_at`. `turns` are the permits in use: id, end of its lease."""

places = Table(
    "places",
    metadata,
    Column("place", String(64), primary_key=True),
    Column("next_slot_at", Instant, nullable=False),
    Column("turns", JSON),
)
"""The same for all hosts of a registrable domain on one address; `place` is a digest of the two."""

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
"""robots.txt as received; status is null if nothing answered. Other daily requests have names of their own.

`evidence` is the packed exchange, of documents that the lake keeps; `form` distinguishes one content from another, and
stays while nothing answers. `turn` is set once a document has returned to a form that it had before.
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
"""The documents in the lake by which sites say what may be done with their pages. `told_at` is the row's `last_seen_at`."""

SHOWN_AT = "(CASE WHEN (published_at <= first_seen_at) THEN published_at ELSE first_seen_at END)"
"""When an article was published, or first seen if that is unknown or in the future: lists are in this order."""

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
"""One row per article: its newest revision, as far as later decisions need it.

`earlier_contents` are other contents that were seen at its URL, each a revision and a content digest. `content_digest`
and
`extractor` are null if a version before 0.2.0 wrote the row. `last_revision` is the greatest number that a revision had
which a replay has folded into another or taken out; it is not given again.
"""

stale_clusters = Table(
    "stale_clusters",
    metadata,
    Column("cluster_id", String(32), primary_key=True),
    Column("marks", BigInteger, nullable=False),
)
"""Clusters that have changed since the lake's rows were updated; `marks` counts the changes, so that none is missed."""

taken_down = Table(
    "taken_down",
    metadata,
    Column("takedown_id", String(64), primary_key=True),
    Column("digest", String(80), primary_key=True),
)
"""What takedowns keep out, as the lake's table says: no URL, only digests."""

aliases = Table(
    "aliases",
    metadata,
    Column("url_key", Text, primary_key=True),
    Column("article_key", Text, nullable=False, index=True),
    Column("how", String(16), nullable=False),
    Column("noted_at", Instant, nullable=False),
)
"""Other URLs of an article, by its url_key: claims of pages and servers, believed only while the texts are equal."""

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
"""The shape of an article's newest text: little-endian, 8 bytes a hash of the sketch, 4 of the others.

`vocabulary` and `names` are null in shapes of the first algorithm, which had none.
"""

postings = Table(
    "postings",
    metadata,
    Column("generation", Integer, primary_key=True, autoincrement=False),
    Column("hash", BigInteger, primary_key=True, autoincrement=False),
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    sqlite_with_rowid=False,
)
"""The shapes that have a hash in their sketch; a generation is a time window, and is deleted as one range of the key."""

edges = Table(
    "edges",
    metadata,
    Column("a", String(32), primary_key=True),
    Column("b", String(32), primary_key=True, index=True),
    Column("kind", String(16), primary_key=True),
    Column("score", Float, nullable=False),
    Column("found_at", Instant, nullable=False),
)
"""Relations of articles: `near_duplicate` (a < b), `excerpt` and `syndicated` (a is taken from b)."""

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
"""The pages that cannot be processed, each with the key of its document in the lake."""

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
"""The captures that replays read again or moved: with which rules, and the revision that each showed before the first replay."""

batches = Table(
    "batches",
    metadata,
    Column("batch_id", String(64), primary_key=True),
    Column("run_id", String(64), nullable=False, index=True),
    Column("decided_at", Instant, nullable=False),
    Column("counts", Text, nullable=False),
)
"""Batches that were decided: a decision that is requested twice is made once."""

outbox = Table(
    "outbox",
    metadata,
    Column("sequence", BigInteger, primary_key=True, autoincrement=False),
    Column("batch_id", String(64), nullable=False, unique=True),
    Column("created_at", Instant, nullable=False),
    Column("payload", LargeBinary, nullable=False),
)
"""Decisions that are committed and not yet in the lake's tables; the payload is zlib over JSON."""

archived = Table(
    "archived",
    metadata,
    Column("capture_id", String(32), primary_key=True),
    sqlite_with_rowid=False,
)
"""The captures that a backfill took in from archives: the same record, met again, adds nothing."""
