"""The report task: the artifacts by which a run is seen in Prefect's UI."""

from prefect import get_run_logger, task
from prefect.artifacts import create_markdown_artifact, create_table_artifact
from prefect.cache_policies import NO_CACHE

from tasks.report.run_report import RunReport, failure_rows, headline, to_markdown

REPORT_KEY = "run-report"
FAILURES_KEY = "run-failures"


# no retries: where the server is away, Prefect's client has asked for a minute already
@task(name="report", task_run_name="report", cache_policy=NO_CACHE, persist_result=False)
def report(run: RunReport) -> None:
    """Show a run: its report, and its failures where there are any."""
    create_markdown_artifact(to_markdown(run), key=REPORT_KEY, description=headline(run))
    if run.failures:
        create_table_artifact(failure_rows(run), key=FAILURES_KEY, description=f"{len(run.failures)} failures")
    get_run_logger().info("%s", headline(run))
