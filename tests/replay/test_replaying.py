"""A replay changes only what its rules extract differently; replaying with the first rules restores everything."""

from dataclasses import asdict, replace
from datetime import UTC, datetime

import pytest
from sqlalchemy import select

from tasks.index import outbox
from tasks.index.articles import find_by_id
from tasks.index.database import open_index
from tasks.index.schema import articles
from tasks.lake.keys import ARTICLES
from tasks.lake.removals import read_removals
from tasks.lake.tables import open_table
from tasks.values.rows import Outcome
from tasks.values.url import Url
from tasks.verify.reindex import reindex
from tests.replay.conftest import CLUSTER, FIRST_THREE, POISON_READ, SHORTER, SITES


def test_unchanged_rules_change_nothing(replays):
    before, versions = (replays.articles(), replays.captures(), replays.index()), replays.versions()

    report = replays.run()

    assert report.same == report.pages
    assert report.pages > 40
    assert replays.versions() == versions
    assert (replays.articles(), replays.captures(), replays.index()) == before


@pytest.mark.parametrize("sources", [["site_0"], pytest.param(["site_2"], marks=pytest.mark.long), SITES])
def test_replaying_with_other_options_and_then_the_first_ones_restores_every_row(replays, sources):
    before = replays.articles(), replays.captures(), replays.index()

    there = replays.run(**dict.fromkeys(sources, SHORTER))
    between = replays.world.verify().found
    changed = replays.articles()
    back = replays.run()

    assert there.changed
    assert back.changed
    assert changed != before[0]
    assert (between, replays.world.verify().found) == ({}, {})
    after = replays.articles(), replays.captures(), replays.index()
    assert after[0] == before[0]
    assert after[1] == before[1]
    assert after[2] == before[2]


def test_replay_works_on_postgresql(replays_on_postgresql):
    replays = replays_on_postgresql
    before = replays.articles(), replays.captures(), replays.index()

    replays.run(site_0=SHORTER, site_1=SHORTER)
    replays.run()

    assert (replays.articles(), replays.captures(), replays.index()) == before


def test_a_dry_run_changes_nothing(replays):
    before, versions = (replays.articles(), replays.index()), replays.versions()

    report = replays.run({"dry_run": True}, site_0=SHORTER)

    assert report.changed
    assert report.differences[0].diff.startswith("--- stored")
    assert (replays.versions(), (replays.articles(), replays.index())) == (versions, before)


def test_revisions_that_became_equal_fold_into_the_first_and_can_be_separated_again(replays):
    before = replays.articles(), replays.captures(), replays.index()

    folded = replays.run(**dict.fromkeys(SITES, FIRST_THREE))
    between, gone = replays.world.verify().found, set(before[0]) - set(replays.articles())
    captures = replays.captures().values()
    removed = {(one.article_id, one.revision) for one in read_removals(replays.world.store)}
    back = replays.run()

    assert (folded.rows_gone, {revision for _, revision in gone}) == (3, {2})
    assert removed == gone
    assert not [one for one in captures if (one.article_id, one.revision) in gone]
    assert (between, back.gained) == ({}, 3)
    assert (replays.articles(), replays.captures(), replays.index()) == before
    assert replays.world.verify().found == {}


def test_a_folded_revision_number_is_not_reused(replays):
    replays.run(**dict.fromkeys(SITES, FIRST_THREE))
    gone = {one.article_id for one in read_removals(replays.world.store)}

    with replays.world.index.read() as tx:
        known = [find_by_id(tx, article_id) for article_id in gone]

    assert [(one.revision, one.next_revision) for one in known] == [(1, 3)] * 3


def test_a_rebuilt_index_does_not_reuse_a_folded_number_either(replays, tmp_path):
    replays.run(**dict.fromkeys(SITES, FIRST_THREE))
    gone = {one.article_id for one in read_removals(replays.world.store)}

    with open_index(f"sqlite:///{tmp_path / 'again.db'}") as again:
        reindex(
            index=again, store=replays.world.store, now=datetime.now(UTC), revisit_after=(), on_step=lambda *_: None
        )
        with again.read() as tx:
            known = [find_by_id(tx, article_id) for article_id in gone]

    assert [(one.revision, one.next_revision) for one in known] == [(1, 3)] * 3


def test_pages_that_are_no_longer_articles_are_lost_and_can_be_gained_back(replays):
    before = replays.articles(), replays.captures(), replays.index()
    urls = {row.url for row in before[0].values() if row.source_id == "site-1"}

    lost = replays.run(refuse=urls)
    between = replays.world.verify().found
    left, captures = replays.articles(), replays.captures()
    gained = replays.run()

    assert (lost.lost, between) == (sum(row.url in urls for row in before[0].values()), {})
    assert not [row for row in left.values() if row.url in urls]
    assert {one.reason for one in captures.values() if one.url in urls and one.status == 200} == {"not_an_article"}
    assert gained.gained >= lost.lost
    after = replays.articles(), replays.captures(), replays.index()
    assert after[0] == before[0]
    assert after[1] == before[1]
    assert after[2] == before[2]
    assert replays.world.verify().found == {}


def test_a_quarantined_page_readable_by_newer_rules_is_gained(replays):
    (poison,) = (one for one in replays.captures().values() if one.outcome is Outcome.QUARANTINED)

    report = replays.run({"outcomes": ["quarantined"]}, pages={poison.url: POISON_READ})

    rows = [row for row in replays.articles().values() if row.url == poison.url]
    assert (report.pages, report.gained) == (1, 1)
    assert [(row.revision, row.fetched_at, row.first_seen_at) for row in rows] == [
        (1, poison.fetched_at, poison.fetched_at)
    ]
    assert replays.world.verify().found == {}
    assert list(replays.world.store.list("quarantine/")) == []


def test_older_skips_pages_read_with_the_current_rules(replays):
    assert replays.run({"older": True}).pages == 0


def test_pages_are_selected_by_source_host_url_day_outcome_and_reason(replays):
    one = next(row for row in replays.captures().values() if row.article_id and row.source_id == "site-2")
    day = one.fetched_at.date().isoformat()

    def pages(**config):
        return replays.run({"dry_run": True, **config}).pages

    everything = pages()
    assert sum(pages(sources=[site.replace("_", "-")]) for site in SITES) == everything
    assert pages(hosts=[Url.of(one.url).host]) == pages(sources=["site-2"])
    assert pages(urls=[one.url]) in {1, 2}
    assert (pages(since=day, until=day), pages(until="2020-01-01")) == (everything, 0)
    assert pages(outcomes=["ok"]) + pages(reasons=["too_many_elements"]) == everything


def alone(row):
    """A row without its relations to others, which may have changed."""
    relations = {"novelty", "duplicate_of", "similarity", *CLUSTER}
    return {name: value for name, value in asdict(row).items() if name not in relations}


def test_a_missing_segment_is_counted_and_the_stored_rows_stay(replays):
    before = replays.articles()
    key = next(iter(before.values())).warc_key
    replays.world.store.delete(key)

    report = replays.run({"max_failed": 1.0}, site_0=SHORTER)

    assert report.failures == {
        "segment_gone": sum(
            one.warc_key == key
            for one in replays.captures().values()
            if one.warc_key and one.outcome in {Outcome.OK, Outcome.QUARANTINED}
        )
    }
    after = replays.articles()
    kept = {key_: row for key_, row in before.items() if row.warc_key == key}
    assert all(alone(row) == alone(after[key_]) for key_, row in kept.items())


def test_a_damaged_record_affects_only_its_page(replays):
    row = next(iter(replays.articles().values()))
    segment = bytearray(replays.world.store.get(row.warc_key))
    segment[row.warc_offset + 60 : row.warc_offset + 90] = bytes(30)
    replays.world.store.put(row.warc_key, bytes(segment))

    report = replays.run()

    assert (report.failures, report.same) == ({"corrupt_record": 1}, report.pages - 1)


def test_it_stops_if_too_many_of_the_first_pages_fail(replays):
    for one in replays.world.store.list("warc/"):
        replays.world.store.delete(one.key)
    before = replays.articles()

    report = replays.run(site_0=SHORTER)

    assert "pages failed, 46 of them with segment_gone" in report.stopped
    assert replays.articles() == before


def test_the_old_text_is_readable_by_time_travel(replays):
    before, version = replays.articles(), open_table(replays.world.store, ARTICLES).version()
    replays.run(site_0=SHORTER)

    table = open_table(replays.world.store, ARTICLES)
    table.load_as_version(version)

    assert {row["text"] for row in table.to_pyarrow_table(columns=["text"]).to_pylist()} == {
        row.text for row in before.values()
    }


def test_change_seq_identifies_the_rows_written_by_a_replay(replays):
    before = {(row.article_id, row.revision): row for row in replays.stored()}
    with replays.world.index.read() as tx:
        last = outbox.last_sequence(tx)

    replays.run(site_0=SHORTER)

    for row in replays.stored():
        old = before.get((row.article_id, row.revision))
        is_written = old is None or replace(row, change_seq=old.change_seq) != old
        assert (row.change_seq > last) == is_written


def test_an_index_rebuilt_from_the_lake_is_the_same(replays, tmp_path):
    replays.run(site_0=SHORTER)
    known = {
        one: (row["text_digest"], row["revision"], row["content_digest"]) for one, row in replays.index()[0].items()
    }

    with open_index(f"sqlite:///{tmp_path / 'again.db'}") as again:
        reindex(
            index=again, store=replays.world.store, now=datetime.now(UTC), revisit_after=(), on_step=lambda *_: None
        )
        with again.read() as tx:
            made = {row["article_id"]: row for row in tx.execute(select(articles)).mappings()}
            sequence = outbox.last_sequence(tx)

    assert {one: (row["text_digest"], row["revision"], row["content_digest"]) for one, row in made.items()} == known
    assert sequence == max(row.change_seq for row in replays.stored())
