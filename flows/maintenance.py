"""A maintenance without Prefect, as the command line runs it."""

from collections.abc import Callable
from datetime import UTC, datetime

from tasks.maintain.config import MaintainConfig
from tasks.maintain.stage import MaintainReport, maintain
from tasks.opening import check_lake, opened_index, opened_store
from tasks.settings import Settings

Told = Callable[[str, int, int], None]


def run_maintenance(config: MaintainConfig, settings: Settings, *, told: Told) -> MaintainReport:
    """Put lake and index in order; raises ConfigError."""
    check_lake(settings)
    return maintain(
        index=opened_index(settings), store=opened_store(settings), config=config, now=datetime.now(UTC), told=told
    )
