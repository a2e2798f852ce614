"""How a process ends: exit handlers run, all output is written, the exit code is right, and nothing aborts."""

import os
import subprocess
import sys

import pytest

from tasks.index.database import open_index
from tests.forking import COMMAND

BEGIN = """
import atexit, sys, threading, time
from flows.cli.ending import run_to_the_end

def late():
    time.sleep(0.3)
    print("joined")

def command():
    threading.Thread(target=late).start()
    atexit.register(print, "cleaned up")
    print("said", end=" ")
"""


def run(program: str, **more: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", program], stdout=more.pop("stdout", subprocess.PIPE), stderr=subprocess.PIPE, text=True,
        timeout=120, check=False, **more,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("end", "code", "err"),
    [
        ("", 0, ""),
        ("sys.exit()", 0, ""),
        ("sys.exit(2)", 2, ""),
        ("sys.exit('no such thing')", 1, "no such thing\n"),
        ("raise ValueError('a fault of ours')", 1, "ValueError: a fault of ours\n"),
        ("raise KeyboardInterrupt", 1, "KeyboardInterrupt\n"),
    ],
)
def test_threads_and_exit_handlers_finish_and_the_exit_code_is_pythons(end, code, err):
    done = run(f"{BEGIN}\n    {end}\nrun_to_the_end(command)")

    assert (done.returncode, done.stdout) == (code, "said joined\ncleaned up\n")
    assert done.stderr.endswith(err)


def test_an_arrow_thread_that_reads_a_python_file_does_not_abort_the_process():
    program = (
        "import io, time\nimport pyarrow as pa, pyarrow.csv as csv\nfrom flows.cli.ending import run_to_the_end\n"
        "class Slow(io.BytesIO):\n"
        "    def read(self, size=-1):\n"
        "        time.sleep(1 if self.tell() > 100_000 else 0)\n"
        "        return super().read(size)\n"
        "def command():\n"
        "    global reader\n"
        "    file = pa.PythonFile(Slow(b'a,b\\n' + b'1,2\\n' * 500_000), mode='r')\n"
        "    reader = csv.open_csv(file, read_options=csv.ReadOptions(block_size=65536))\n"  # reads ahead in a thread
        "    print(reader.read_next_batch().num_rows)\n"
        "run_to_the_end(command)"
    )

    done = run(program)

    assert (done.returncode, done.stdout, done.stderr) == (0, "16383\n", "")


def test_output_to_a_full_disk_is_a_failure():
    with open("/dev/full", "w") as full:  # noqa: PTH123
        done = run("from flows.cli.ending import run_to_the_end\nrun_to_the_end(lambda: print('x'))", stdout=full)

    assert done.returncode == 1


def test_a_command_leaves_no_write_ahead_log_beside_the_index(tmp_path):
    index = tmp_path / "index.db"
    environment = {**os.environ, "PRESSLAKE_INDEX": f"sqlite:///{index}"}
    open_index(f"sqlite:///{index}").close()

    subprocess.run([COMMAND, "status"], cwd=tmp_path, env=environment, capture_output=True, timeout=120, check=True)

    assert [one.name for one in tmp_path.iterdir()] == ["index.db"]
