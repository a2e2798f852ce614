"""Copy the index into the snapshot."""

from typing import Any

from tasks.deduplicate.resemblance import article_time
from tasks.index.database import Transaction
from tasks.index.scanning import stream
from tasks.verify.snapshot import Snapshot, micros


def copy_index(tx: Transaction, snapshot: Snapshot) -> dict[str, int]:
    """Copy the rows to compare, and count them; articles last, so that all articles named by other rows are included."""
    snapshot.add("edge", ((row.a, row.b, row.kind) for row in stream(tx, "edges")))
    snapshot.add("shape", ((row.article_id,) for row in stream(tx, "shapes")))
    snapshot.add("stale_cluster", ((row.cluster_id,) for row in stream(tx, "stale_clusters")))
    snapshot.add("known_policy", ((row.policy_id, micros(row.observed_at)) for row in stream(tx, "policies")))
    urls = snapshot.add("url", (_url(row) for row in stream(tx, "frontier")))
    known = snapshot.add("article", (_article(row) for row in stream(tx, "articles")))
    return {"urls": urls, "articles": known}


def _url(row: Any) -> tuple[Any, ...]:  # noqa: ANN401 - a row of the frontier
    return (
        row.url_key,
        row.state,
        micros(row.due_at),
        row.lease_owner,
        micros(row.lease_until),
        micros(row.captured_at),
        row.article_id,
    )


def _article(row: Any) -> tuple[Any, ...]:  # noqa: ANN401 - a row of the articles
    return (
        row.article_id,
        row.url_key,
        row.source_id,
        row.revision,
        row.text_digest,
        row.content_digest,
        micros(row.published_at),
        micros(row.first_seen_at),
        micros(row.fetched_at),
        micros(article_time(row.published_at, row.first_seen_at)),
        row.cluster_id,
        row.is_representative,
    )
