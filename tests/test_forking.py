"""A forked command behaves like the real command."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.forking import COMMAND, expect_many, run


@pytest.mark.parametrize("words", [["sources", "list", "--catalogue", "nowhere.yaml"], ["sources", "schema"]])
def test_a_forked_command_has_the_exit_code_and_output_of_the_plain_one(tmp_path: Path, words: list[str]):
    plain = subprocess.run([COMMAND, *words], cwd=tmp_path, capture_output=True, timeout=180, check=False)

    environments = os.environ, {**os.environ, "PREFECT_HOME": str(tmp_path)}
    expect_many(environments[1])  # Prefect is already imported there
    for environment in environments:
        forked = run(words, cwd=tmp_path, environment=environment, timeout=180)

        assert (forked.returncode, forked.stdout, forked.stderr) == (plain.returncode, plain.stdout, plain.stderr)


def test_a_forked_command_that_takes_too_long_is_killed(tmp_path: Path):
    with pytest.raises(subprocess.TimeoutExpired):
        run(["sources", "schema"], cwd=tmp_path, environment=os.environ, timeout=0.001)

    after = run(["sources", "--help"], cwd=tmp_path, environment=os.environ, timeout=180)
    assert after.returncode == 0
