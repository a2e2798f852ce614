"""Retention, with the clock moved: expired pages and texts are removed, the rest stays, and a second run changes nothing."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from deltalake import DeltaTable
from sqlalchemy import select

from tasks.config.retention import KeptDays, RetentionRules
from tasks.index.schema import articles, shapes
from tasks.lake.keys import ARTICLES, CAPTURES
from tasks.lake.records import Record, iter_records
from tasks.maintain.config import MaintainConfig
from tasks.maintain.maintenance import maintain, summary_line
from tests.dying import Meanwhile
from tests.replay.conftest import SHORTER, SITES, Replays
from tests.verify.conftest import World
from tests.verify.test_reindex import _reindex

DAY = timedelta(days=1)
BOTH = RetentionRules(usual=KeptDays(payload_days=10, text_days=20))


def tidy(world: World, days: float, rules: RetentionRules = BOTH, **config):
    now = datetime.now(UTC) + days * DAY
    return maintain(
        index=world.index,
        store=world.store,
        config=MaintainConfig(**config),
        now=now,
        on_step=lambda *_: None,
        retention=rules,
    )


def rows(world: World, name: str) -> list[dict]:
    return DeltaTable(str(world.lake / name)).to_pyarrow_table().to_pylist()


def files(world: World) -> dict[str, bytes]:
    """Return the lake's objects without its logs, since maintenance writes checkpoints."""
    return {found.key: world.store.get(found.key) for found in world.store.list("") if "_delta_log" not in found.key}


def tombstones(world: World) -> list[str | None]:
    """Return the tombstone cause of each page record, or None; site documents are evidence and do not expire."""
    found = (world.store.get(one.key) for one in world.store.list("warc/"))
    records = [record for segment in found for record in iter_records(segment) if record.kind != "warcinfo"]
    assert any(is_document(record) for record in records)
    return [record.tombstone for record in records if not is_document(record)]


def is_document(record: Record) -> bool:
    return (record.url or "").endswith("/robots.txt")


def test_before_its_time_nothing_expires(world):
    before = files(world)

    report = tidy(world, 9)

    assert (report.texts_expired, report.payloads_expired) == (0, 0)
    assert set(tombstones(world)) == {None}
    assert {key: body for key, body in files(world).items() if key.startswith("warc/")} == {
        key: body for key, body in before.items() if key.startswith("warc/")
    }


def test_after_their_days_pages_become_tombstones_and_rows_stay(world):
    before, size = rows(world, ARTICLES), {one.key: one.size for one in world.store.list("warc/")}

    report = tidy(world, 11)
    found = world.verify(later=timedelta(days=11))

    assert report.payloads_expired == len(tombstones(world)) > 0
    assert set(tombstones(world)) == {"expired"}
    assert {one.key: one.size for one in world.store.list("warc/")} == size
    assert sorted(row["text"] for row in rows(world, ARTICLES)) == sorted(row["text"] for row in before)
    assert (found.found, found.checked["expired"]) == (
        {},
        sum(row["warc_key"] is not None for row in rows(world, CAPTURES)),
    )


def test_after_their_days_texts_are_empty_and_digests_stay(world):
    before = {(row["article_id"], row["revision"]): row for row in rows(world, ARTICLES)}

    report = tidy(world, 21)
    after = rows(world, ARTICLES)
    found = world.verify(later=timedelta(days=21))

    emptied = {"title": None, "text": "", "lede": None, "markdown": None}
    changed = {*emptied, "text_removed_at", "change_seq", "content_digest", "cluster_id", "is_representative"}
    changed |= {"cluster_size", "cluster_earliest"}
    for row in after:
        held = before[row["article_id"], row["revision"]]
        assert {name: row[name] for name in emptied} == emptied
        assert row["text_removed_at"] is not None
        assert {name: row[name] for name in row if name not in changed} == {
            name: held[name] for name in held if name not in changed
        }
    assert report.texts_expired == len(after) == len(before)
    assert (found.found, found.checked["expired_texts"]) == ({}, len(after))


def test_titles_leave_the_index_and_shapes_stay_until_their_window_ends(world):
    with world.index.read() as tx:
        before = len(tx.execute(select(shapes.c.number)).all())

    tidy(world, 21)

    with world.index.read() as tx:
        titles = set(tx.execute(select(articles.c.title)).scalars())
        assert (titles, len(tx.execute(select(shapes.c.number)).all())) == ({None}, before)


def test_a_second_run_changes_nothing(world):
    tidy(world, 21)
    before = files(world)

    again = tidy(world, 21.01)

    assert (again.texts_expired, again.payloads_expired) == (0, 0)
    assert files(world) == before


def test_a_source_may_have_its_own_retention(world):
    rules = RetentionRules(usual=KeptDays(), by_source={"site-1": KeptDays(payload_days=1, text_days=1)})

    tidy(world, 2, rules)

    gone = {(row["source_id"], row["text_removed_at"] is not None) for row in rows(world, ARTICLES)}
    assert {source for source, is_gone in gone if is_gone} == {"site-1"}
    assert {source for source, is_gone in gone if not is_gone} >= {"site-0", "site-2"}
    assert set(tombstones(world)) == {None, "expired"}
    assert world.verify(later=timedelta(days=2)).found == {}


def test_a_shorter_retention_applies_to_existing_pages(world):
    tidy(world, 11, RetentionRules(usual=KeptDays(), by_source={"site-1": KeptDays(payload_days=10)}))
    before = tombstones(world).count("expired")

    tidy(world, 11, BOTH)

    assert 0 < before < tombstones(world).count("expired") == len(tombstones(world))


def test_a_dry_run_lists_what_would_expire_and_changes_nothing(world):
    before = files(world)

    report = tidy(world, 21, dry_run=True)

    assert report.texts_expired == 42
    assert report.payloads_expired > 0
    assert "texts expired" in summary_line(report)
    assert files(world) == before


def test_a_reindexed_index_counts_expired_texts(world, index):
    tidy(world, 21)
    with world.index.read() as tx:
        known = {row.article_id: row.text_digest for row in tx.execute(select(articles))}

    report = _reindex(index, world.store)

    with index.read() as tx:
        again = {row.article_id: row.text_digest for row in tx.execute(select(articles))}
    assert (report.expired, again) == (42, known)


def test_a_refetched_page_with_an_expired_text_is_unchanged(world):
    tidy(world, 21)
    before = len(rows(world, ARTICLES))

    world.sweep()

    assert len(rows(world, ARTICLES)) == before
    assert world.verify(later=timedelta(days=21)).found == {}


@pytest.mark.parametrize("name", ["payload_days", "text_days"])
def test_without_a_number_nothing_expires(world, name):
    other = {"payload_days", "text_days"} - {name}

    report = tidy(world, 30_000, RetentionRules(usual=replace(KeptDays(), **dict.fromkeys(other, 1))))

    assert (report.payloads_expired == 0, report.texts_expired == 0) == (name == "payload_days", name == "text_days")


@pytest.mark.parametrize("reads", [1, 5, pytest.param(3, marks=pytest.mark.long)])
def test_a_concurrent_replay_of_a_row_is_not_undone(world, reads):
    replayed = {}

    def replay_meanwhile():
        Replays(world).run(**dict.fromkeys(SITES, SHORTER))
        replayed.update(digests(world))

    store = Meanwhile(world.lake, reads, replay_meanwhile)
    expire(world, store)

    assert digests(world) == replayed
    expire(world, world.store)
    assert {row["text"] for row in rows(world, ARTICLES)} == {""}
    assert digests(world) == replayed
    assert world.verify(later=22 * DAY).found == {}


def digests(world):
    return {(row["article_id"], row["revision"]): row["text_digest"] for row in rows(world, ARTICLES)}


def expire(world, store):
    maintain(
        index=world.index,
        store=store,
        config=MaintainConfig(),
        now=datetime.now(UTC) + 21 * DAY,
        on_step=lambda *_: None,
        retention=BOTH,
    )
