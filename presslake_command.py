"""What the command `presslake` runs first: the working directory is no place of modules, and then `flows.cli.app`.

PYTHONPATH=. puts that folder before what is installed, and a person's own `flows` or `tasks` in it before ours. Hence this
module's name, which nobody's file has by chance.
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
