"""A new index out of the lake alone."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from tasks.config.settings import Settings
from tasks.index.database import bind_lake
from tasks.lake.objects.stores import open_lake
from tasks.runtime.resources import opened_index, opened_store
from tasks.verify.reindex import ReindexReport, check_is_empty
from tasks.verify.reindex import reindex as rebuild

Told = Callable[[str, int, int], None]


def reindex(settings: Settings, *, told: Told) -> ReindexReport:
    """Fill the empty index that the settings name from the lake; raises ConfigError for one that is not empty."""
    index, store = opened_index(settings), opened_store(settings)
    check_is_empty(index)
    bind_lake(index, lake_id=open_lake(store), lake_uri=store.uri)
    return rebuild(
        index=index,
        store=store,
        now=datetime.now(UTC),
        revisit_after=[timedelta(hours=hours) for hours in settings.revisit_after_h],
        told=told,
    )
