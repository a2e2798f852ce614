"""The enriching example applies each change once despite kills, and follows replays."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from deltalake import DeltaTable

from examples.enrich import APPLICATION, enrich_new
from tests.lakes import Lake
from tests.rows import make_article

ROOT = Path(__file__).parents[2]


def rows(table):
    found = DeltaTable(str(table)).to_pyarrow_table().sort_by([("article_id", "ascending")]).to_pylist()
    return [(row["article_id"], row["change_seq"], row["change"], row["figures"]) for row in found]


def done(table):
    """Return the number of changes recorded in its commits."""
    return sum(int(one.get("changes", 0)) for one in DeltaTable(str(table)).history())


def test_added_superseded_and_removed_articles_are_followed(tmp_path):
    lake, table = Lake(tmp_path), tmp_path / "enriched"
    lake.publish({"article_id": "a", "text": "On 3 May, 1,200 came."}, {"article_id": "b"})
    assert enrich_new(lake.store.uri, str(table)) == 2
    assert rows(table) == [("a", 1, "added", 2), ("b", 1, "added", 0)]

    lake.change([make_article(article_id="a", text="On 4 May, 1,200 came, of 2,000.")])
    lake.change(gone=[make_article(article_id="b")])

    assert enrich_new(lake.store.uri, str(table)) == 2
    assert rows(table) == [("a", 2, "superseded", 3), ("b", 3, "removed", None)]
    assert enrich_new(lake.store.uri, str(table)) == 0
    assert done(table) == 4


def test_a_kill_loses_and_repeats_nothing(tmp_path):
    _kill(tmp_path, kills=3)


@pytest.mark.long
def test_a_hundred_kills_lose_and_repeat_nothing(tmp_path):
    _kill(tmp_path, kills=100)


def _kill(home, *, kills):
    """Kill the example repeatedly during batches, a replay and removals; then compare its table with the lake."""
    lake, table, chance, written = Lake(home), home / "enriched", random.Random(kills), 0
    for number in range(kills):
        lake.publish(*({"article_id": f"{number:03d}-{n}", "text": f"{n} of {number}."} for n in range(20)))
        written += 20
        if number % 3 == 1:
            lake.change([make_article(article_id=f"{number:03d}-0", text="1 2 3")])
            lake.change(gone=[make_article(article_id=f"{number:03d}-1")])
            written += 2
        begun = subprocess.Popen(
            [sys.executable, "-c", "import examples.enrich as e, sys; print(flush=True); e.enrich_new(*sys.argv[1:])",
             lake.store.uri, table],
            cwd=ROOT, stdout=subprocess.PIPE, start_new_session=True,
        )  # fmt: skip
        begun.stdout.readline()  # its imports are done: from now on a kill may hit any step
        time.sleep(chance.uniform(0, 0.5))
        os.killpg(begun.pid, signal.SIGKILL)
        begun.communicate()
    enrich_new(lake.store.uri, str(table))

    held = {row["article_id"]: row["change_seq"] for row in lake.rows()}
    assert {row[0]: row[1] for row in rows(table) if row[2] != "removed"} == held
    reached = [int(one["upto"]) for one in reversed(DeltaTable(str(table)).history()) if "upto" in one]
    assert reached == sorted(set(reached))
    assert DeltaTable(str(table)).transaction_version(APPLICATION) == reached[-1]
    assert written - _superseded_before_they_were_seen(kills) <= done(table) <= written


def _superseded_before_they_were_seen(kills):
    """Return the number of rows superseded or removed before the example could see them: it sees only their last state."""
    return 2 * kills
