"""Run the tutorial's first part command by command, as a reader would."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TUTORIAL = (ROOT / "docs/tutorial.md").read_text(encoding="utf-8")
STAYS_OPEN = "presslake browse"
WITH_EXIT_0 = "set -euo pipefail\n"


def commands() -> str:
    """Return the first part's commands as one script; the demo runs without make, and long-running commands are left out."""
    part, _, _ = TUTORIAL.partition("## Part 2")
    blocks = [block for block in re.findall(r"```sh\n(.*?)```", part, flags=re.DOTALL) if STAYS_OPEN not in block]
    return "".join(blocks).replace("make demo\n", "python -m examples.demo\n")


@pytest.fixture
def place(tmp_path):
    """A folder with the parts of a checkout that the tutorial's commands need."""
    for name in ("examples", "flows", "tasks"):
        (tmp_path / name).symlink_to(ROOT / name)
    (tmp_path / ".venv/bin").mkdir(parents=True)
    for name in ("presslake", "python"):
        (tmp_path / ".venv/bin" / name).symlink_to(Path(sys.executable).with_name(name))
    return tmp_path


def run(script, place):
    return subprocess.run(
        ["bash", "-c", WITH_EXIT_0 + script],
        cwd=place,
        env={
            "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin",
            "HOME": str(place),
            "PYTHONSAFEPATH": "",
        },
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )


@pytest.mark.long
@pytest.mark.engine
def test_each_command_of_the_first_part_succeeds(place):
    done = run(commands(), place)

    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("Nothing found.") == 3  # verify: at first, after the takedown, after reindex
    assert "3 faults, 3 mended, none left." in done.stdout
    assert "0 articles found" in done.stdout


@pytest.mark.engine
def test_the_commands_recommended_by_the_demo_work(place):
    demo = run("python -m examples.demo", place)
    recommended = [line.strip() for line in demo.stdout.splitlines() if line.strip().startswith(".venv/bin/presslake")]

    done = run("\n".join(line for line in recommended if STAYS_OPEN not in line), place)

    assert demo.returncode == 0, demo.stdout + demo.stderr
    assert len(recommended) >= 3
    assert done.returncode == 0, done.stdout + done.stderr
    assert "refused" not in done.stdout + done.stderr
