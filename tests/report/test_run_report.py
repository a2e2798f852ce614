import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.health.drift import Drift
from tasks.report.markdown import to_markdown
from tasks.report.run_report import add_up, summary_line
from tasks.values.reports import BatchReport, DiscoverReport


def run(*batches: BatchReport, **changes):
    values = {"run_id": "r1", "discovered": DiscoverReport(), "pending": 0, "seconds": 1.0, "fell_short": None}
    return add_up(batches=batches, **(values | changes))


def test_doubtful_articles_are_added_up_by_source():
    report = run(
        BatchReport(batch_id="b1", doubtful={"daily": 1, "weekly": 1}),
        BatchReport(batch_id="b2", doubtful={"daily": 2}),
    )

    assert report.doubtful == {"daily": 3, "weekly": 1}


def test_doubtful_articles_are_shown_by_source_in_descending_order():
    told = to_markdown(run(BatchReport(batch_id="b1", doubtful={"daily": 1, "weekly": 2})))

    assert told.partition("## Doubtful")[2].index("| `weekly` | 2 |") < told.partition("## Doubtful")[2].index(
        "`daily`"
    )


def test_a_run_without_doubtful_articles_does_not_mention_them():
    assert "## D" not in to_markdown(run(BatchReport(batch_id="b1")))


def test_each_drift_has_a_line_with_both_figures():
    drift = Drift(source_id="daily", what="dates", before=0.98, now=0.1)

    assert "| `daily` | dates | 0.98 | 0.1 |" in to_markdown(run(drifted=(drift,)))


def feeds(polled, own, *, failed=None):
    """The results of polls: failures of the sources' own feeds, and of everything polled."""
    return DiscoverReport(polled=polled, polled_failed=own, failed=failed or own)


def looked(**changes):
    return run(BatchReport(batch_id="b1", **changes.pop("batch", {})), **changes)


@pytest.mark.parametrize(
    ("report", "line"),
    [
        (looked(batch={"fetched": 6, "articles": {"new": 6}}), "6 fetched (6 new)"),
        (
            looked(batch={"fetched": 39, "articles": {"new": 38, "near_duplicate": 1}, "failed": {"http_410": 1}}),
            "39 fetched (1 near-duplicate, 38 new), 1 failed (http_410 1)",
        ),
        (looked(batch={"failed": {"http_404": 1}}), "0 fetched, 1 failed (http_404 1)"),
        (
            looked(discovered=feeds(6, {"feed_http_404": 5, "feed_timed_out": 1})),
            "all 6 feeds failed (feed_http_404 5, feed_timed_out 1)",
        ),
        (looked(discovered=feeds(1, {"feed_gone": 1})), "the only feed failed (feed_gone 1)"),
        # their front pages were polled instead, and failed as well
        (looked(discovered=feeds(3, {"feed_gone": 3}, failed={"feed_gone": 6})), "all 3 feeds failed (feed_gone 3)"),
        (
            looked(discovered=feeds(3, {"feed_gone": 1}, failed={"feed_gone": 5})),
            "nothing was due, 1 of 3 feeds failed (feed_gone 1)",
        ),
        (
            looked(discovered=feeds(3, {}, failed={"feed_gone": 4})),
            "nothing was due, 4 feeds found through other feeds failed (feed_gone 4)",
        ),
        (
            looked(
                discovered=feeds(24, {"feed_gone": 2}),
                batch={"fetched": 1, "articles": {"new": 1}},
            ),
            "1 fetched (1 new), 2 of 24 feeds failed (feed_gone 2)",
        ),
        (looked(discovered=DiscoverReport(polled=3)), "nothing was due"),
        (looked(batch={"not_modified": 2}, pending=1500), "0 fetched, 2 not modified, 1,500 pending"),
    ],
)
def test_the_summary_of_a_run_lists_what_was_fetched_and_what_failed(report, line):
    assert summary_line(report) == line


@given(
    new=st.integers(0, 99),
    not_modified=st.integers(0, 99),
    failed=st.integers(0, 99),
    skipped=st.integers(0, 99),
    quarantined=st.integers(0, 99),
    pending=st.integers(0, 99),
    known=st.integers(0, 50),
    again=st.integers(0, 99),
)
def test_every_url_is_counted_once(new, not_modified, failed, skipped, quarantined, pending, known, again):
    total = new + not_modified + failed + skipped + quarantined + pending
    known, again = min(known, total), min(again, failed)
    report = looked(
        discovered=DiscoverReport(polled=9, discovered=total - known, failed={"feed_gone": 3}, skipped={"link_bad_url": 2}),
        batch={
            "fetched": new, "articles": {"new": new}, "not_modified": not_modified, "failed": {"http_503": failed},
            "skipped": {"not_html": skipped}, "quarantined": quarantined, "again": again,
        },
        pending=pending + again,  # failed URLs that stay due are still in the frontier
    )  # fmt: skip

    told = report.to_json()

    urls = sum(
        n for name, n in {**told["skipped"], **told["failed"]}.items() if not name.startswith(("feed_", "link_"))
    )
    assert told["discovered"] + told["known_before"] == (
        told["fetched"] + told["not_modified"] + urls + told["quarantined"] + told["pending"]
    )
    assert told["known_before"] == known
