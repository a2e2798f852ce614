"""Check that Python finds Presslake's own packages `flows` and `tasks`, and not other folders of these names."""

import os
from importlib.util import find_spec

OWN = ("flows", "tasks")


def check_packages() -> None:
    """Raise ImportError, with the remedy, if another `flows` or `tasks` comes before ours on the import path."""
    here = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))  # noqa: PTH100, PTH120 - pathlib costs more than the check
    for name in OWN:
        spec = find_spec(name)
        found = next(iter(spec.submodule_search_locations or ()), spec.origin) if spec else None
        if found is None or os.path.realpath(found) != os.path.realpath(f"{here}/{name}"):
            raise ImportError(
                f"Presslake needs its own package {name!r}, in {here}, and Python finds {found}. Rename that file or folder, "
                "take its folder out of PYTHONPATH, or start Python with -P (PYTHONSAFEPATH=1)."
            )
