import subprocess
import sys

PROGRAM = """
import sys
from dataclasses import replace

if __name__ == "__mp_main__":
    raise SystemExit("a worker imports the program")
if __name__ == "__main__":
    from tasks.extract.pool import ExtractorPool
    from tests.extract.stored import CONFIG, stored, tell_state

    with ExtractorPool(replace(CONFIG, workers=1), read=tell_state) as pool:
        ((_, page),) = pool.extract([("a page", stored())])
        print(page.section)
"""


def test_workers_start_warm_and_do_not_import_the_program(tmp_path):
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)

    done = subprocess.run([sys.executable, program], capture_output=True, text=True, timeout=60, check=True)

    assert done.stdout.split() == ["warm", "frozen"]


def test_modules_that_pages_may_need_are_loaded_before_a_worker_starts():
    program = "import tasks.extract.warm; from tasks.values.domain import _suffixes; print(_suffixes.cache_info())"

    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)

    assert "currsize=1" in done.stdout
