"""First schema: facts, runs, feeds, frontier, hosts, robots, articles and their relations, batches, outbox."""

import sqlalchemy as sa
from alembic import op

from tasks.index.column_types import Instant

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables."""
    _create_relations()
    op.create_table(
        "articles",
        sa.Column("article_id", sa.String(length=32), nullable=False),
        sa.Column("url_key", sa.Text(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("source_id", sa.String(length=255), nullable=False),
        sa.Column("language", sa.String(length=16), nullable=True),
        sa.Column("title", sa.Text(), nullable=True),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("text_digest", sa.String(length=80), nullable=False),
        sa.Column("published_at", Instant(), nullable=True),
        sa.Column("first_seen_at", Instant(), nullable=False),
        sa.Column("fetched_at", Instant(), nullable=False),
        sa.Column("cluster_id", sa.String(length=32), nullable=False),
        sa.Column("duplicate_of", sa.String(length=32), nullable=True),
        sa.Column("is_representative", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("article_id", name=op.f("pk_articles")),
        sa.UniqueConstraint("url_key", name=op.f("uq_articles_url_key")),
    )
    op.create_index(op.f("ix_articles_cluster_id"), "articles", ["cluster_id"], unique=False)
    op.create_index(op.f("ix_articles_source_id"), "articles", ["source_id"], unique=False)
    op.create_index(op.f("ix_articles_text_digest"), "articles", ["text_digest"], unique=False)
    op.create_table(
        "batches",
        sa.Column("batch_id", sa.String(length=64), nullable=False),
        sa.Column("run_id", sa.String(length=64), nullable=False),
        sa.Column("decided_at", Instant(), nullable=False),
        sa.Column("counts", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("batch_id", name=op.f("pk_batches")),
    )
    op.create_index(op.f("ix_batches_run_id"), "batches", ["run_id"], unique=False)
    op.create_table(
        "counters",
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("value", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_counters")),
    )
    op.create_table(
        "facts",
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_facts")),
    )
    op.create_table(
        "feeds",
        sa.Column("feed_url", sa.Text(), nullable=False),
        sa.Column("source_id", sa.String(length=255), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("etag", sa.Text(), nullable=True),
        sa.Column("last_modified", sa.Text(), nullable=True),
        sa.Column("body_digest", sa.String(length=80), nullable=True),
        sa.Column("due_at", Instant(), nullable=True),
        sa.Column("polled_at", Instant(), nullable=True),
        sa.Column("interval_s", sa.Float(), nullable=True),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("reason", sa.String(length=64), nullable=True),
        sa.Column("entries", sa.Integer(), nullable=True),
        sa.Column("moved_to", sa.Text(), nullable=True),
        sa.Column("sightings", sa.Integer(), nullable=True),
        sa.Column("parent_url", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("feed_url", name=op.f("pk_feeds")),
    )
    op.create_index(op.f("ix_feeds_source_id"), "feeds", ["source_id"], unique=False)
    op.create_table(
        "frontier",
        sa.Column("url_key", sa.Text(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("host", sa.Text(), nullable=False),
        sa.Column("source_id", sa.String(length=255), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("due_at", Instant(), nullable=True),
        sa.Column("lease_owner", sa.String(length=64), nullable=True),
        sa.Column("lease_until", Instant(), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("etag", sa.Text(), nullable=True),
        sa.Column("last_modified", sa.Text(), nullable=True),
        sa.Column("payload_digest", sa.String(length=80), nullable=True),
        sa.Column("captured_at", Instant(), nullable=True),
        sa.Column("article_id", sa.String(length=32), nullable=True),
        sa.Column("outcome", sa.String(length=16), nullable=True),
        sa.Column("reason", sa.String(length=64), nullable=True),
        sa.Column("announced_by", sa.Text(), nullable=True),
        sa.Column("announced_title", sa.Text(), nullable=True),
        sa.Column("announced_at", Instant(), nullable=True),
        sa.Column("discovered_at", Instant(), nullable=False),
        sa.Column("shard", sa.SmallInteger(), nullable=False),
        sa.PrimaryKeyConstraint("url_key", name=op.f("pk_frontier")),
    )
    op.create_index(op.f("ix_frontier_host"), "frontier", ["host"], unique=False)
    op.create_index(op.f("ix_frontier_lease_owner"), "frontier", ["lease_owner"], unique=False)
    op.create_index(op.f("ix_frontier_source_id_state"), "frontier", ["source_id", "state"], unique=False)
    op.create_index(
        op.f("ix_frontier_state_priority_due_at"), "frontier", ["state", "priority", "due_at"], unique=False
    )
    op.create_table(
        "hosts",
        sa.Column("host", sa.Text(), nullable=False),
        sa.Column("next_slot_at", Instant(), nullable=False),
        sa.Column("crawl_delay_s", sa.Float(), nullable=True),
        sa.Column("latency_s", sa.Float(), nullable=True),
        sa.Column("slowdown", sa.Float(), nullable=False),
        sa.Column("turns", sa.JSON(), nullable=True),
        sa.PrimaryKeyConstraint("host", name=op.f("pk_hosts")),
    )
    op.create_table(
        "outbox",
        sa.Column("sequence", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("batch_id", sa.String(length=64), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("payload", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("sequence", name=op.f("pk_outbox")),
        sa.UniqueConstraint("batch_id", name=op.f("uq_outbox_batch_id")),
    )
    op.create_table(
        "robots",
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("body", sa.LargeBinary(), nullable=True),
        sa.Column("fetched_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("origin", name=op.f("pk_robots")),
    )
    op.create_table(
        "stale_clusters",
        sa.Column("cluster_id", sa.String(length=32), nullable=False),
        sa.Column("marks", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("cluster_id", name=op.f("pk_stale_clusters")),
    )
    op.create_table(
        "source_days",
        sa.Column("source_id", sa.String(length=255), nullable=False),
        sa.Column("day", sa.String(length=10), nullable=False),
        sa.Column("pages", sa.Integer(), nullable=False),
        sa.Column("empty", sa.Integer(), nullable=False),
        sa.Column("titled", sa.Integer(), nullable=False),
        sa.Column("dated", sa.Integer(), nullable=False),
        sa.Column("usual", sa.Integer(), nullable=False),
        sa.Column("log_length", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("source_id", "day", name=op.f("pk_source_days")),
    )
    _create_health()
    op.create_table(
        "runs",
        sa.Column("run_id", sa.String(length=64), nullable=False),
        sa.Column("machine", sa.String(length=255), nullable=False),
        sa.Column("pid", sa.Integer(), nullable=False),
        sa.Column("process_born_at", sa.Float(), nullable=False),
        sa.Column("started_at", Instant(), nullable=False),
        sa.Column("ended_at", Instant(), nullable=True),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("summary", sa.Text(), nullable=True),
        sa.Column("heard_at", Instant(), nullable=False),
        sa.Column("sweep_id", sa.String(length=64), nullable=True),
        sa.PrimaryKeyConstraint("run_id", name=op.f("pk_runs")),
    )
    op.create_index(op.f("ix_runs_sweep_id"), "runs", ["sweep_id"], unique=False)


def _create_health() -> None:
    op.create_table(
        "source_tallies",
        sa.Column("source_id", sa.String(length=255), nullable=False),
        sa.Column("day", sa.String(length=10), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("what", sa.String(length=64), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("run_id", sa.String(length=64), nullable=False),
        sa.Column("run_number", sa.Integer(), nullable=False),
        sa.Column("last_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("source_id", "day", "kind", "what", name=op.f("pk_source_tallies")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "source_arrivals",
        sa.Column("source_id", sa.String(length=255), nullable=False),
        sa.Column("day", sa.String(length=10), nullable=False),
        *(sa.Column(f"h{hour:02d}", sa.Integer(), nullable=False) for hour in range(24)),
        sa.Column("newest_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("source_id", "day", name=op.f("pk_source_arrivals")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "source_alarms",
        sa.Column("source_id", sa.String(length=255), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("looks", sa.Integer(), nullable=False),
        sa.Column("sweeps", sa.Integer(), nullable=False),
        sa.Column("began_at", Instant(), nullable=False),
        sa.Column("told_at", Instant(), nullable=True),
        sa.PrimaryKeyConstraint("source_id", "kind", name=op.f("pk_source_alarms")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "quarantine",
        sa.Column("document_key", sa.String(length=255), nullable=False),
        sa.Column("url_key", sa.Text(), nullable=False),
        sa.Column("source_id", sa.String(length=255), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("reason", sa.String(length=64), nullable=False),
        sa.Column("captured_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("document_key", name=op.f("pk_quarantine")),
    )
    op.create_index(op.f("ix_quarantine_captured_at"), "quarantine", ["captured_at"], unique=False)


def _create_relations() -> None:
    op.create_table(
        "aliases",
        sa.Column("url_key", sa.Text(), nullable=False),
        sa.Column("article_key", sa.Text(), nullable=False),
        sa.Column("how", sa.String(length=16), nullable=False),
        sa.Column("noted_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("url_key", name=op.f("pk_aliases")),
    )
    op.create_index(op.f("ix_aliases_article_key"), "aliases", ["article_key"], unique=False)
    op.create_table(
        "shapes",
        sa.Column("number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("article_id", sa.String(length=32), nullable=False),
        sa.Column("algorithm", sa.Integer(), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("told_at", Instant(), nullable=False),
        sa.Column("host", sa.Text(), nullable=False),
        sa.Column("words", sa.Integer(), nullable=False),
        sa.Column("sketch", sa.LargeBinary(), nullable=False),
        sa.Column("shingles", sa.LargeBinary(), nullable=False),
        sa.Column("numbers", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_shapes")),
        sa.UniqueConstraint("article_id", name=op.f("uq_shapes_article_id")),
    )
    op.create_index(op.f("ix_shapes_generation"), "shapes", ["generation"], unique=False)
    op.create_table(
        "postings",
        sa.Column("generation", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("hash", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("generation", "hash", "number", name=op.f("pk_postings")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "edges",
        sa.Column("a", sa.String(length=32), nullable=False),
        sa.Column("b", sa.String(length=32), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("score", sa.Float(), nullable=False),
        sa.Column("found_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("a", "b", "kind", name=op.f("pk_edges")),
    )
    op.create_index(op.f("ix_edges_b"), "edges", ["b"], unique=False)


def downgrade() -> None:
    """Drop the tables."""
    op.drop_table("edges")
    op.drop_table("postings")
    op.drop_table("shapes")
    op.drop_table("aliases")
    op.drop_index(op.f("ix_runs_sweep_id"), table_name="runs")
    op.drop_table("runs")
    op.drop_table("quarantine")
    op.drop_table("source_alarms")
    op.drop_table("source_arrivals")
    op.drop_table("source_tallies")
    op.drop_table("source_days")
    op.drop_table("robots")
    op.drop_table("outbox")
    op.drop_table("hosts")
    op.drop_index(op.f("ix_frontier_state_priority_due_at"), table_name="frontier")
    op.drop_index(op.f("ix_frontier_source_id_state"), table_name="frontier")
    op.drop_index(op.f("ix_frontier_lease_owner"), table_name="frontier")
    op.drop_index(op.f("ix_frontier_host"), table_name="frontier")
    op.drop_table("frontier")
    op.drop_index(op.f("ix_feeds_source_id"), table_name="feeds")
    op.drop_table("feeds")
    op.drop_table("facts")
    op.drop_table("counters")
    op.drop_index(op.f("ix_batches_run_id"), table_name="batches")
    op.drop_table("batches")
    op.drop_index(op.f("ix_articles_text_digest"), table_name="articles")
    op.drop_index(op.f("ix_articles_source_id"), table_name="articles")
    op.drop_index(op.f("ix_articles_cluster_id"), table_name="articles")
    op.drop_table("articles")
