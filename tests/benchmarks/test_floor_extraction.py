import subprocess
import sys
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]


def test_the_libraries_alone_take_a_part_of_what_extraction_takes():
    words = [sys.executable, "-m", "benchmarks.floor_extraction", "--set", "tests/data/pages", "--rounds", "1"]

    done = subprocess.run(words, cwd=CHECKOUT, capture_output=True, text=True, check=True)

    spent = {line[:40].strip(): float(line[40:50]) for line in done.stdout.splitlines()[1:]}
    assert 0 < spent["lxml's parser alone"] < spent["the least"] < spent["Presslake"]
