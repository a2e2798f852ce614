"""A sweep started by hand: on the Prefect server that is configured, or on one of our own for as long as it lasts."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import httpx

from flows.console import progress_bar
from flows.local_server import local_server
from flows.sweep import read_catalogue
from tasks.discover.plan import plan_sweep
from tasks.errors import ConfigError, PresslakeError, ServerUnavailable
from tasks.opening import check_lake, close_opened
from tasks.parameters import IngestConfig
from tasks.report.run_report import RunReport
from tasks.settings import Settings

LOG_TIMEOUT_S = 5


def run_sweep(config: IngestConfig, settings: Settings, *, shows_progress: bool) -> RunReport:
    """Run the flow `ingest` in this process and return its report; raises what ended it."""
    plan_sweep(config, read_catalogue(settings, config), allow_networks=settings.allow_networks)
    check_lake(settings)  # a wrong flag is told before any server starts
    close_opened()
    with ExitStack() as stack:
        stack.enter_context(prefect_api())
        from flows.ingest import ingest  # noqa: PLC0415 - Prefect costs 2 s, and a wrong flag is told before

        stack.callback(_send_logs)

        if shows_progress:
            stack.enter_context(progress_bar())
        state = ingest(config, return_state=True)
        report = state.result(raise_on_failure=False)
    if isinstance(report, RunReport):
        return report
    raise (
        report
        if isinstance(report, BaseException)
        else PresslakeError(f"the run ended as {state.name}: {state.message}")
    )


@contextmanager
def prefect_api() -> Iterator[str]:
    """Give the URL of the API: the one that is configured, checked, or a local server's."""
    import prefect.settings as prefect_settings  # noqa: PLC0415

    configured = prefect_settings.get_current_settings().api.url
    if configured:
        _check_answers(configured)
        yield configured
        return
    with (
        local_server(has_ui=False) as url,
        prefect_settings.temporary_settings({prefect_settings.PREFECT_API_URL: url}),
    ):
        yield url


def require_server() -> None:
    """Check that a Prefect server is configured and answers; raises ConfigError."""
    import prefect.settings as prefect_settings  # noqa: PLC0415

    configured = prefect_settings.get_current_settings().api.url
    if not configured:
        raise ConfigError("no Prefect server is configured: set PREFECT_API_URL")
    _check_answers(configured)


def _send_logs() -> None:
    """Send what is left of the log before the server that wants it goes."""
    from prefect.logging.handlers import APILogWorker  # noqa: PLC0415

    APILogWorker.drain_all(timeout=LOG_TIMEOUT_S)


def _check_answers(api_url: str) -> None:
    try:
        httpx.get(f"{api_url}/health", timeout=10, trust_env=False)
    except httpx.HTTPError as error:
        raise ServerUnavailable(
            f"the Prefect server at {api_url} (PREFECT_API_URL) does not answer: {error}"
        ) from error
