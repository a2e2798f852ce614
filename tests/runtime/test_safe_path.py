"""The import path of interpreters: the working directory is removed, the rest of PYTHONPATH stays."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tasks.runtime.safe_path import safe_environment
from tests.forking import COMMAND

ROOT = Path(__file__).parents[2]
PROGRAM = """
if __name__ == "__main__":
    import os, sys
    from dataclasses import replace
    from tasks.extract.pool import ExtractorPool
    from tests.extract.stored import CONFIG, stored, tell_state

    os.chdir(sys.argv[1])
    with ExtractorPool(replace(CONFIG, workers=1), read=tell_state) as pool:
        ((_, page),) = pool.extract([("a page", stored())])
        print(page.section)
"""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A user's folder, with packages that have our names."""
    for name in ("flows", "tasks"):
        (tmp_path / "home" / name).mkdir(parents=True)
        (tmp_path / "home" / name / "__init__.py").write_text("raise RuntimeError('not ours')\n")
    return tmp_path / "home"


@pytest.mark.parametrize("here", ["", ".", "./", "{home}", "{home}/", "../home", "{link}"])
def test_a_working_directory_in_pythonpath_is_dropped(here, home, tmp_path, monkeypatch):
    (tmp_path / "link").symlink_to(home)
    monkeypatch.chdir(home)
    entry = here.format(home=home, link=tmp_path / "link")

    safe = safe_environment({"PYTHONPATH": os.pathsep.join(("/opt/first", entry, "second")), "HOME": "/homes/ann"})

    assert safe == {"PYTHONPATH": f"/opt/first{os.pathsep}second", "PYTHONSAFEPATH": "1", "HOME": "/homes/ann"}


@pytest.mark.parametrize("given", [{}, {"PYTHONPATH": ""}, {"PYTHONPATH": "."}, {"PYTHONPATH": ":"}])
def test_an_empty_pythonpath_is_removed(given, home, monkeypatch):
    monkeypatch.chdir(home)

    assert safe_environment(given) == {"PYTHONSAFEPATH": "1"}


def test_a_checkout_that_is_the_working_directory_stays(monkeypatch):
    monkeypatch.chdir(ROOT)

    assert safe_environment({"PYTHONPATH": "."})["PYTHONPATH"] == "."


def test_a_deleted_working_directory_is_harmless(tmp_path, monkeypatch):
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()

    assert safe_environment({"PYTHONPATH": "/opt/first"})["PYTHONPATH"] == "/opt/first"


@pytest.mark.parametrize("pythonpath", ["", ".", "{home}", ":/opt/first"])
def test_the_command_starts_next_to_folders_with_our_names(pythonpath, home):
    environment = {**os.environ, "PYTHONPATH": pythonpath.format(home=home)}

    done = subprocess.run(
        [COMMAND, "sources", "schema"], cwd=home, env=environment, capture_output=True, timeout=120, check=False
    )

    assert (done.returncode, done.stderr) == (0, b"")


def test_extraction_processes_start_warm_next_to_folders_with_our_names(home, tmp_path):
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}

    done = subprocess.run(
        [sys.executable, program, home], env=environment, capture_output=True, text=True, timeout=120, check=True
    )

    assert done.stdout.split() == ["warm", "frozen"]
