from tasks.health.drift import Drift
from tasks.report.markdown import to_markdown
from tasks.report.run_report import add_up
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


def test_doubtful_articles_are_shown_by_source_the_most_first():
    told = to_markdown(run(BatchReport(batch_id="b1", doubtful={"daily": 1, "weekly": 2})))

    assert told.partition("## Doubtful")[2].index("| `weekly` | 2 |") < told.partition("## Doubtful")[2].index(
        "`daily`"
    )


def test_a_run_without_any_does_not_speak_of_them():
    assert "## D" not in to_markdown(run(BatchReport(batch_id="b1")))


def test_what_drifted_has_a_line_with_both_figures():
    drift = Drift(source_id="daily", what="dates", before=0.98, now=0.1)

    assert "| `daily` | dates | 0.98 | 0.1 |" in to_markdown(run(drifted=(drift,)))
