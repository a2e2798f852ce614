import os
from datetime import UTC, datetime, timedelta

from tasks.lake.objects.stores import DirectoryStore
from tasks.maintain.retention import prune_scratch

NOW = datetime(2026, 3, 1, tzinfo=UTC)


def test_a_killed_jobs_scratch_files_are_deleted_after_a_week(tmp_path):
    store = DirectoryStore(tmp_path)
    for name, days in (("old", 8), ("new", 6)):
        store.put(f"scratch/{name}/00000001.cut.json", b"{}")
        at = (NOW - timedelta(days=days)).timestamp()
        os.utime(tmp_path / f"scratch/{name}/00000001.cut.json", (at, at))

    prune_scratch(store, now=NOW)

    assert [one.key for one in store.list("scratch/")] == ["scratch/new/00000001.cut.json"]
