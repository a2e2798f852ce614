"""Run Prefect's server with its UI, and serve the scheduled deployments, on this machine."""

import asyncio
import os
import signal
from contextlib import chdir, suppress
from datetime import timedelta
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any, cast

from flows.cli.saying import say
from flows.server.local import local_server
from flows.server.running import findable
from tasks.config.catalogue import Catalogue
from tasks.config.loading import load_catalogue
from tasks.config.parameters import IngestConfig
from tasks.config.settings import Settings, load_settings, set_flags
from tasks.index.addresses import absolute_address
from tasks.runtime.resources import check_lake, close_opened
from tasks.values.display import span

if TYPE_CHECKING:
    from uuid import UUID

    from prefect.client.orchestration import SyncPrefectClient
    from prefect.deployments.runner import RunnerDeployment

DUE, NIGHTLY, DAILY, WEEKLY = "due", "nightly", "daily", "weekly"
"""The deployments, named after their schedules: `ingest/due`, `maintain/nightly`, `report/daily`, `verify/weekly`."""

DUE_ONLY = {"config": {"due_only": True}}
MAINTAINED_AT, REPORTED_AT, VERIFIED_AT = "17 3 * * *", "30 0 * * *", "47 4 * * 0"
OWN_FOLDER = Path(__file__).parents[2]
"""The folder of our packages. Prefect's runner puts its working directory first on each run's import path."""

QUERY_S = 5
"""Seconds between two requests to the server for due runs."""


def serve_until_interrupted(settings: Settings) -> None:
    """Serve until Ctrl-C or SIGTERM, then end the runs and the server.

    Raises ConfigError if the lake or the catalogue is wrong, ServerUnavailable if the server does not start.
    """
    check_lake(settings)
    close_opened()
    signal.signal(signal.SIGTERM, _interrupt)
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell starts background jobs with this signal ignored
    say("Starting Prefect's server ...")
    with local_server(port=settings.ui_port, has_ui=True) as api_url:
        import prefect.settings as prefect_settings  # noqa: PLC0415 - after the defaults are set

        with prefect_settings.temporary_settings({prefect_settings.PREFECT_API_URL: api_url}):
            say(
                f"Presslake is up: {api_url.removesuffix('/api')} (a sweep every {span(timedelta(seconds=settings.every_s))}; Ctrl-C stops it)"
            )
            _set_places(settings)
            with chdir(OWN_FOLDER), findable(api_url):
                _serve(settings)
    say("Stopped.")


def _set_places(settings: Settings) -> None:
    """Make relative paths absolute, since runs start in another working directory."""
    set_flags(
        catalogue=settings.catalogue.absolute(),
        lake=None if "://" in settings.lake else Path(settings.lake).absolute(),
        index=absolute_address(settings.index),
    )


def _serve(settings: Settings) -> None:
    from prefect.client.orchestration import get_client  # noqa: PLC0415
    from prefect.client.schemas.objects import ConcurrencyLimitConfig, ConcurrencyLimitStrategy  # noqa: PLC0415
    from prefect.runner import Runner  # noqa: PLC0415
    from prefect.schedules import Cron, Interval  # noqa: PLC0415
    from prefect.types.entrypoint import EntrypointType  # noqa: PLC0415

    from flows.ingest import ingest  # noqa: PLC0415
    from flows.maintain import maintain  # noqa: PLC0415
    from flows.report import report  # noqa: PLC0415
    from flows.verify import verify  # noqa: PLC0415

    class StoppableRunner(Runner):
        def handle_sigterm(self, *_args: object, **_kwargs: object) -> None:
            """Stop as after Ctrl-C: Prefect's own handler exits without waiting for the runs that it stops."""
            os.kill(os.getpid(), signal.SIGINT)

    once = ConcurrencyLimitConfig(limit=1, collision_strategy=ConcurrencyLimitStrategy.CANCEL_NEW)
    served = {
        # parameters of the schedule, not of the deployment: the form of a run started by hand then polls every feed by default
        ingest.to_deployment: (DUE, Interval(settings.every_s, parameters=DUE_ONLY)),
        maintain.to_deployment: (NIGHTLY, Cron(MAINTAINED_AT, timezone="UTC")),
        report.to_deployment: (DAILY, Cron(REPORTED_AT, timezone="UTC")),
        verify.to_deployment: (WEEKLY, Cron(VERIFIED_AT, timezone="UTC")),
    }
    runner = StoppableRunner(name="presslake", query_seconds=QUERY_S, pause_on_shutdown=True)
    ids = [
        runner.add_deployment(
            cast(
                "RunnerDeployment",
                deploy(
                    name,
                    schedule=schedule,
                    paused=False,
                    concurrency_limit=once,
                    tags=["presslake"],
                    entrypoint_type=EntrypointType.MODULE_PATH,
                ),
            )
        )
        for deploy, (name, schedule) in served.items()
    ]
    with get_client(sync_client=True) as client:  # sweep at once: the schedule's first run comes after an interval
        offer_sources(client, cast("UUID", ids[0]), load_catalogue(load_settings().catalogue))
        client.create_flow_run_from_deployment(cast("UUID", ids[0]), parameters=DUE_ONLY)
    with suppress(KeyboardInterrupt):
        asyncio.run(runner.start())


def offer_sources(client: "SyncPrefectClient", deployment_id: "UUID", catalogue: Catalogue) -> None:
    """Let the deployment's form offer the catalogue's sources as choices, instead of empty lines.

    The choices are those at this moment. A source added later can be named by its id: the flow checks ids, not the server.
    """
    from prefect.client.schemas.actions import DeploymentUpdate  # noqa: PLC0415

    schema = cast("dict[str, Any]", client.read_deployment(deployment_id).parameter_openapi_schema)
    offered = schema["definitions"][IngestConfig.__name__]["properties"]["sources"]
    offered["items"] = {"type": "string", "enum": [source.id for source in catalogue.sources]}
    changed = {"parameter_openapi_schema": schema, "enforce_parameter_schema": False}
    client.update_deployment(deployment_id, DeploymentUpdate.model_validate(changed))


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt
