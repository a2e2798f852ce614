"""The report task: the artifacts by which a run is seen in Prefect's UI, and the events by which others hear of it."""

from prefect import get_run_logger, task
from prefect.artifacts import create_markdown_artifact, create_table_artifact
from prefect.cache_policies import NO_CACHE
from prefect.events import emit_event

from tasks.health.judgement import HealthReport
from tasks.health.table import health_headline, health_rows, quarantine_rows
from tasks.report.events import events_of
from tasks.report.markdown import to_markdown
from tasks.report.run_report import RunReport, failure_rows, headline

REPORT_KEY = "run-report"
FAILURES_KEY = "run-failures"
HEALTH_KEY = "source-health"
QUARANTINE_KEY = "quarantine"


# no retries: where the server is away, Prefect's client has asked for a minute already
@task(name="report", task_run_name="report", cache_policy=NO_CACHE, persist_result=False)
def report(run: RunReport, health: HealthReport | None) -> None:
    """Show a run: its report, its sources' health, its failures and the quarantine where there are any; and tell of it.

    The run of a shard knows no health, and its sweep tells of it.
    """
    for event in events_of(run, health) if health else ():  # first: what began is told by nobody else
        emit_event(event.name, resource=event.resource, payload=event.payload, id=event.event_id)
    health = health or HealthReport()
    create_markdown_artifact(to_markdown(run, health), key=REPORT_KEY, description=headline(run))
    if health.sources:
        create_table_artifact(health_rows(health.sources), key=HEALTH_KEY, description=health_headline(health.sources))
    if run.failures:
        create_table_artifact(failure_rows(run), key=FAILURES_KEY, description=f"{len(run.failures)} failures")
    if health.quarantined:
        kept = f"the newest {len(health.quarantined)} pages in quarantine"
        create_table_artifact(quarantine_rows(health.quarantined), key=QUARANTINE_KEY, description=kept)
    get_run_logger().info("%s; sources: %s", headline(run), health_headline(health.sources))
