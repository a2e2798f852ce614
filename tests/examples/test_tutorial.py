"""The tutorial's first part, command by command, as its reader would run it."""

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
    """The first part's commands in one script; the demo runs without make, and what stays open is left out."""
    part, _, _ = TUTORIAL.partition("## Part 2")
    blocks = [block for block in re.findall(r"```sh\n(.*?)```", part, flags=re.DOTALL) if STAYS_OPEN not in block]
    return "".join(blocks).replace("make demo\n", "python -m examples.demo\n")


@pytest.mark.long
@pytest.mark.engine
def test_each_command_of_the_first_part_ends_well(tmp_path):
    for name in ("examples", "flows", "tasks"):
        (tmp_path / name).symlink_to(ROOT / name)
    (tmp_path / ".venv/bin").mkdir(parents=True)
    for name in ("presslake", "python"):
        (tmp_path / ".venv/bin" / name).symlink_to(Path(sys.executable).with_name(name))
    path = f"{Path(sys.executable).parent}:/usr/bin:/bin"

    done = subprocess.run(
        ["bash", "-c", WITH_EXIT_0 + commands()],
        cwd=tmp_path,
        env={"PATH": path, "HOME": str(tmp_path), "PYTHONSAFEPATH": ""},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("Nothing found.") == 3  # verify: at first, after the takedown, with the new index
    assert "0 articles found" in done.stdout
