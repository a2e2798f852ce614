"""The entry point of the command `presslake`: take the working directory off the import path, then run `flows.cli.app`.

PYTHONPATH=. puts that folder before the installed packages, and a user's own `flows` or `tasks` in it before ours. This
module has an unusual name, so that no user's file shadows it by chance.
"""

import os
import sys


def main() -> None:
    """Run the command."""
    own = os.path.dirname(os.path.abspath(__file__))  # noqa: PTH100, PTH120 - no import that the folder could shadow
    sys.path[:] = [entry for entry in sys.path if _is_same(entry, own) or not _is_same(entry or ".", ".")]
    from flows.cli.app import main as run  # noqa: PLC0415 - after the path is safe

    run()


def _is_same(one: str, other: str) -> bool:
    try:
        return os.path.samefile(one, other)  # noqa: PTH121
    except OSError:
        return False


if __name__ == "__main__":
    main()
