"""The cluster columns of the lake, and the marks of clusters that have changed since."""

from datetime import UTC, datetime, timedelta

import pytest

from tasks.index import clusters
from tasks.index.articles import article_id_of
from tests.deduplicate.deciding import decide, published
from tests.deduplicate.pages import story

NOW = datetime(2026, 3, 1, 12, 30, tzinfo=UTC)
FIRST, SECOND, THIRD = "a.example/1", "b.example/2", "c.example/3"


def stale(index):
    with index.read() as tx:
        return clusters.find_stale(tx, limit=9)


def members(index, *cluster_ids):
    with index.read() as tx:
        return clusters.find_members(tx, cluster_ids)


@pytest.fixture
def of_two(index):
    decide(index, "b1", {FIRST: story(1)})
    decide(index, "b2", {SECOND: story(1)}, now=NOW + timedelta(hours=1))
    return index


def test_a_single_article_is_written_correctly_at_once(index):
    decide(index, "b1", {FIRST: story(1)})

    (row,) = published(index)
    assert (row.cluster_size, row.cluster_earliest) == (1, row.article_id)
    assert stale(index) == {}


def test_a_new_member_gets_the_clusters_size_and_the_others_are_marked(of_two):
    first, second = published(of_two)

    assert [(row.cluster_size, row.cluster_earliest) for row in (first, second)] == [
        (1, first.article_id), (2, first.article_id),
    ]  # fmt: skip
    assert stale(of_two) == {first.cluster_id: 1}
    assert {one.cluster_size for one in members(of_two, first.cluster_id).values()} == {2}


def test_a_mark_renewed_meanwhile_stays(of_two):
    told = stale(of_two)
    decide(of_two, "b3", {THIRD: story(1)}, now=NOW + timedelta(hours=2))

    with of_two.write() as tx:
        clusters.clear(tx, told)

    assert stale(of_two) == {article_id_of(FIRST): 2}


def test_a_mark_is_cleared_after_the_update(of_two):
    with of_two.write() as tx:
        clusters.clear(tx, clusters.find_stale(tx, limit=9))

        assert clusters.find_stale(tx, limit=1) == {}
