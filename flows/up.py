"""Everything on this machine: Prefect's server with its UI, the deployments served, the schedule on."""

import datetime
import signal
from types import FrameType

from flows.console import say
from flows.local_server import local_server, set_prefect_defaults
from flows.sweep import read_catalogue
from tasks.opening import check_lake, close_opened
from tasks.parameters import IngestConfig
from tasks.settings import Settings

DEPLOYMENT = "local"


def serve_until_interrupted(settings: Settings) -> None:
    """Serve until Ctrl-C or SIGTERM, then end what runs and the server; raises ConfigError."""
    read_catalogue(settings, IngestConfig())
    check_lake(settings)
    close_opened()
    set_prefect_defaults()
    signal.signal(signal.SIGTERM, _interrupt)
    say("Starting Prefect's server ...")
    with local_server(port=settings.ui_port, has_ui=True) as api_url:
        import prefect.settings as prefect_settings  # noqa: PLC0415 - after the defaults are set

        with prefect_settings.temporary_settings({prefect_settings.PREFECT_API_URL: api_url}):
            say(
                f"Presslake is up: {api_url.removesuffix('/api')} (a sweep every {settings.every_s} s; Ctrl-C stops it)"
            )
            _serve(settings)
    say("Stopped.")


def _serve(settings: Settings) -> None:
    from prefect import serve  # noqa: PLC0415
    from prefect.client.schemas.objects import ConcurrencyLimitConfig, ConcurrencyLimitStrategy  # noqa: PLC0415
    from prefect.flows import EntrypointType  # noqa: PLC0415

    from flows.ingest import ingest  # noqa: PLC0415

    deployment = ingest.to_deployment(
        DEPLOYMENT,
        interval=datetime.timedelta(seconds=settings.every_s),
        paused=False,
        concurrency_limit=ConcurrencyLimitConfig(limit=1, collision_strategy=ConcurrencyLimitStrategy.CANCEL_NEW),
        parameters={"config": {"due_only": True}},
        tags=["presslake"],
        entrypoint_type=EntrypointType.MODULE_PATH,
    )
    serve(deployment, print_starting_message=False)


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt
