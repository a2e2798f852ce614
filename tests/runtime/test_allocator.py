import os
import subprocess
import sys

import pytest

PROGRAM = """
import psutil
from tasks.runtime.allocator import limit_retained_memory

if __name__ == "__main__":
    if {is_told}:
        limit_retained_memory()
    for _ in range(3):  # glibc keeps as much as the largest piece that was ever freed
        large = bytearray(16 << 20)
        del large
    pages = [b"x" * 300_000 for _ in range(80)]
    before = psutil.Process().memory_info().rss
    del pages
    print(before - psutil.Process().memory_info().rss)
"""


def given_back(*, is_told: bool) -> int:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(is_told=is_told)], capture_output=True, text=True, timeout=60, check=True
    )
    return int(done.stdout)


def test_free_memory_is_returned_to_the_system():
    assert given_back(is_told=True) > 20e6
    assert given_back(is_told=False) < 10e6


SWEEP = """
import sys
from tasks.runtime.allocator import configure_sweep_memory
configure_sweep_memory()
import alembic.command, flows.ingest
spared = {"numpy", "pyarrow.compute", "pyarrow._s3fs", "trafilatura", "duckdb", "httpx._main", "pygments"}
print(sorted(name for name in {"pyarrow", "httpx", *spared} if sys.modules.get(name)))
"""


def test_a_sweep_loads_neither_the_extractor_nor_optional_modules():
    done = subprocess.run([sys.executable, "-c", SWEEP], capture_output=True, text=True, timeout=120, check=True)

    assert done.stdout.strip() == "['httpx', 'pyarrow']"


RESTS = """
import gc
from tasks.runtime.allocator import configure_sweep_memory
configure_sweep_memory()
is_resting = not gc.isenabled()
from flows.sweep.session import _calm_collector
with _calm_collector():
    print(is_resting, gc.isenabled(), gc.get_freeze_count() > 10_000)
"""


def test_the_garbage_collector_is_disabled_until_a_session_begins_and_skips_imported_objects():
    done = subprocess.run([sys.executable, "-c", RESTS], capture_output=True, text=True, timeout=120, check=True)

    assert done.stdout.strip() == "True True True"


COMMIT = """
import os, sys
from tasks.runtime.allocator import configure_sweep_memory
configure_sweep_memory()
os.environ["_RJEM_MALLOC_CONF"] += ",stats_print:true"
import deltalake
import pyarrow
deltalake.write_deltalake(sys.argv[1], pyarrow.table({"text": ["a"]}))
"""


def test_the_allocator_of_delta_rs_has_one_arena_and_retains_nothing(tmp_path):
    words = [sys.executable, "-c", COMMIT, str(tmp_path / "table")]
    unset = {name: value for name, value in os.environ.items() if "MALLOC_CONF" not in name}  # polars sets it
    done = subprocess.run(words, env=unset, capture_output=True, text=True, timeout=120, check=True)

    set_to = dict(line.strip().split(": ", 1) for line in done.stderr.splitlines() if line.startswith("  opt."))
    assert (set_to["opt.narenas"], set_to["opt.dirty_decay_ms"].split()[0]) == ("1", "0")


ASKS = """
import sys
from tasks.runtime.allocator import configure_sweep_memory
configure_sweep_memory()
import psycopg
with psycopg.connect(sys.argv[1]) as connection:
    print(connection.execute("SELECT %s::numeric[]", ([1, 2**64 - 1],)).fetchone()[0])
"""


def test_a_sweep_writes_large_numbers_into_postgresql(postgres_url):
    url = postgres_url.replace("+psycopg", "")
    done = subprocess.run([sys.executable, "-c", ASKS, url], capture_output=True, text=True, timeout=60, check=False)

    assert done.stdout.strip() == "[Decimal('1'), Decimal('18446744073709551615')]", done.stderr


SLACK = """
import sys
import psutil
from tasks.runtime.allocator import HeapTrimmer, limit_retained_memory

limit_retained_memory()
held = b"x" * 100_000
slack = HeapTrimmer(int(sys.argv[1]))
slack.trim()
large, small = 100_000, 20_000
pieces = [(b"x" * large, b"y" * small) for _ in range(200)]
kept = [one for _, one in pieces]  # between what is free; more than fits where Python compiled the imports
del pieces
before = psutil.Process().memory_info().rss
slack.trim()
print(before - psutil.Process().memory_info().rss)
"""


@pytest.mark.parametrize(("most", "least_back", "most_back"), [(6 << 20, 15e6, 25e6), (1 << 30, -1e6, 1e6)])
def test_a_worker_returns_free_memory_once_it_has_grown(most, least_back, most_back):
    words = [sys.executable, "-c", SLACK, str(most)]
    done = subprocess.run(words, capture_output=True, text=True, timeout=60, check=True)

    assert least_back < int(done.stdout) < most_back
