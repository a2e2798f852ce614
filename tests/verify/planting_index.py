"""Faults planted in the index, in a separate module since they are planted on PostgreSQL as well."""

import shutil
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import delete, insert, select

from tasks.index.schema import articles, edges, frontier, policies, runs, shapes
from tests.verify.conftest import World
from tests.verify.planting import FAULTS, change_row, first_row, lonely_row, planted, table_files, update_rows

# ---- articles of the index


def _article(world: World, condition: Any) -> Any:
    return first_row(world, select(articles).where(condition).order_by(articles.c.article_id))


@planted("row_without_article", also=("url_without_article", "shape_without_article"))
def an_article_deleted_in_the_index(world):
    gone = lonely_row(world, table_files(world, "articles")[-1])
    with world.index.write() as tx:
        tx.execute(delete(articles).where(articles.c.article_id == gone))
    return gone


@planted(
    "row_without_article",
    also=(
        "url_without_article",
        "shape_without_article",
        "edge_without_article",
        "unknown_cluster",
        "wrong_representatives",
    ),
)
def the_first_of_a_cluster_deleted_in_the_index(world):
    edge = first_row(world, select(edges).where(edges.c.kind == "near_duplicate"))
    gone = _article(world, articles.c.article_id.in_([edge.a, edge.b]) & articles.c.is_representative)
    with world.index.write() as tx:
        tx.execute(delete(articles).where(articles.c.article_id == gone.article_id))
    return gone.article_id


@planted("article_behind")
def an_article_that_has_missed_a_revision(world):
    one = _article(world, articles.c.revision == 2)
    update_rows(world, articles, articles.c.article_id == one.article_id, revision=1)
    return one.article_id


@planted("article_without_row")
def an_article_ahead_of_the_lake(world):
    one = _article(world, articles.c.revision == 2)
    update_rows(world, articles, articles.c.article_id == one.article_id, revision=3)
    return one.article_id


@planted("article_differs")
def an_article_with_another_text_digest(world):
    one = _article(world, articles.c.revision == 1)
    update_rows(world, articles, articles.c.article_id == one.article_id, text_digest=f"t1:{0:064}")
    return one.article_id


@planted("article_differs")
def an_article_with_another_content_digest(world):
    one = _article(world, articles.c.revision == 1)
    update_rows(world, articles, articles.c.article_id == one.article_id, content_digest="c1:0.0.0.0.0")
    return one.article_id


@planted("article_differs")
def an_article_at_another_url(world):
    one = _article(world, articles.c.revision == 1)
    update_rows(world, articles, articles.c.article_id == one.article_id, url_key="press.example/elsewhere")
    return one.article_id


# ---- the frontier


def _url(world: World, state: str = "done") -> str:
    query = select(frontier.c.url_key).where(frontier.c.state == state, frontier.c.article_id.is_not(None))
    return first_row(world, query.order_by(frontier.c.url_key)).url_key


@planted("capture_without_url")
def a_url_deleted_in_the_index(world):
    key = _url(world)
    with world.index.write() as tx:
        tx.execute(delete(frontier).where(frontier.c.url_key == key))
    return key


@planted("url_without_article")
def a_url_of_an_article_that_is_not_there(world):
    key = _url(world)
    update_rows(world, frontier, frontier.c.url_key == key, article_id=f"{0:032}")
    return key


def _lease(world: World, owner: str | None, *, until: datetime | None, state: str = "leased") -> str:
    key = _url(world)
    update_rows(world, frontier, frontier.c.url_key == key, state=state, lease_owner=owner, lease_until=until,
            due_at=datetime.now(UTC))  # fmt: skip
    return key


@planted("stale_lease")
def a_lease_of_an_ended_run(world):
    ended = first_row(world, select(runs.c.run_id).where(runs.c.state == "ended")).run_id
    return _lease(world, ended, until=datetime.now(UTC) + timedelta(days=1))


@planted("stale_lease")
def a_lease_of_a_run_that_never_was(world):
    return _lease(world, "nobody", until=datetime.now(UTC) + timedelta(days=1))


@planted("broken_lease")
def a_lease_of_nobody(world):
    return _lease(world, None, until=None)


@planted("broken_lease")
def a_lease_of_what_is_done(world):
    return _lease(world, "nobody", until=None, state="done")


@planted("unknown_state")
def a_state_that_is_none(world):
    key = _url(world)
    update_rows(world, frontier, frontier.c.url_key == key, state="lost")
    return key


@planted("never_due")
def a_url_due_at_no_time(world):
    key = _url(world)
    update_rows(world, frontier, frontier.c.url_key == key, state="due", due_at=None)
    return key


# ---- clusters, edges, shapes


def _cluster(world: World) -> Any:
    """Return the representative of a cluster of near-duplicates."""
    edge = first_row(world, select(edges).where(edges.c.kind == "near_duplicate"))
    return _article(world, articles.c.article_id.in_([edge.a, edge.b]) & articles.c.is_representative)


@planted("wrong_representatives")
def a_cluster_that_nobody_represents(world):
    first = _cluster(world)
    update_rows(world, articles, articles.c.article_id == first.article_id, is_representative=False)
    return first.cluster_id


@planted("wrong_representatives")
def a_cluster_that_two_represent(world):
    first = _cluster(world)
    update_rows(world, articles, articles.c.cluster_id == first.cluster_id, is_representative=True)
    return first.cluster_id


@planted("late_representative")
def a_cluster_whose_second_represents_it(world):
    first = _cluster(world)
    update_rows(world, articles, articles.c.cluster_id == first.cluster_id, is_representative=True)
    update_rows(world, articles, articles.c.article_id == first.article_id, is_representative=False)
    return first.cluster_id


@planted("unknown_cluster", also=("torn_cluster", "wrong_representatives"))
def a_member_of_a_cluster_that_does_not_exist(world):
    first = _cluster(world)
    others = (articles.c.cluster_id == first.cluster_id) & (articles.c.article_id != first.article_id)
    update_rows(world, articles, others, cluster_id=f"{0:032}")
    return f"{0:032}"


@planted("torn_cluster", also=("cluster_told_wrong",))
def near_duplicates_in_two_clusters(world):
    first = _cluster(world)
    others = (articles.c.cluster_id == first.cluster_id) & (articles.c.article_id != first.article_id)
    other = _article(world, others)
    update_rows(world, articles, others, cluster_id=other.article_id, is_representative=True)
    return first.cluster_id


@planted("cluster_told_wrong")
def a_row_that_tells_of_another_cluster(world):
    lonely = lonely_row(world, table_files(world, "articles")[-1])
    change_row(
        table_files(world, "articles")[-1],
        lambda row: row["article_id"] == lonely,
        cluster_size=3,
        cluster_id=f"{0:032}",
    )
    return lonely


@planted("edge_without_article")
def an_edge_to_nowhere(world):
    one = _article(world, articles.c.revision == 1)
    row = {"a": one.article_id, "b": f"{0:032}", "kind": "excerpt", "score": 0.9, "found_at": datetime.now(UTC)}
    with world.index.write() as tx:
        tx.execute(insert(edges).values(row))
    return f"{0:032}"


@planted("shape_without_article")
def a_shape_of_nobody(world):
    shape = first_row(world, select(shapes))
    row = {**shape._mapping, "article_id": f"{0:032}"}
    del row["number"]
    with world.index.write() as tx:
        tx.execute(insert(shapes).values(row))
    return f"{0:032}"


# ---- documents of sites


@planted("row_without_policy")
def a_policy_deleted_in_the_index(world):
    gone = first_row(world, select(policies)).policy_id
    with world.index.write() as tx:
        tx.execute(delete(policies).where(policies.c.policy_id == gone))
    return gone


@planted("policy_without_row")
def a_policy_that_the_lake_has_not(world):
    row = {**first_row(world, select(policies))._mapping, "policy_id": f"{0:032}"}
    with world.index.write() as tx:
        tx.execute(insert(policies).values(row))
    return f"{0:032}"


@planted("article_without_policy", also=("policy_without_row",), left=("article_without_policy",))
def policies_that_are_gone(world):
    shutil.rmtree(world.lake / "policies")
    return first_row(world, select(policies)).policy_id


_INDEX_KINDS = {
    "row_without_article", "article_behind", "article_differs", "capture_without_url", "url_without_article",
    "stale_lease", "broken_lease", "unknown_state", "never_due", "wrong_representatives", "late_representative",
    "unknown_cluster", "torn_cluster", "edge_without_article", "shape_without_article", "unpublished_batch",
    "half_published_batch", "row_without_policy", "policy_without_row",
}  # fmt: skip
INDEX_FAULTS = [fault for fault in FAULTS if fault.kind in _INDEX_KINDS]
