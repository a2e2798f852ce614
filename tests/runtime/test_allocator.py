import subprocess
import sys

PROGRAM = """
import psutil
from tasks.runtime.allocator import keep_little

if __name__ == "__main__":
    if {is_told}:
        keep_little()
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


def test_memory_that_is_free_goes_back_to_the_system():
    assert given_back(is_told=True) > 20e6
    assert given_back(is_told=False) < 10e6


SWEEP = """
import sys
from tasks.runtime.allocator import spare_memory
spare_memory()
import flows.ingest
print(sorted(name for name in {"pyarrow", "numpy", "pyarrow.compute", "trafilatura", "duckdb"} if sys.modules.get(name)))
"""


def test_a_sweep_loads_neither_the_extractor_nor_what_arrow_can_do_without():
    done = subprocess.run([sys.executable, "-c", SWEEP], capture_output=True, text=True, timeout=120, check=True)

    assert done.stdout.split() == ["['pyarrow']"]


ASKS = """
import sys
from tasks.runtime.allocator import spare_memory
spare_memory()
import psycopg
with psycopg.connect(sys.argv[1]) as connection:
    print(connection.execute("SELECT %s::numeric[]", ([1, 2**64 - 1],)).fetchone()[0])
"""


def test_a_sweep_writes_large_numbers_into_postgresql(postgres_url):
    url = postgres_url.replace("+psycopg", "")
    done = subprocess.run([sys.executable, "-c", ASKS, url], capture_output=True, text=True, timeout=60, check=False)

    assert done.stdout.strip() == "[Decimal('1'), Decimal('18446744073709551615')]", done.stderr
