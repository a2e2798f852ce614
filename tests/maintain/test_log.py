"""Deleting old commits of a table, also during concurrent maintenance."""

import os
import shutil
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pyarrow as pa
import pytest
from deltalake import DeltaTable, write_deltalake

from tasks.maintain.retention import tidy_log

COMMITS, AT_ONCE = 40, 4
FORTY_DAYS_AGO = time.time() - 40 * 86_400


@pytest.fixture(scope="module")
def old_table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A table with a checkpoint and commits older than the 30 days of retention."""
    folder = tmp_path_factory.mktemp("old")
    for number in range(COMMITS):
        write_deltalake(folder, pa.table({"number": [number]}), mode="append")
    DeltaTable(folder).create_checkpoint()
    for commit in (folder / "_delta_log").glob("*.json"):
        os.utime(commit, (FORTY_DAYS_AGO, FORTY_DAYS_AGO))
    return folder


@pytest.mark.parametrize("attempt", range(5))
def test_concurrent_deletions_of_old_commits_do_not_fail(old_table, tmp_path, attempt):
    folder = shutil.copytree(old_table, tmp_path / "table")
    start = threading.Barrier(AT_ONCE)

    def tidy(_):
        table = DeltaTable(folder)
        start.wait(60)
        tidy_log(table)

    with ThreadPoolExecutor(AT_ONCE) as threads:
        list(threads.map(tidy, range(AT_ONCE)))
    tidy_log(DeltaTable(folder))  # deletes what each may have left to another

    assert len(list((folder / "_delta_log").glob("*.json"))) < COMMITS / 2
    assert DeltaTable(folder).to_pyarrow_table().num_rows == COMMITS
