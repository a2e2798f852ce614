"""The defaults for Prefect's settings that the user has not set. Imports nothing of Prefect."""

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
"""The defaults for Prefect's settings that the user has not set."""


def set_prefect_defaults(*, is_quiet: bool) -> None:
    """Set what Prefect reads at its import; call this before. The user's own settings take precedence.

    `is_quiet` keeps the terminal for our own output: the log goes only to Prefect's API.
    """
    names = ("PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL", "PREFECT_INTERNAL_LOGGING_LEVEL")
    quiet = dict.fromkeys(names, "CRITICAL") if is_quiet else {}
    for name, value in {**DEFAULTS, **quiet}.items():
        os.environ.setdefault(name, value)
