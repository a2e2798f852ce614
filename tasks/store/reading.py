"""Read rows of the lake's tables back, for `trace`."""

from collections.abc import Iterator
from typing import Any

import pyarrow.dataset as ds

from tasks.objects import ObjectStore
from tasks.store.tables import open_table


def read_rows(store: ObjectStore, table: str, *, url_key: str) -> Iterator[dict[str, Any]]:
    """Yield a URL's rows of `captures` or `articles`, the oldest first; raises LakeUnavailable."""
    dataset = open_table(store, table).to_pyarrow_dataset()
    rows = dataset.to_table(filter=ds.field("url_key") == url_key).sort_by("fetched_at")
    yield from rows.to_pylist()
