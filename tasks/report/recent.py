"""The report of the past day or week, for the command line and the flow `report`; without Prefect."""

from datetime import UTC, datetime

from tasks.config.parameters import ReportConfig
from tasks.config.settings import Settings
from tasks.errors import ConfigError
from tasks.health.judgement import HealthReport
from tasks.health.judging import read_health
from tasks.index import health
from tasks.report.period import PeriodReport, sum_up
from tasks.runtime.resources import index_to_read


def report_period(config: ReportConfig, settings: Settings) -> tuple[PeriodReport, HealthReport]:
    """Read the index and add up the period; raises ConfigError for an unknown source."""
    now = datetime.now(UTC)
    since = (now - 2 * config.period.span).date()
    with index_to_read(settings) as index, index.read() as tx:
        known = health.known_sources(tx)
        if strangers := sorted(set(config.sources) - known):
            raise ConfigError(f"--source {strangers[0]!r}: no such source in the index")
        chosen = set(config.sources) or known
        found = read_health(tx, chosen, now=now)
        arrivals = health.find_arrivals(tx, chosen, since=since)
        report = sum_up(
            config.period,
            tallies=health.find_tallies(tx, chosen, since=since),
            arrivals=[day for days in arrivals.values() for day in days],
            health=found,
            today=now.date(),
        )
    return report, found
