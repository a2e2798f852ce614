"""Run a backfill on a cluster from the command line: the flow runs in this process, tracked by Prefect's server."""

from flows.cli.saying import say
from flows.server.away import send_what_is_left
from flows.sweep.by_hand import prefect_api
from flows.units.sharing import check_shared
from tasks.backfill.config import BackfillConfig
from tasks.backfill.report import BackfillReport
from tasks.config.settings import Settings
from tasks.errors import PresslakeError
from tasks.runtime.resources import check_lake, close_opened


def run_backfill(config: BackfillConfig, settings: Settings) -> BackfillReport:
    """Run the flow `backfill` in this process and return its report.

    Raises the flow's error, or PresslakeError if it ended without one; ConfigError if the cluster cannot share the index and
    the lake; KeyboardInterrupt if it was cancelled.
    """
    if config.address:
        check_shared(config.address, settings)
    if not config.dry_run:
        check_lake(settings)
        close_opened()
    with prefect_api(show=say):
        from flows.backfill import backfill  # noqa: PLC0415 - Prefect costs 2 s, and a wrong flag is reported before
        from flows.sweep.interrupting import interrupts_kept  # noqa: PLC0415

        try:
            with interrupts_kept():
                state = backfill(config, return_state=True)
        finally:
            send_what_is_left()
        if state.is_cancelled():
            raise KeyboardInterrupt
        report = state.result(raise_on_failure=False)
    if isinstance(report, BackfillReport):
        return report
    raise (
        report
        if isinstance(report, BaseException)
        else PresslakeError(f"the run ended as {state.name}: {state.message}")
    )
