from dataclasses import replace
from datetime import UTC, datetime

import pytest

from tasks.health.judgement import HealthReport
from tasks.index.health import Alarm, AlarmKind
from tasks.index.policies import PolicyChange
from tasks.report.events import BEGAN, POLICY_CHANGED, QUARANTINE_GREW, RECOVERED, RUN_FINISHED, events_of
from tasks.values.reports import BatchReport, Published
from tests.report.test_run_report import run

NOW = datetime(2026, 3, 1, tzinfo=UTC)


def alarm(kind: AlarmKind, **changes) -> Alarm:
    return Alarm(**({"source_id": "daily", "kind": kind, "reason": "why\x1b[31m", "began_at": NOW} | changes))


@pytest.mark.parametrize("kind", AlarmKind)
def test_alarms_that_began_or_ended_have_their_source_as_the_resource(kind):
    _, began, over = events_of(run(), HealthReport(began=(alarm(kind),), over=(alarm(kind),)))

    assert (began.name, over.name) == (BEGAN[kind], RECOVERED)
    assert began.resource["prefect.resource.id"] == "presslake.source.daily"
    assert (began.payload["reason"], began.payload["since"]) == ("why[31m", "2026-03-01T00:00:00+00:00")


def test_a_run_reports_its_end_and_that_the_quarantine_grew():
    names = [one.name for one in events_of(run(BatchReport(batch_id="b", quarantined=2)), HealthReport())]

    assert names == [RUN_FINISHED, QUARANTINE_GREW]


def test_the_end_of_a_run_says_how_to_read_its_rows():
    ended = replace(
        run(BatchReport(batch_id="b1")), published=Published(since=3, upto=5, delta_versions={"articles": 7})
    )

    (event,) = events_of(ended, HealthReport())

    assert event.payload["change_seq"] == {"from": 3, "to": 5}
    assert (event.payload["batch_ids"], event.payload["delta_versions"]) == (["b1"], {"articles": 7})


def test_a_repeated_report_emits_the_same_events():
    health = HealthReport(began=(alarm(AlarmKind.REFUSED), alarm(AlarmKind.FEEDS_REFUSED), alarm(AlarmKind.SILENT)))
    ids = [one.event_id for one in events_of(run(), health)]

    assert ids == [one.event_id for one in events_of(run(), health)]
    assert len(set(ids)) == 4


def test_a_document_that_replaced_another_is_an_event_of_its_source():
    change = PolicyChange(
        source_id="daily", origin="https://daily.example", kind="robots", url="https://daily.example/robots.txt",
        before_id="a", policy_id="b", observed_at=NOW,
    )  # fmt: skip

    _, event = events_of(run(), HealthReport(policies=(change,)))

    assert (event.name, event.resource["prefect.resource.id"]) == (POLICY_CHANGED, "presslake.source.daily")
    assert (event.payload["before_id"], event.payload["policy_id"]) == ("a", "b")
