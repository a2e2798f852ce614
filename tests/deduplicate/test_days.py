from dataclasses import replace
from datetime import UTC, date, datetime
from math import log1p

import pytest

from tasks.deduplicate.days import PageResult, days_of
from tasks.index.drift import SourceDay, find_days
from tasks.values.rows import Outcome
from tests.deduplicate.deciding import decide
from tests.deduplicate.pages import batch_of, page

NOW = datetime(2026, 3, 1, 12, 30, tzinfo=UTC)


def read(look):
    capture = look.captured
    return PageResult(source_id=capture.source_id, day=capture.dt, reason=capture.reason, page=look.page)


def test_pages_are_counted_by_the_fields_they_have():
    pages = {
        "a.example/1": page("x" * 99, published_at=NOW, extractor="presslake/1 trafilatura/2 fast"),
        "a.example/2": page("x" * 9, title=None, extractor="presslake/1 trafilatura/2 readability"),
    }

    assert list(days_of(map(read, batch_of("b1", pages, now=NOW).looks))) == [
        SourceDay(
            source_id="daily", day=NOW.date(), pages=2, titled=1, dated=1, usual=1, log_length=pytest.approx(log1p(99) + log1p(9))
        )
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("outcome", "reason", "counted"),
    [
        (Outcome.QUARANTINED, "empty_extraction", 1),
        (Outcome.SKIPPED, "not_an_article", 1),
        (Outcome.SKIPPED, "index", 0),
        (Outcome.FAILED, "http_404", 0),
        (Outcome.NOT_MODIFIED, None, 0),
    ],
)
def test_only_pages_that_should_be_articles_count_as_empty(outcome, reason, counted):
    batch = batch_of("b1", {"a.example/1": page("x")}, now=NOW)
    [look] = batch.looks
    look = replace(look, capture=replace(look.captured, outcome=outcome, reason=reason), page=None)

    found = list(days_of([read(look)]))

    assert [(one.pages, one.empty) for one in found] == [(0, 1)] * counted


def test_a_batch_counts_for_each_of_its_sources_and_days():
    batch = batch_of("b1", {f"a.example/{n}": page("x") for n in range(4)}, now=NOW)
    looks = [
        replace(
            one,
            capture=replace(one.captured, source_id="ab"[n % 2], fetched_at=datetime(2026, 3, 1 + n // 2, tzinfo=UTC)),
        )
        for n, one in enumerate(batch.looks)
    ]

    found = list(days_of(map(read, looks)))

    assert {(one.source_id, one.day, one.pages) for one in found} == {
        ("a", date(2026, 3, 1), 1), ("b", date(2026, 3, 1), 1), ("a", date(2026, 3, 2), 1), ("b", date(2026, 3, 2), 1),
    }  # fmt: skip


def test_a_batch_decided_twice_is_counted_once(index):
    for _ in range(2):
        decide(index, "b1", {"a.example/1": "A text of its own."}, now=NOW)

    with index.read() as tx:
        assert [one.pages for one in find_days(tx, ["daily"], since=NOW.date(), apart=NOW.date())] == [1]
