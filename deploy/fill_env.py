"""Fill the examples in: `python deploy/fill_env.py DIRECTORY` writes worker.env, server.env, ... with invented passwords.

Each CHANGE-ME-name is one password, the same in all files. Nothing that exists is written over; the files are for their
owner's eyes alone. Needs the standard library only.
"""

import os
import re
import secrets
import sys
from collections import defaultdict
from pathlib import Path

EXAMPLES = {"worker.env": "env.example"} | {
    f"{name}.env": f"{name}.env.example"
    for name in ("server", "postgresql", "owner", "reader", "redis", "s3", "grafana")
}
_PLACE = re.compile(r"CHANGE-ME-([a-z0-9-]+)")


def filled() -> dict[str, str]:
    """Return the files' texts by name, with passwords that need no quoting in a URL."""
    passwords: defaultdict[str, str] = defaultdict(lambda: secrets.token_hex(24))
    folder = Path(__file__).parent
    return {
        name: _PLACE.sub(lambda place: passwords[place[1]], (folder / example).read_text(encoding="utf-8"))
        for name, example in EXAMPLES.items()
    }


def main(directory: Path) -> None:
    """Write the files."""
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    for name, text in filled().items():
        descriptor = os.open(directory / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    try:
        main(Path(sys.argv[1]))
    except FileExistsError as error:
        sys.exit(f"{error.filename} exists already: remove it, or give another directory")
