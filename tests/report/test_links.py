"""Reports link to the pages of `presslake browse`, if its address is configured."""

from datetime import UTC, datetime

from tasks.reasons import Disposition
from tasks.report.links import Links
from tasks.report.markdown import to_markdown
from tasks.report.run_report import failure_rows
from tasks.values.reports import BatchReport, Failure, Headline
from tests.report.test_run_report import run

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
LINKS = Links("https://news.example.org")
FAILURE = Failure(
    url="https://a.example/?x=1&y=2", source_id="daily", reason="http_404", disposition=Disposition.DROPPED, detail="",
    happened_at=AT,
)  # fmt: skip
REPORT = run(
    BatchReport(batch_id="b1", failed={"http_404": 1}, failures=(FAILURE,)),
    headlines=(
        Headline(
            title="A [title](http://evil.example)",
            source_id="daily",
            url="https://a.example/1",
            published_at=AT,
            first_seen_at=AT,
        ),
    ),
)


def test_a_report_links_to_the_newest_articles_and_to_failures():
    shown = to_markdown(REPORT, links=LINKS)

    assert "[the newest articles](https://news.example.org/)" in shown
    assert "[`http_404`](https://news.example.org/failures?reason=http_404)" in shown
    assert "](https://news.example.org/url?url=https%3A%2F%2Fa.example%2F1), `daily`" in shown
    assert "](http://evil.example)" not in shown


def test_a_failure_links_to_the_history_of_its_url():
    (row,) = failure_rows(REPORT, LINKS)

    assert row["history"] == "https://news.example.org/url?url=https%3A%2F%2Fa.example%2F%3Fx%3D1%26y%3D2"


def test_without_an_address_there_are_no_links():
    assert "](" not in to_markdown(REPORT)
    assert "history" not in failure_rows(REPORT)[0]


def test_a_source_id_is_one_segment_of_its_url():
    assert LINKS.source("a/b c") == "https://news.example.org/sources/a%2Fb%20c"
