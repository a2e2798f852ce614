"""What Prefect is told where the user has said nothing. Imports nothing of it."""

import os

STARTUP_TIMEOUT_S = 180

DEFAULTS = {
    "PREFECT_API_REQUEST_TIMEOUT": "30",  # each of six tries
    "DO_NOT_TRACK": "1",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "PREFECT_SERVER_UI_SHOW_PROMOTIONAL_CONTENT": "false",
    "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": str(STARTUP_TIMEOUT_S),
    # bursts lose task records at the defaults (docs/adr/0002)
    "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_BATCH_SIZE": "100",
    "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_READ_BATCH_SIZE": "100",
    "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_FLUSH_INTERVAL": "1",
}
"""What Prefect is told where the user has said nothing."""


def set_prefect_defaults(*, is_quiet: bool) -> None:
    """Set what Prefect reads at its import; call it before that. The user's own settings win.

    `is_quiet` keeps the terminal for our own words: the log goes to Prefect's API alone.
    """
    names = ("PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL", "PREFECT_INTERNAL_LOGGING_LEVEL")
    quiet = dict.fromkeys(names, "CRITICAL") if is_quiet else {}
    for name, value in {**DEFAULTS, **quiet}.items():
        os.environ.setdefault(name, value)
