from datetime import timedelta

import pytest

from tasks.deduplicate.looks import settle
from tasks.deduplicate.retry_policy import REVISIT_AFTER, next_look
from tasks.index.frontier import State
from tasks.reasons import Disposition
from tasks.values.rows import Outcome
from tests.rows import FETCHED_AT, make_capture

NOW = FETCHED_AT


@pytest.mark.parametrize(
    ("disposition", "reason", "attempt", "state", "wait"),
    [
        (None, None, 1, State.DONE, None),
        (Disposition.SKIPPED, "robots_disallowed", 1, State.DROPPED, timedelta(hours=24)),
        (Disposition.SKIPPED, "not_html", 1, State.DONE, None),
        (Disposition.DROPPED, "http_404", 1, State.DROPPED, timedelta(days=3)),
        (Disposition.DROPPED, "http_404", 3, State.DROPPED, timedelta(days=3)),
        (Disposition.DROPPED, "http_404", 4, State.DROPPED, None),
        (Disposition.GONE, "http_410", 1, State.GONE, None),
        (Disposition.QUARANTINED, "extractor_crashed", 1, State.QUARANTINED, None),
    ],
)
def test_state_and_wait_follow_from_the_disposition(disposition, reason, attempt, state, wait):
    capture = make_capture(
        reason=reason, attempt=attempt, outcome=Outcome.OK if disposition is None else Outcome.FAILED
    )

    settlement = settle(capture, disposition, now=NOW, previous_digest=None)

    assert (settlement.state, settlement.due_at) == (state, None if wait is None else NOW + wait)


@pytest.mark.parametrize(
    ("attempt", "least_s", "most_s"), [(1, 90, 150), (2, 180, 300), (5, 1440, 2400), (50, 64800, 108000)]
)
def test_the_wait_after_transient_errors_grows(attempt, least_s, most_s):
    capture = make_capture(outcome=Outcome.FAILED, reason="timed_out", attempt=attempt)

    settlement = settle(capture, Disposition.STAYS_DUE, now=NOW, previous_digest=None)

    assert settlement.state is State.DUE
    assert least_s <= (settlement.due_at - NOW).total_seconds() <= most_s


def test_waits_have_jitter():
    waits = {
        settle(
            make_capture(outcome=Outcome.FAILED, url_key=f"a.example/{number}"),
            Disposition.STAYS_DUE,
            now=NOW,
            previous_digest=None,
        ).due_at
        for number in range(50)
    }

    assert len(waits) > 40


def test_a_failure_clears_the_validators():
    settlement = settle(
        make_capture(outcome=Outcome.FAILED, etag='"x"'), Disposition.STAYS_DUE, now=NOW, previous_digest="sha256:old"
    )

    assert (settlement.etag, settlement.payload_digest) == (None, "sha256:old")


def test_a_success_resets_the_attempts():
    assert settle(make_capture(attempt=3), None, now=NOW, previous_digest=None).attempts == 0


def young(age, *, published_age=timedelta()):
    first_seen_at = NOW - age
    return next_look(first_seen_at, first_seen_at - published_age, now=NOW, revisit_after=REVISIT_AFTER)


@pytest.mark.parametrize(
    ("age", "wait"),
    [
        (timedelta(), timedelta(hours=1)),
        (timedelta(minutes=50), timedelta(minutes=10)),
        (timedelta(minutes=59), timedelta(hours=5, minutes=1)),
        (timedelta(hours=1), timedelta(hours=5)),
        (timedelta(hours=6), timedelta(hours=18)),
        (timedelta(days=1), timedelta(days=6)),
        (timedelta(days=7), None),
        (timedelta(days=400), None),
    ],
)
def test_an_article_is_refetched_at_certain_ages(age, wait):
    assert young(age) == (None if wait is None else NOW + wait)


@pytest.mark.parametrize(("published_age", "is_young"), [(timedelta(days=7), True), (timedelta(days=8), False)])
def test_an_article_already_old_when_found_is_not_refetched(published_age, is_young):
    assert (young(timedelta(), published_age=published_age) is not None) is is_young


def test_without_ages_nothing_is_refetched():
    assert next_look(NOW, None, now=NOW, revisit_after=()) is None
