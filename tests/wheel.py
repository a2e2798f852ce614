"""The built wheel, installed separately from the checkout: a session fixture."""

import os
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


class Wheel:
    """An install of the wheel. `-S` excludes the checkout, to which the tests' site-packages refer."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.path = os.pathsep.join([str(folder), sysconfig.get_path("platlib")])

    def run(self, *arguments: str | Path, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run Python with only the wheel and the dependencies, and return the result."""
        plain = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "PRESSLAKE_"))}
        return subprocess.run(
            [sys.executable, "-S", *arguments],
            cwd=cwd,
            env=plain | {"PYTHONPATH": self.path} | environment,
            capture_output=True,
            text=True,
            timeout=180,
            check=False,
        )


@pytest.fixture(scope="session")
def wheel(tmp_path_factory) -> Wheel:
    """Build the wheel as for a release, and install it without its dependencies, which are already there."""
    home = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(home)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True, timeout=120)
    (built,) = home.glob("*.whl")
    install = [sys.executable, "-m", "uv", "pip", "install", "--quiet", "--offline", "--no-deps", "--target"]
    subprocess.run([*install, str(home / "site"), str(built)], check=True, capture_output=True, timeout=120)
    return Wheel(home / "site")
