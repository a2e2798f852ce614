"""The stage over a real index: pages in, decisions and frontier rows out."""

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


def test_the_same_text_again_is_unchanged_and_makes_no_row(index):
    decide(index, "b1", {"a.example/1": "The harbour reopened."})

    report = decide(index, "b2", {"a.example/1": "The harbour  reopened. "})

    assert (report.articles, len(published(index))) == ({"unchanged": 1}, 1)


def test_another_text_at_a_known_url_is_a_revision_of_one_article(index):
    decide(index, "b1", {"a.example/1": "The harbour reopened."})
    decide(index, "b2", {"a.example/1": "The harbour reopened on Monday."})

    assert [(row.novelty, row.revision) for row in published(index)] == [(Novelty.NEW, 1), (Novelty.REVISION, 2)]
    assert len({row.article_id for row in published(index)}) == 1


def test_an_equal_text_elsewhere_is_a_duplicate_of_the_earliest(index):
    decide(index, "b1", {"a.example/1": "The harbour reopened."})
    decide(index, "b2", {"b.example/2": "The harbour reopened.", "c.example/3": "The harbour reopened."})

    first, *copies = published(index)

    assert [(copy.novelty, copy.duplicate_of, copy.cluster_id) for copy in copies] == [
        (Novelty.DUPLICATE, first.article_id, first.cluster_id)
    ] * 2


def test_pages_of_one_batch_see_each_other(index):
    report = decide(index, "b1", {"a.example/1": "The harbour reopened.", "b.example/2": "The harbour reopened."})

    assert report.articles == {"new": 1, "duplicate": 1}


def test_no_change_points_at_the_article_that_is_known(index):
    decide(index, "b1", {"a.example/1": "The harbour reopened."})
    report = decide(index, "b2", {"a.example/1": (Outcome.NOT_MODIFIED, None)})

    last = captured(index)[-1]

    assert (report.not_modified, last.novelty, last.revision) == (1, Novelty.UNCHANGED, 1)


def test_a_batch_decided_twice_is_decided_once(index):
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
def test_what_is_no_article_is_counted_and_costs_no_other(index, outcome, disposition, counted):
    report = decide(index, "b1", {"a.example/1": (outcome, disposition), "b.example/2": "The harbour reopened."})

    assert {name: getattr(report, name) for name in counted} == counted
    assert report.articles == {"new": 1}


def test_what_was_put_off_is_due_again(index):
    decide(index, "b1", {"a.example/1": "The harbour reopened."}, deferred=["a.example/2"])

    with index.read() as tx:
        assert frontier.count_by_state(tx) == {"a": {"done": 1, "due": 1}}


# When it is looked at again


@pytest.mark.parametrize(
    ("published_at", "wait"),
    [(None, timedelta(hours=1)), (NOW - timedelta(days=3), timedelta(hours=1)), (NOW - timedelta(days=30), None)],
)
def test_a_young_article_is_looked_at_again(index, published_at, wait):
    decide(index, "b1", {"a.example/1": page(story(1), published_at=published_at)})

    with index.read() as tx:
        due_at = tx.execute(frontier.frontier.select()).mappings().one()["due_at"]

    assert due_at == (None if wait is None else NOW + wait)


def test_what_is_looked_at_again_later_is_not_pending(index):
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
"""A title that is none: the statement that would store it fails."""


@pytest.mark.parametrize("both", [{}, {"b.example/2": "The ferry is late."}])
def test_a_page_that_no_statement_takes_is_quarantined_alone_with_its_trace(both_indexes, both):
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


def test_a_page_that_cannot_be_read_is_quarantined_alone(index):
    naive = datetime(2026, 3, 1, 12, 0)  # noqa: DTZ001 - what no date may be here

    report = decide(index, "b1", {"a.example/1": page("One.", published_at=naive), "b.example/2": "Two."})

    assert (report.articles, report.quarantined) == ({"new": 1}, 1)


def test_a_quarantined_page_waits_where_others_that_are_quarantined_wait(index):
    decide(index, "b1", {"a.example/1": page("One.", title=UNSTORABLE), "b.example/2": "Two."})

    with index.read() as tx:
        states = frontier.count_by_state(tx)
    assert states == {"a": {"quarantined": 1, "done": 1}}


def test_a_batch_of_which_most_pages_meet_an_exception_fails_and_decides_nothing(index):
    looks = {f"a.example/{number}": page(f"Story {number}.", title=UNSTORABLE) for number in range(8)}

    with pytest.raises(TooManyUnexpected, match="8 of 8 captures raised an exception; the first: "):
        decide(index, "b1", looks)

    assert captured(index) == []


@pytest.fixture
def both_indexes(index_url):
    with open_index(index_url) as opened:
        yield opened


@pytest.mark.parametrize("offset_s", [32_400, 0, None])
def test_the_publishers_clock_is_in_the_row(index, offset_s):
    decide(index, "b1", {"a.example/1": page(story(1), published_at=NOW, published_at_offset_s=offset_s)})

    (row,) = published(index)

    assert row.published_at_offset_s == offset_s
