"""The stage on a real index: from pages to decisions and frontier rows."""

from datetime import datetime, timedelta

import pytest

from tasks.errors import TooManyUnexpected
from tasks.index import frontier
from tasks.index.database import open_index
from tasks.index.frontier import Selection
from tasks.reasons import Disposition
from tasks.values.rows import Novelty, Outcome
from tests.deduplicate.deciding import NOW, captured, decide, published
from tests.deduplicate.pages import page, story


def test_a_text_seen_first_is_new(index):
    report = decide(index, "b1", {"a.example/1": "The harbour reopened."})

    assert report.articles == {"new": 1}


def test_the_same_text_again_is_unchanged_without_a_row(index):
    decide(index, "b1", {"a.example/1": "The harbour reopened."})

    report = decide(index, "b2", {"a.example/1": "The harbour  reopened. "})

    assert (report.articles, len(published(index))) == ({"unchanged": 1}, 1)


def test_a_different_text_at_a_known_url_is_a_revision(index):
    decide(index, "b1", {"a.example/1": "The harbour reopened."})
    decide(index, "b2", {"a.example/1": "The harbour reopened on Monday."})

    assert [(row.novelty, row.revision) for row in published(index)] == [(Novelty.NEW, 1), (Novelty.REVISION, 2)]
    assert len({row.article_id for row in published(index)}) == 1


def test_an_equal_text_at_another_url_is_a_duplicate_of_the_earliest(index):
    decide(index, "b1", {"a.example/1": "The harbour reopened."})
    decide(index, "b2", {"b.example/2": "The harbour reopened.", "c.example/3": "The harbour reopened."})

    first, *copies = published(index)

    assert [(copy.novelty, copy.duplicate_of, copy.cluster_id) for copy in copies] == [
        (Novelty.DUPLICATE, first.article_id, first.cluster_id)
    ] * 2


def test_duplicates_within_a_batch_are_found(index):
    report = decide(index, "b1", {"a.example/1": "The harbour reopened.", "b.example/2": "The harbour reopened."})

    assert report.articles == {"new": 1, "duplicate": 1}


def test_an_unchanged_capture_names_its_article(index):
    decide(index, "b1", {"a.example/1": "The harbour reopened."})
    report = decide(index, "b2", {"a.example/1": (Outcome.NOT_MODIFIED, None)})

    last = captured(index)[-1]

    assert (report.not_modified, last.novelty, last.revision) == (1, Novelty.UNCHANGED, 1)


def test_deciding_a_batch_again_changes_nothing(index):
    first = decide(index, "b1", {"a.example/1": "The harbour reopened."})

    again = decide(index, "b1", {"a.example/1": "The harbour reopened."})

    assert (again.articles, len(captured(index))) == (first.articles, 1)


@pytest.mark.parametrize(
    ("outcome", "disposition", "counted"),
    [
        (Outcome.FAILED, Disposition.DROPPED, {"failed": {"reason": 1}}),
        (Outcome.SKIPPED, Disposition.SKIPPED, {"skipped": {"reason": 1}}),
        (Outcome.QUARANTINED, Disposition.QUARANTINED, {"quarantined": 1}),
    ],
)
def test_a_page_that_is_not_an_article_is_counted_and_affects_no_other(index, outcome, disposition, counted):
    report = decide(index, "b1", {"a.example/1": (outcome, disposition), "b.example/2": "The harbour reopened."})

    assert {name: getattr(report, name) for name in counted} == counted
    assert report.articles == {"new": 1}


def test_a_deferred_url_is_due_again(index):
    decide(index, "b1", {"a.example/1": "The harbour reopened."}, deferred=["a.example/2"])

    with index.read() as tx:
        assert frontier.count_by_state(tx) == {"a": {"done": 1, "due": 1}}


# When it is looked at again


@pytest.mark.parametrize(
    ("published_at", "wait"),
    [(None, timedelta(hours=1)), (NOW - timedelta(days=3), timedelta(hours=1)), (NOW - timedelta(days=30), None)],
)
def test_a_young_article_is_refetched(index, published_at, wait):
    decide(index, "b1", {"a.example/1": page(story(1), published_at=published_at)})

    with index.read() as tx:
        due_at = tx.execute(frontier.frontier.select()).mappings().one()["due_at"]

    assert due_at == (None if wait is None else NOW + wait)


def test_a_later_refetch_is_not_pending(index):
    decide(index, "b1", {"a.example/1": story(1)})

    with index.read() as tx:
        assert frontier.count_pending(tx, Selection()) == 0


def test_a_doubtful_article_is_stored_and_counted_by_its_source(index):
    pages = {"a.example/1": page(story("one"), quality=0.2), "a.example/2": page(story("two"), quality=0.9)}

    report = decide(index, "b1", pages)

    assert report.doubtful == {"daily": 1}
    assert [(one.quality, one.is_doubtful) for one in published(index)] == [(0.2, True), (0.9, False)]


def test_a_doubtful_article_that_is_known_is_not_counted_again(index):
    decide(index, "b1", {"a.example/1": page(story("one"), quality=0.2)})

    assert decide(index, "b2", {"a.example/1": page(story("one"), quality=0.2)}).doubtful == {}


UNSTORABLE = 5
"""An invalid title that makes the storing statement fail."""


@pytest.mark.parametrize("both", [{}, {"b.example/2": "The ferry is late."}])
def test_a_page_the_database_refuses_is_quarantined_alone_with_its_traceback(both_indexes, both):
    looks = {
        "a.example/1": page("The harbour reopened.", title=UNSTORABLE),
        "c.example/3": "The bridge is closed.",
        **both,
    }

    report = decide(both_indexes, "b1", looks)

    assert (report.articles, report.quarantined) == ({"new": 1 + len(both)}, 1)
    by_key = {one.url_key: one for one in captured(both_indexes)}
    bad = by_key["a.example/1"]
    assert (bad.outcome, bad.reason, bad.novelty, bad.article_id) == ("quarantined", "unexpected_error", None, None)
    assert "AttributeError" in bad.detail
    assert "tasks/" in bad.detail
    assert {row.url_key for row in published(both_indexes)} == looks.keys() - {"a.example/1"}


def test_a_page_that_raises_is_quarantined_alone(index):
    naive = datetime(2026, 3, 1, 12, 0)  # noqa: DTZ001 - deliberately naive

    report = decide(index, "b1", {"a.example/1": page("One.", published_at=naive), "b.example/2": "Two."})

    assert (report.articles, report.quarantined) == ({"new": 1}, 1)


def test_a_page_quarantined_here_has_the_state_of_other_quarantined_pages(index):
    decide(index, "b1", {"a.example/1": page("One.", title=UNSTORABLE), "b.example/2": "Two."})

    with index.read() as tx:
        states = frontier.count_by_state(tx)
    assert states == {"a": {"quarantined": 1, "done": 1}}


def test_a_batch_fails_undecided_if_most_pages_raise(index):
    looks = {f"a.example/{number}": page(f"Story {number}.", title=UNSTORABLE) for number in range(8)}

    with pytest.raises(TooManyUnexpected, match="8 of 8 captures raised an exception; the first: "):
        decide(index, "b1", looks)

    assert captured(index) == []


@pytest.fixture
def both_indexes(index_url):
    with open_index(index_url) as opened:
        yield opened


@pytest.mark.parametrize("offset_s", [32_400, 0, None])
def test_the_publishers_utc_offset_is_in_the_row(index, offset_s):
    decide(index, "b1", {"a.example/1": page(story(1), published_at=NOW, published_at_offset_s=offset_s)})

    (row,) = published(index)

    assert row.published_at_offset_s == offset_s
