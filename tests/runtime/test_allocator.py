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
