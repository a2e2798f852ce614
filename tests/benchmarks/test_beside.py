import subprocess
import sys
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent.parent


def test_a_checkout_compared_with_itself_differs_on_no_page():
    words = [sys.executable, "-m", "benchmarks.beside", str(CHECKOUT), "--set", "tests/data/pages"]

    done = subprocess.run(words, cwd=CHECKOUT, capture_output=True, text=True, check=True)

    assert "0 of 10 pages differ" in done.stdout
    assert "page:parse_html" in done.stdout
