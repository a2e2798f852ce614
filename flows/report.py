"""The report on the past day or week: volume, freshness, novelty, failures, and the state of the sources."""

from datetime import UTC, datetime
from typing import Any

from prefect import flow
from prefect.artifacts import create_markdown_artifact
from prefect.client.schemas.objects import State
from prefect.states import Completed

from flows.sweep.interrupting import interruptible
from flows.sweep.naming import named, report_name
from tasks.config.choices import Period
from tasks.config.parameters import ReportConfig
from tasks.config.settings import Settings, load_settings
from tasks.errors import ConfigError
from tasks.report.links import Links
from tasks.report.markdown import of_tables
from tasks.report.period import summary_line, to_markdown
from tasks.report.recent import report_period
from tasks.report.rights_report import report_rights
from tasks.runtime.resources import close_opened

KEY = "period-report"
RIGHTS_KEY = "rights-report"
LAST_DAY = ReportConfig()


@flow(name="report", flow_run_name=named(report_name), persist_result=False)
def report(config: ReportConfig = LAST_DAY) -> State[Any]:
    """Report on the past day or week as an artifact: volume, freshness, novelty, failures, sources.

    Args:
        config: How far back, and of which sources; without a choice, the past day of all sources.
    """
    return interruptible(lambda: _reported(config))


def _reported(config: ReportConfig) -> State[Any]:
    settings = load_settings()
    try:
        found, health = report_period(config, settings)
        if config.period is Period.WEEK:
            _report_rights(config, settings)
    finally:
        close_opened()
    shown = to_markdown(found, health, Links(settings.browse_url))
    create_markdown_artifact(shown, key=f"{KEY}-{config.period}", description=summary_line(found))
    return Completed(message=summary_line(found), data=found)


def _report_rights(config: ReportConfig, settings: Settings) -> None:
    """Create an artifact of the rights that sites reserve and the policies that changed; none if there is no lake yet."""
    try:
        found = report_rights(settings, purposes=(), sources=frozenset(config.sources), now=datetime.now(UTC))
    except ConfigError:
        return
    create_markdown_artifact(of_tables(found.tables()), key=RIGHTS_KEY, description=found.summary)
