"""The output of `trace`: who published first, similar articles by title, and unknown ones marked so."""

from datetime import UTC, datetime, timedelta

from tasks.index.history import UrlHistory
from tasks.index.relations import Edge
from tasks.report.trace import NOT_HERE, Trace

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
OWN, OTHER = "a" * 32, "b" * 32


def article(article_id, *, title, published_days=None, seen_days=1):
    at = None if published_days is None else NOW - timedelta(days=published_days)
    return {
        "article_id": article_id, "title": title, "url": f"https://{title}.example/", "source_id": title, "published_at": at,
        "first_seen_at": NOW - timedelta(days=seen_days), "revision": 1, "duplicate_of": None,
    }  # fmt: skip


def traced(*, cluster=(), edges=(), kin=(), captures=(), revisions=()):
    own = article(OWN, title="own", published_days=2)
    return Trace(
        history=UrlHistory(frontier=None, article=own), captures=captures, revisions=revisions, names=(), edges=edges,
        cluster=cluster, kin=kin,
    )  # fmt: skip


def rows_of(found, title):
    return next(rows for name, _, rows in found.tables(now=NOW) if name.startswith(title))


def test_the_story_has_titles_and_dates_with_their_year():
    old = article(OTHER, title="wire", published_days=400)

    rows = rows_of(traced(cluster=(old, article(OWN, title="own", published_days=2))), "The same story")

    assert rows == [("25 Jan 2025 12:00", "wire", "wire"), ("27 Feb 12:00", "own", "own")]


def test_a_similar_article_is_listed_by_title_from_either_end():
    edges = (Edge(a=OWN, b=OTHER, kind="near_duplicate", score=0.8), Edge(a=OTHER, b=OWN, kind="excerpt", score=0.7))

    rows = rows_of(traced(edges=edges, kin=(article(OTHER, title="wire", published_days=3),)), "Alike (2)")

    assert {row[2:] for row in rows} == {("26 Feb 12:00", "wire", "wire")}


def test_a_similar_article_that_was_never_fetched_is_marked_so():
    rows = rows_of(traced(edges=(Edge(a=OWN, b=OTHER, kind="syndicated", score=1.0),)), "Alike")

    assert rows == [("syndicated", "1.00", "", "", NOT_HERE)]


def revision(number, **more):
    return {
        "revision": number, "novelty": "new", "fetched_at": NOW - timedelta(days=9), "extracted_at": NOW - timedelta(days=1),
        "word_count": 200, "title": "own", "text": "A story.", "authors": [], "published_at": None, "changes": None, **more,
    }  # fmt: skip


def test_a_superseded_revision_shows_when_it_was_extracted_again():
    revisions = (
        revision(1, added_seq=3, change_seq=8),
        revision(2, added_seq=4, change_seq=4),
        revision(3, added_seq=4, change_seq=9, text_removed_at=NOW),
        revision(4),
    )

    rows = rows_of(traced(revisions=revisions), "4 revisions")

    assert [row[3] for row in rows] == ["28 Feb 12:00", "", "", ""]


def test_each_capture_that_says_why_is_shown_with_its_first_line():
    captures = tuple(
        {"fetched_at": NOW, "status": None, "outcome": "failed", "reason": "x", "novelty": None, "revision": None,
         "warc_key": None, "detail": detail}
        for detail in ("a.example: connection refused", None, "ValueError: odd\ntasks/a.py:1 in b")
    )  # fmt: skip

    rows = rows_of(traced(captures=captures), "Why")

    assert [why for _, why in rows] == ["a.example: connection refused", "ValueError: odd"]


def test_without_a_diff_the_number_of_revisions_is_shown():
    assert traced().why_no_diff() == "Nothing to compare: 0 revisions."
