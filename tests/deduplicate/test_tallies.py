from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from tasks.deduplicate.tallies import LONGEST_LAG, Arrival, LookResult, arrivals_of, quarantined_of, tallies_of
from tasks.index.health import TallyKind, find_arrivals, find_quarantined, find_totals, lag_bucket, lag_of
from tasks.values.rows import Outcome
from tests.deduplicate.deciding import decide
from tests.rows import FETCHED_AT, make_article, make_capture

NOW = FETCHED_AT + timedelta(minutes=1)


def looked(capture):
    return LookResult(capture.source_id, capture.fetched_at, capture.came_to)


def new(articles):
    return [row for row in articles if row.revision == 1]


def arrival(row):
    return Arrival(row.source_id, row.published_at, row.first_seen_at)


def counted(*captures, articles=()):
    tallies = tallies_of(map(looked, captures), map(arrival, new(articles)), run_id="r1", now=NOW)
    return {(one.source_id, one.kind, one.what): one.number for one in tallies}


def test_looks_are_counted_by_source_and_result():
    looks = (
        make_capture(),
        make_capture(source_id="weekly"),
        make_capture(outcome=Outcome.NOT_MODIFIED),
        make_capture(outcome=Outcome.FAILED, reason="http_403", novelty=None),
        make_capture(outcome=Outcome.SKIPPED, reason="blocked", novelty=None),
    )

    assert counted(*looks) == {
        ("daily", TallyKind.LOOK, "new"): 1,
        ("weekly", TallyKind.LOOK, "new"): 1,
        ("daily", TallyKind.LOOK, "not_modified"): 1,
        ("daily", TallyKind.LOOK, "http_403"): 1,
        ("daily", TallyKind.LOOK, "blocked"): 1,
    }


@pytest.mark.parametrize(
    ("published_at", "changes", "what"),
    [
        (NOW - timedelta(minutes=4), {}, "04"),
        (NOW - timedelta(seconds=1), {}, "00"),
        (NOW + timedelta(hours=1), {}, "00"),
        (NOW - LONGEST_LAG - timedelta(minutes=1), {}, None),
        (NOW - timedelta(minutes=4), {"revision": 2}, None),
        (None, {}, None),
    ],
    ids=["four minutes", "at once", "in the future", "old when it was found", "a revision", "without a date"],
)
def test_delays_are_those_of_new_articles_with_a_date(published_at, changes, what):
    article = make_article(published_at=published_at, **changes)

    lags = [name for (_, kind, name) in counted(make_capture(), articles=[article]) if kind is TallyKind.LAG]

    assert lags == ([what] if what else [])


@pytest.mark.parametrize("minutes", [0.1, 1, 1.4, 3, 60, 2000])
def test_delays_are_binned_to_half_octaves(minutes):
    lag = max(timedelta(minutes=minutes), timedelta(minutes=1))

    assert lag <= lag_of(lag_bucket(lag)) + timedelta(seconds=1)
    assert lag_of(lag_bucket(lag)) <= lag * 2**0.5 + timedelta(seconds=1)


def test_arrivals_are_publication_hours_of_new_articles():
    rows = [
        make_article(published_at=datetime(2026, 2, 28, 23, 59, tzinfo=UTC)),
        make_article(published_at=datetime(2026, 3, 1, 6, 10, tzinfo=UTC)),
        make_article(published_at=FETCHED_AT + timedelta(hours=2)),
        make_article(published_at=None),
        make_article(revision=2),
    ]

    before, day = sorted(arrivals_of(map(arrival, new(rows))), key=lambda one: one.day)

    assert (before.hours[23], sum(before.hours)) == (1, 1)
    assert (day.hours[6], day.hours[12], sum(day.hours), day.newest_at) == (1, 2, 3, FETCHED_AT)


def test_a_quarantined_page_has_its_documents_key():
    looks = [make_capture(), make_capture(outcome=Outcome.QUARANTINED, reason="extractor_crashed")]

    (page,) = quarantined_of([(1, looks[1])], batch_id="b7")

    assert (page.document_key, page.reason) == ("quarantine/dt=2026-03-01/b7-1.json", "extractor_crashed")


def test_a_batch_decided_twice_is_counted_once(index):
    for _ in range(2):
        decide(index, "b1", {"a.example/1": "A text of its own."}, now=NOW)

    with index.read() as tx:
        day = NOW.date()
        (total,) = find_totals(tx, ["daily"], since=day, recent=day, run_ids={"r1"})
        (arrivals,) = find_arrivals(tx, ["daily"], since=day)["daily"]
        assert (total.number, total.in_run, sum(arrivals.hours), find_quarantined(tx, limit=1)) == (1, 1, 1, [])


def test_a_tally_has_the_time_of_its_last_look():
    late = make_capture(fetched_at=NOW)

    (tally,) = tallies_of([looked(replace(late, fetched_at=FETCHED_AT)), looked(late)], (), run_id="r1", now=NOW)

    assert (tally.last_at, tally.day) == (NOW, NOW.date())
