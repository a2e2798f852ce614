"""Paged lists in reading order, served by a database index."""

from datetime import timedelta

import pytest
from sqlalchemy import insert

from tasks.index import articles, browsing, feeds, health, runs
from tasks.index.browsing import ArticleFilter, Place
from tasks.index.feeds import FeedAddress, PollRecord
from tasks.index.health import ArrivalDay, Tally, TallyKind
from tasks.index.schema import frontier
from tasks.values.feed import FeedKind
from tests.index.test_articles import known

HOUR = timedelta(hours=1)


@pytest.fixture
def filled(index, now):
    """Six articles an hour apart, of three sources; the third is dated in the future, the fourth undated."""
    dates = [now - 9 * HOUR, now - 8 * HOUR, now + 400 * 24 * HOUR, None, now - 4 * HOUR, now - 3 * HOUR]
    with index.write() as tx:
        articles.remember(
            tx,
            [
                known(
                    f"a{n}", now - HOUR * (6 - n), published_at=at, source_id=f"s{n % 3}",
                    language=("en", "en-GB", "de")[n % 3], cluster_id="a0" if n in {0, 1, 4} else f"a{n}",
                    title=f"Title {n}", is_representative=n not in {1, 4},
                )
                for n, at in enumerate(dates)
            ],
        )  # fmt: skip
    return index


def listed(index, wanted=None, *, before=None, limit=50):
    with index.read() as tx:
        return browsing.find_listed(tx, wanted or ArticleFilter(), before=before, limit=limit)


def ids(found):
    return [one.article_id for one in found]


def test_articles_are_sorted_by_date_or_by_first_seen_if_undated_or_in_the_future(filled):
    assert ids(listed(filled)) == ["a5", "a3", "a4", "a2", "a1", "a0"]


def test_each_row_has_its_storys_number_of_articles(filled):
    assert {one.article_id: one.copies for one in listed(filled)} == {
        "a0": 3, "a1": 3, "a4": 3, "a2": 1, "a3": 1, "a5": 1,
    }  # fmt: skip


def test_pages_have_no_gaps_and_no_repetitions(filled):
    seen, before = [], None
    while page := listed(filled, before=before, limit=2):
        seen += ids(page)
        before = Place(shown_at=page[-1].shown_at, article_id=page[-1].article_id)

    assert seen == ids(listed(filled))


@pytest.mark.parametrize(
    ("changes", "wanted"),
    [
        ({"sources": frozenset({"s0"})}, ["a3", "a0"]),
        ({"sources": frozenset({"s0", "s2"})}, ["a5", "a3", "a2", "a0"]),
        ({"sources": frozenset({"s0", *(f"more-{n}" for n in range(50))})}, ["a3", "a0"]),
        ({"sources": frozenset()}, []),
        ({"language": "en"}, ["a3", "a4", "a1", "a0"]),
        ({"language": "en-GB"}, ["a4", "a1"]),
    ],
)
def test_a_list_is_filtered(filled, changes, wanted):
    assert ids(listed(filled, ArticleFilter(**changes))) == wanted


def test_a_time_range_excludes_its_end(filled, now):
    wanted = ArticleFilter(since=now - 8 * HOUR, until=now - 3 * HOUR)

    assert ids(listed(filled, wanted)) == ["a4", "a2", "a1"]


def test_a_story_begins_with_its_first_source(filled):
    with filled.read() as tx:
        assert ids(browsing.find_members(tx, "a0", limit=9)) == ["a0", "a1", "a4"]


def test_stories_of_a_time_range_count_all_their_articles(filled, now):
    with filled.read() as tx:
        (story,) = browsing.find_stories(tx, since=now - 5 * HOUR, until=now, limit=9)
        heads = browsing.find_heads(tx, [story.cluster_id])

    assert (story.articles, story.sources) == (3, 2)
    assert (story.first_at, story.newest_at) == (now - 9 * HOUR, now - 4 * HOUR)
    assert heads["a0"].title == "Title 0"


def test_a_story_belongs_to_the_times_of_its_later_articles(filled, now):
    def found(since, until):
        with filled.read() as tx:
            return browsing.find_stories(tx, since=now - since * HOUR, until=now - until * HOUR, limit=9)

    assert [len(found(*time)) for time in ((10, 9), (9, 8), (8, 7), (5, 3), (3, 0))] == [0, 0, 1, 1, 0]


@pytest.mark.parametrize("sources", [None, frozenset({"s0"})])
def test_a_list_uses_a_database_index(index, sources):
    query = browsing._newest(ArticleFilter(), None, 50)
    if sources:
        query = query.where(browsing.articles.c.source_id == "s0")
    with index.read() as tx:
        text = str(query.compile(tx, compile_kwargs={"literal_binds": True}))
        if not index.is_sqlite:
            for way in ("seqscan", "bitmapscan", "sort"):  # on an empty table the planner would prefer these
                tx.exec_driver_sql(f"SET LOCAL enable_{way} = off")
        plan = "\n".join(map(str, tx.exec_driver_sql(f"EXPLAIN {'QUERY PLAN ' * index.is_sqlite}{text}")))

    assert ("ix_articles_told_of_source" if sources else "ix_articles_told") in plan
    assert "TEMP B-TREE" not in plan
    assert "Sort" not in plan


def test_articles_per_day_are_counted_for_all_or_some_sources(index, now):
    today, hours = now.date(), (1,) * 24
    with index.write() as tx:
        health.add_arrivals(
            tx,
            [
                ArrivalDay(source_id=source, day=today - timedelta(days=back), hours=hours, newest_at=now)
                for source, back in (("a", 0), ("b", 0), ("a", 1), ("a", 9))
            ],
        )
        since = today - timedelta(days=3)

        assert browsing.count_by_day(tx, None, since=since) == {today: 48, today - timedelta(days=1): 24}
        assert browsing.count_by_day(tx, {"b"}, since=since) == {today: 24}
        assert browsing.count_by_day(tx, set(), since=since) == {}


def test_urls_without_a_page_are_sorted_latest_first(index, now):
    rows = [
        {
            "url_key": f"a.example/{n}", "url": f"https://a.example/{n}", "host": "a.example", "source_id": "ab"[n % 2],
            "state": "dropped", "priority": 0, "attempts": 1, "captured_at": now + timedelta(minutes=n), "outcome": outcome,
            "reason": reason, "discovered_at": now, "shard": 1,
        }
        for n, (outcome, reason) in enumerate([("failed", "http_404"), ("skipped", "paywall"), ("ok", None), ("failed", "http_404")])
    ]  # fmt: skip
    with index.write() as tx:
        tx.execute(insert(frontier), rows)

        def found(source_id=None, reasons=None):
            return [one.url[-1] for one in browsing.find_no_pages(tx, source_id=source_id, reasons=reasons, limit=9)]

        assert found() == ["3", "1", "0"]
        assert found(source_id="a") == ["0"]
        assert found(reasons={"http_404"}) == ["3", "0"]


def test_failing_feeds_come_first(index, now):
    with index.write() as tx:
        feeds.add_feeds(
            tx,
            [FeedAddress(feed_url=f"https://a.example/{n}", source_id="a", kind=FeedKind.FEED) for n in "xyz"],
            now=now,
        )
        feeds.record_polls(
            tx,
            [
                PollRecord(
                    feed_url="https://a.example/y", polled_at=now, due_at=now, interval_s=60, failures=3, reason="http_404",
                    entries=None, etag=None, last_modified=None, body_digest=None,
                )
            ],
        )  # fmt: skip

        assert [one["feed_url"][-1] for one in browsing.find_feeds_of(tx, "a", limit=9)] == ["y", "x", "z"]
        assert [one["feed_url"][-1] for one in browsing.find_failing_feeds(tx, limit=9)] == ["y"]


def test_looks_are_counted_by_source_and_result(index, now):
    def tally(source, back, number, kind=TallyKind.LOOK, what="new"):
        return Tally(
            source_id=source, day=now.date() - timedelta(days=back), kind=kind, what=what, number=number, last_at=now, run_id="r",
            run_number=number,
        )  # fmt: skip

    with index.write() as tx:
        health.add_tallies(
            tx, [tally("a", 0, 2), tally("a", 1, 3), tally("a", 9, 7), tally("b", 0, 1), tally("a", 0, 5, kind=TallyKind.LAG, what="03")]
        )  # fmt: skip
        since = now.date() - timedelta(days=3)

        assert sorted(browsing.count_looks(tx, None, since=since)) == [("a", "new", 5), ("b", "new", 1)]
        assert browsing.count_looks(tx, "b", since=since) == [("b", "new", 1)]


def test_the_newest_article_the_languages_and_the_last_run_are_returned(filled, now):
    with filled.write() as tx:
        before = browsing.last_run_at(tx)
        runs.begin_run(tx, run_id="r1", now=now)

        assert (before, browsing.last_run_at(tx)) == (None, now)
        assert browsing.newest_at(tx) == now - 3 * HOUR
        assert browsing.find_languages(tx) == ["de", "en", "en-GB"]
