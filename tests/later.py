"""A simulated later version of Presslake: a copy of the source tree with added columns, run in separate processes."""

import ast
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
COLUMNS = """\
    mood: Annotated[str | None, Column("how it reads")] = None
    echoes: Annotated[tuple[str, ...] | None, Column("where it is spoken of")] = None
"""
ADDED = ["mood", "echoes"]


@dataclass(frozen=True, kw_only=True)
class Job:
    """A job for the later version: publish waiting batches, only add columns, or decide a batch with values."""

    do: str
    lake: str
    index: str = ""
    endpoint_url: str | None = None


def make_later(folder: Path) -> dict[str, str]:
    """Create the tree; return the environment for processes that run from it."""
    for name in ("tasks", "flows"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    rows = folder / "tasks/values/rows.py"
    rows.write_text(_grown(rows.read_text(encoding="utf-8")), encoding="utf-8")
    return {"PYTHONPATH": f"{folder}{os.pathsep}{ROOT}"}


def _grown(source: str) -> str:
    lines = source.splitlines(keepends=True)
    classes = [node for node in ast.parse(source).body if isinstance(node, ast.ClassDef)]
    for node in reversed([one for one in classes if one.name in {"Capture", "Article"}]):
        last = max(item.end_lineno or 0 for item in node.body if isinstance(item, ast.AnnAssign))
        lines.insert(last, COLUMNS)
    return "".join(lines)


class Worker:
    """A process of the later version that forks for each job: imports cost seconds, and many jobs are killed."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def start(self, job: Job) -> int:
        """Start a job; return its process id."""
        self._process.stdin.write(json.dumps(asdict(job)) + "\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline())

    def wait(self) -> list[int]:
        """Wait for all jobs; return their exit codes in start order."""
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())

    def run(self, job: Job) -> None:
        self.start(job)
        assert self.wait() == [0]


@contextmanager
def running_worker(environment: dict[str, str]) -> Iterator[Worker]:
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.later_worker"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=environment["PYTHONPATH"].partition(os.pathsep)[0],
        env={**os.environ, **environment},
    )
    try:
        yield Worker(process)
    finally:
        process.stdin.close()
        process.wait(timeout=60)
        process.stdout.close()
