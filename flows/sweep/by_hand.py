"""Run a sweep from the command line: on the configured Prefect server, or on a temporary local one."""

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime

import httpx

from flows.cli.saying import say
from flows.server.answering import ask_health
from flows.server.away import AWAY, send_what_is_left
from flows.server.local import local_server
from flows.server.running import find_running
from flows.sweep.session import ended
from tasks.config.catalogue import Catalogue
from tasks.config.parameters import IngestConfig
from tasks.config.settings import Settings
from tasks.discover.plan import SweepPlan, plan_sweep
from tasks.discover.preview import Preview
from tasks.errors import ConfigError, PresslakeError, ServerUnavailable
from tasks.report.run_report import RunReport
from tasks.runtime.resources import check_lake, close_opened
from tasks.values.display import plural, without_userinfo
from tasks.values.feed import FeedKind
from tasks.values.text.escape import as_plain


def run_sweep(
    config: IngestConfig, settings: Settings, catalogue: Catalogue | None, *, shows_progress: bool
) -> RunReport | Preview:
    """Run the flow `ingest` in this process and return its report.

    Raises the flow's error, or PresslakeError if it ended without one; KeyboardInterrupt if it was cancelled.
    """
    plan = plan_sweep(config, catalogue, allow_networks=settings.allow_networks, now=datetime.now(UTC))
    if not config.dry_run:
        check_lake(settings)  # report a wrong flag before any server starts
        close_opened()
    show = say if shows_progress else _say_nothing
    show(opening_line(plan, config, settings))
    del plan, catalogue  # 4 kB a source, and the flow makes its own
    with ExitStack() as stack:
        stack.enter_context(prefect_api(is_shared=config.shards > 1, show=show))
        from flows.ingest import ingest  # noqa: PLC0415 - Prefect costs 2 s, and a wrong flag is reported before
        from flows.sweep.interrupting import interrupts_kept  # noqa: PLC0415
        from flows.sweep.shards import check_deployment  # noqa: PLC0415

        if config.shards > 1:
            check_deployment()
        stack.callback(send_what_is_left)
        if shows_progress and sys.stderr.isatty():
            from flows.cli.progress_bar import progress_bar  # noqa: PLC0415

            stack.enter_context(progress_bar())
        try:
            with interrupts_kept():
                state = ingest(config, return_state=True)
        except AWAY as error:
            return _unheard(error)
        if state.is_cancelled():
            raise KeyboardInterrupt
        report = state.result(raise_on_failure=False)
    if isinstance(report, RunReport | Preview):
        return report
    if isinstance(report, AWAY):
        return _unheard(report)
    raise (
        report
        if isinstance(report, BaseException)
        else PresslakeError(f"the run ended as {state.name}: {state.message}")
    )


def opening_line(plan: SweepPlan, config: IngestConfig, settings: Settings) -> str:
    """Describe in one line what a sweep is about to do."""
    feeds = sum(feed.kind is not FeedKind.FALLBACK for feed in plan.feeds)
    parts = [plural(feeds, "feed")] if feeds else []
    parts += [plural(len(plan.urls), "URL")] if plan.urls else []
    of = f" of {plural(len(plan.source_ids), 'source')}" if not (config.feeds or config.urls) else ""
    verb = "Checking what a sweep would fetch:" if config.dry_run else "Sweeping"
    limit = f", {plural(config.limit, 'article')} at most" if config.limit else ""
    where = "" if config.dry_run else f", into {settings.lake}"
    return f"{verb} {' and '.join(parts) or 'nothing'}{of}{limit}{where}."


def _say_nothing(_line: str) -> None:
    pass


def _unheard(error: httpx.HTTPError) -> RunReport:
    """Return the report of a run whose end Prefect's server did not receive; raise PresslakeError if there is none."""
    why = f"Prefect's server no longer responds ({as_plain(str(error)) or type(error).__name__})"
    if not ended:
        raise PresslakeError(f"{why}: the run was abandoned; stored data is complete, and the next sweep does the rest")
    say(f"presslake: {why}, so it does not know that this run has ended; stored data is complete")
    return ended[-1]


@contextmanager
def prefect_api(*, is_shared: bool = False, show: Callable[[str], None] = _say_nothing) -> Iterator[str]:
    """Yield the URL of Prefect's API: the configured server's, a running `presslake up`'s, or a temporary local server's.

    A temporary server has no workers, so a sweep that `is_shared` is refused there. Raises ServerUnavailable if no server
    answers.
    """
    import prefect.settings as prefect_settings  # noqa: PLC0415

    configured = prefect_settings.get_current_settings().api.url
    if configured:
        show(f"Connecting to Prefect's server at {without_userinfo(configured)} ...")
        _check_answers(configured)
        yield configured
        return
    if (running := find_running()) is not None:
        show(f"Using the server of the running `presslake up`: {running.removesuffix('/api')}")
        with prefect_settings.temporary_settings({prefect_settings.PREFECT_API_URL: running}):
            yield running
        return
    if is_shared:
        raise ServerUnavailable(
            "shards need the workers of a Prefect server: set PREFECT_API_URL; on one machine a single "
            "run uses every processor already"
        )
    show("Starting a Prefect server for this sweep (5 to 25 s; `presslake up` keeps one running) ...")
    with (
        local_server(has_ui=False) as url,
        prefect_settings.temporary_settings({prefect_settings.PREFECT_API_URL: url}),
    ):
        yield url


def require_server() -> None:
    """Check that a Prefect server is configured and answers.

    Raises ConfigError if none is configured, ServerUnavailable if it does not answer.
    """
    import prefect.settings as prefect_settings  # noqa: PLC0415

    configured = prefect_settings.get_current_settings().api.url
    if not configured:
        raise ConfigError("no Prefect server is configured: set PREFECT_API_URL")
    _check_answers(configured)


def _check_answers(api_url: str) -> None:
    name = f"the Prefect server at {without_userinfo(api_url)} (PREFECT_API_URL)"
    try:
        answer = ask_health(api_url)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise ServerUnavailable(f"{name} does not answer: {as_plain(str(error)) or type(error).__name__}") from error
    if not answer.is_success and "/api" not in api_url:
        raise ServerUnavailable(f"{name} answers {answer.status_code}: an API URL ends in /api")
