"""An index built from the lake alone has the same knowledge as the original one."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from tasks.errors import ConfigError
from tasks.index import frontier as frontier_rows
from tasks.index import outbox
from tasks.index.articles import find_aliases, find_by_id
from tasks.index.database import Index
from tasks.index.figures import capture_counts
from tasks.index.frontier import Selection, State
from tasks.index.schema import articles, edges, frontier, shapes
from tasks.lake.objects.stores import DirectoryStore
from tasks.lake.tables import open_table
from tasks.store.publishing import publish
from tasks.values.rows import Novelty, Outcome
from tasks.verify.reindex import check_is_empty, reindex
from tasks.verify.stored import DamagedFile
from tasks.verify.verification import verify
from tests.e2e.chaos_worker import REVISIT_AFTER
from tests.rows import FETCHED_AT, make_article, make_capture, make_item
from tests.verify.conftest import sweep

LOST = {"announced_by", "announced_title", "announced_at", "discovered_at", "due_at"}
"""Columns without a counterpart in the lake; `due_at` is computed from the fetch, not from the decision a second
later."""


def _reindex(index: Index, store: DirectoryStore):
    return reindex(
        index=index, store=store, now=datetime.now(UTC), revisit_after=REVISIT_AFTER, on_step=lambda *_: None
    )  # fmt: skip


def _verify(index: Index, store: DirectoryStore) -> dict[str, int]:
    report = verify(
        index=index, store=store, now=datetime.now(UTC) + timedelta(hours=2), is_repairing=False, sample=None,
        revisit_after=(), on_step=lambda *_: None,
    )  # fmt: skip
    return report.found


def _rows(index: Index, table, *, without: set[str]) -> list[tuple]:
    with index.read() as tx:
        columns = [column for column in table.c if column.name not in without]
        return sorted((tuple(row) for row in tx.execute(select(*columns))), key=repr)


def test_a_new_index_knows_what_the_old_one_knew(world, index):
    report = _reindex(index, world.store)

    assert (report.articles, report.revisions, report.urls) == (39, 42, 42)
    assert _rows(index, articles, without={"cluster_id"}) == _rows(world.index, articles, without={"cluster_id"})
    assert _rows(index, frontier, without=LOST) == _rows(world.index, frontier, without=LOST)
    assert _rows(index, shapes, without={"number"}) == _rows(world.index, shapes, without={"number"})
    assert _rows(index, edges, without={"found_at"}) == _rows(world.index, edges, without={"found_at"})
    assert _rows(index, capture_counts, without=set()) == _rows(world.index, capture_counts, without=set())


def test_its_clusters_are_the_same_groups(world, index):
    _reindex(index, world.store)

    assert _groups(index) == _groups(world.index)
    assert max(map(len, _groups(index))) > 1


def _groups(index: Index) -> set[frozenset[str]]:
    groups: dict[str, set[str]] = {}
    for article_id, cluster_id in _rows(
        index, articles, without={c.name for c in articles.c} - {"article_id", "cluster_id"}
    ):
        groups.setdefault(cluster_id, set()).add(article_id)
    return set(map(frozenset, groups.values()))


def test_verify_finds_nothing_afterwards(world, index):
    _reindex(index, world.store)

    assert _verify(index, world.store) == {}


def test_a_sweep_on_the_new_index_adds_no_article(world, press, index, index_url):
    known = {key[0] for key in _revisions(world.store)}
    _reindex(index, world.store)
    with index.write() as tx:
        assert frontier_rows.recall(tx, Selection(), now=datetime.now(UTC)) == 41  # all but the quarantined ones

    sweep(world.home, index_url, press)

    revisions = _revisions(world.store)
    assert {key[0] for key in revisions} == known
    assert len(set(revisions)) == len(revisions) == 42  # corrected articles are known as before
    assert _verify(index, world.store) == {}


def _revisions(store: DirectoryStore) -> list[tuple[str, int]]:
    rows = open_table(store, "articles").to_pyarrow_table(columns=["article_id", "revision"]).to_pylist()
    return [(row["article_id"], row["revision"]) for row in rows]


def test_an_index_that_is_not_empty_is_refused(world):
    with pytest.raises(ConfigError, match="is not empty"):
        check_is_empty(world.index)


def test_a_failed_reindex_leaves_nothing(world, index):
    max(world.lake.glob("articles/dt=*/*.parquet")).write_bytes(b"nonsense")

    with pytest.raises(DamagedFile):
        _reindex(index, world.store)

    check_is_empty(index)


def test_aliases_of_an_article_are_known_again(index, tmp_path):
    store = DirectoryStore(tmp_path / "lake")
    moved = make_capture(capture_id="c2", url="https://daily.example/old", url_key="daily.example/old",
                         final_url="https://daily.example/a", novelty=Novelty.UNCHANGED)  # fmt: skip
    article = make_article(cluster_id="a1", canonical_url="https://daily.example/a?full=1")
    item = make_item(1, rows=0)
    _publish(store, item, captures=(make_capture(), moved), articles=(article,))

    _reindex(index, store)

    with index.read() as tx:
        names = find_aliases(tx, ["daily.example/old", "daily.example/a?full=1"])
    assert names == dict.fromkeys(("daily.example/old", "daily.example/a?full=1"), "daily.example/a")


def test_the_revision_that_was_fetched_last_is_the_newest_and_the_next_number_follows_the_greatest(index, tmp_path):
    store = DirectoryStore(tmp_path / "lake")
    first = make_article(cluster_id="a1")
    older = replace(first, revision=2, text="The harbour stays closed.", fetched_at=FETCHED_AT - timedelta(hours=1))
    _publish(store, make_item(1, rows=0), captures=(), articles=(first, older))

    _reindex(index, store)

    with index.read() as tx:
        known = find_by_id(tx, "a1")
    assert (known.revision, known.next_revision) == (1, 3)


@pytest.mark.parametrize(
    ("changes", "state", "is_due"),
    [
        ({"outcome": Outcome.FAILED, "reason": "http_404", "status": 404}, State.DROPPED, True),
        ({"outcome": Outcome.FAILED, "reason": "http_404", "status": 404, "attempt": 4}, State.DROPPED, False),
        ({"outcome": Outcome.FAILED, "reason": "http_410", "status": 410}, State.GONE, False),
        ({"outcome": Outcome.FAILED, "reason": "http_503", "status": 503}, State.DUE, True),
        ({"outcome": Outcome.FAILED, "reason": "timed_out", "status": None}, State.DUE, True),
        ({"outcome": Outcome.FAILED, "reason": "too_large"}, State.DROPPED, True),
        ({"outcome": Outcome.SKIPPED, "reason": "robots_disallowed", "status": None}, State.DROPPED, True),
        ({"outcome": Outcome.SKIPPED, "reason": "login"}, State.DONE, False),
        ({"outcome": Outcome.QUARANTINED, "reason": "extractor_crashed"}, State.QUARANTINED, False),
    ],
)
def test_the_last_capture_decides_the_state_of_a_url(index, tmp_path, changes, state, is_due):
    store = DirectoryStore(tmp_path / "lake")
    page = make_capture(capture_id="c1", payload_digest="sha256:11")
    later = make_capture(capture_id="c2", fetched_at=FETCHED_AT + timedelta(days=1), payload_digest="sha256:22",
                         novelty=None, revision=None, **changes)  # fmt: skip
    _publish(store, make_item(1, rows=0), captures=(page, later), articles=(make_article(cluster_id="a1"),))

    _reindex(index, store)

    with index.read() as tx:
        row = tx.execute(select(frontier)).one()
    assert (row.state, row.due_at is not None) == (state, is_due)
    assert (row.payload_digest, row.etag, row.captured_at) == ("sha256:11", None, later.fetched_at)
    assert row.discovered_at == FETCHED_AT


def _publish(store: DirectoryStore, item, **rows) -> None:
    publish([replace(item, **rows)], store=store, index_id="another")


def test_the_outbox_continues_from_the_lakes_sequence_of_this_index(index, tmp_path):
    store = DirectoryStore(tmp_path / "lake")
    publish([make_item(7, rows=0, batch_id="b7")], store=store, index_id="another")
    publish([make_item(9, batch_id="b9", rows=1)], store=store, index_id=index.index_id)

    _reindex(index, store)

    with index.write() as tx:
        assert outbox.append(tx, batch_id="b", run_id="r", captures=(), articles=(), counts={}, now=FETCHED_AT) == 10


def test_the_outbox_continues_from_the_newest_change_in_any_row(index, tmp_path):
    store = DirectoryStore(tmp_path / "lake")
    publish([make_item(9, batch_id="b9", rows=1, change_seq=9)], store=store, index_id="another")

    _reindex(index, store)

    with index.write() as tx:
        assert outbox.append(tx, batch_id="b", run_id="r", captures=(), articles=(), counts={}, now=FETCHED_AT) == 10
