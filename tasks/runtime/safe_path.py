"""Keep Python from importing modules from the working directory (ADR 0019).

`python -m` and `python -c` search the working directory first, and so does every Python with PYTHONPATH=.: a user's own
`flows` or `tasks` there would be imported instead of ours. Python calls this `sys.flags.safe_path`.
"""

import os
from collections.abc import Mapping
from pathlib import Path

_OWN = Path(__file__).parents[2]
"""The folder of our packages, which is safe; in a checkout it may be the working directory."""


def keep_children_safe() -> None:
    """Make interpreters that this process starts from now on ignore the working directory."""
    safe = safe_environment(os.environ)
    if "PYTHONPATH" not in safe:
        os.environ.pop("PYTHONPATH", None)
    os.environ.update(safe)


def safe_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """Return an environment in which Python ignores the working directory; the rest of PYTHONPATH stays."""
    kept = [entry for entry in environment.get("PYTHONPATH", "").split(os.pathsep) if entry and not _is_unsafe(entry)]
    others = {name: value for name, value in environment.items() if name != "PYTHONPATH"}
    return others | {"PYTHONSAFEPATH": "1"} | ({"PYTHONPATH": os.pathsep.join(kept)} if kept else {})


def _is_unsafe(entry: str) -> bool:
    try:
        return Path(entry).samefile(".") and not _OWN.samefile(".")
    except OSError:  # it does not exist, so it is harmless
        return False
