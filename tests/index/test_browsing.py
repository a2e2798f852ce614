"""Lists in the order in which people read them, cut by an index."""

from datetime import timedelta

import pytest

from tasks.index import articles, browsing, health
from tasks.index.browsing import ArticleFilter, Place
from tasks.index.health import ArrivalDay
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
                    title=f"Title {n}",
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


def test_the_newest_published_come_first_and_what_has_no_date_or_a_future_one_stands_where_it_was_seen(filled):
    assert ids(listed(filled)) == ["a5", "a3", "a4", "a2", "a1", "a0"]


def test_each_row_has_the_number_of_articles_of_its_story(filled):
    assert {one.article_id: one.copies for one in listed(filled)} == {
        "a0": 3, "a1": 3, "a4": 3, "a2": 1, "a3": 1, "a5": 1,
    }  # fmt: skip


def test_pages_follow_one_another_without_a_gap_or_a_repetition(filled):
    seen, before = [], None
    while page := listed(filled, before=before, limit=2):
        seen += ids(page)
        before = Place(told_at=page[-1].told_at, article_id=page[-1].article_id)

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
def test_a_list_has_what_its_filter_wants(filled, changes, wanted):
    assert ids(listed(filled, ArticleFilter(**changes))) == wanted


def test_a_list_of_a_time_ends_before_its_end(filled, now):
    wanted = ArticleFilter(since=now - 8 * HOUR, until=now - 3 * HOUR)

    assert ids(listed(filled, wanted)) == ["a4", "a2", "a1"]


def test_a_story_begins_with_who_had_it_first(filled):
    with filled.read() as tx:
        assert ids(browsing.find_members(tx, "a0", limit=9)) == ["a0", "a1", "a4"]


def test_stories_of_a_time_have_all_their_articles_counted(filled, now):
    with filled.read() as tx:
        (story,) = browsing.find_stories(tx, since=now - 5 * HOUR, until=now, limit=9)
        heads = browsing.find_heads(tx, [story.cluster_id])

    assert (story.articles, story.sources) == (3, 2)
    assert (story.first_at, story.newest_at) == (now - 9 * HOUR, now - 4 * HOUR)
    assert heads["a0"].title == "Title 0"


@pytest.mark.parametrize("sources", [None, frozenset({"s0"})])
def test_a_list_is_read_along_an_index(index, sources):
    query = browsing._newest(ArticleFilter(), None, 50)
    if sources:
        query = query.where(browsing.articles.c.source_id == "s0")
    with index.read() as tx:
        text = str(query.compile(tx, compile_kwargs={"literal_binds": True}))
        if not index.is_sqlite:
            tx.exec_driver_sql("SET LOCAL enable_seqscan = off")  # the table is empty
        plan = "\n".join(map(str, tx.exec_driver_sql(f"EXPLAIN {'QUERY PLAN ' * index.is_sqlite}{text}")))

    assert ("ix_articles_told_of_source" if sources else "ix_articles_told") in plan
    assert "TEMP B-TREE" not in plan
    assert "Sort" not in plan


def test_articles_of_a_day_are_counted_over_all_sources_or_some(index, now):
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
