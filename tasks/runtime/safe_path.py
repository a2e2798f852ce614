"""Where Python looks for modules: what is installed, and never the folder that a command happens to run in.

`python -m` and `python -c` look into the working directory first, and so does PYTHONPATH=. everywhere: a person's own
`flows` or `tasks` there would be taken for ours. `sys.flags.safe_path` is Python's name for it.
"""

import os
from collections.abc import Mapping
from pathlib import Path

_OWN = Path(__file__).parents[1]
"""The folder that our packages are in; a checkout may be the working directory, and is safe."""


def keep_children_safe() -> None:
    """Have the interpreters that this process starts from now on look into no working directory."""
    safe = safe_environment(os.environ)
    if "PYTHONPATH" not in safe:
        os.environ.pop("PYTHONPATH", None)
    os.environ.update(safe)


def safe_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """Return an environment in which Python looks into no working directory; the rest of PYTHONPATH stays."""
    kept = [entry for entry in environment.get("PYTHONPATH", "").split(os.pathsep) if entry and not _is_unsafe(entry)]
    others = {name: value for name, value in environment.items() if name != "PYTHONPATH"}
    return others | {"PYTHONSAFEPATH": "1"} | ({"PYTHONPATH": os.pathsep.join(kept)} if kept else {})


def _is_unsafe(entry: str) -> bool:
    try:
        return Path(entry).samefile(".") and not _OWN.samefile(".")
    except OSError:  # it does not exist: no harm
        return False
