"""Our defaults for Prefect's settings. Imports nothing of Prefect."""

import os

STARTUP_TIMEOUT_S = 180

DEFAULTS = {
    "PREFECT_API_REQUEST_TIMEOUT": "30",  # for each of six tries
    "DO_NOT_TRACK": "1",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "PREFECT_SERVER_UI_SHOW_PROMOTIONAL_CONTENT": "false",
    "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": str(STARTUP_TIMEOUT_S),
    # with Prefect's defaults, bursts lose task records (docs/adr/0002)
    "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_BATCH_SIZE": "100",
    "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_READ_BATCH_SIZE": "100",
    "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_FLUSH_INTERVAL": "1",
}
"""Applied to the settings that the user has not set."""


def set_prefect_defaults(*, is_quiet: bool) -> None:
    """Set the environment variables that Prefect reads when imported; call this first. The user's settings take precedence.

    `is_quiet` keeps Prefect's log off the terminal: it goes only to Prefect's API.
    """
    names = ("PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL", "PREFECT_INTERNAL_LOGGING_LEVEL")
    quiet = dict.fromkeys(names, "CRITICAL") if is_quiet else {}
    for name, value in {**DEFAULTS, **quiet}.items():
        os.environ.setdefault(name, value)
