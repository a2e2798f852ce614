"""A maintenance without Prefect, as the command line runs it."""

from collections.abc import Callable
from datetime import UTC, datetime

from tasks.config.settings import Settings
from tasks.maintain.config import MaintainConfig
from tasks.maintain.maintenance import MaintainReport, maintain
from tasks.runtime.resources import check_lake, opened_index, opened_store

Told = Callable[[str, int, int], None]


def run_maintenance(config: MaintainConfig, settings: Settings, *, told: Told) -> MaintainReport:
    """Put lake and index in order; raises ConfigError."""
    check_lake(settings)
    return maintain(
        index=opened_index(settings), store=opened_store(settings), config=config, now=datetime.now(UTC), told=told
    )
