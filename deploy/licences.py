"""List the packages that an installation of Presslake brings: version, licence, size. `make licences`.

Ends with 1 where a package states no licence, or one that is not in `ACCEPTED`: somebody has to look at it.
"""

import re
import sys
from collections.abc import Iterator
from importlib.metadata import Distribution, PackageNotFoundError, distribution

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ACCEPTED = re.compile(r"\b(?:apache|0?bsd|cnri|hpnd|iscl?|mit|mpl|mozilla|psf|unlicense|zlib|zpl)\b", re.IGNORECASE)
"""Words of licences under which a package may be used beside Apache-2.0."""

LOOKED_AT = {
    "pebble": "LGPL-3.0: used as a library, unchanged",
    "psycopg": "LGPL-3.0: used as a library, unchanged",
    "psycopg-binary": "LGPL-3.0: used as a library, unchanged",
    "text-unidecode": "Artistic License, of its two; used by Prefect's slugs",
}
"""Packages with another licence, and why they may be used."""

HEAVIEST = 10


def packages(name: str, extras: frozenset[str] = frozenset()) -> dict[str, Distribution]:
    """Return a package and all that it requires, by name, as far as installed."""
    found: dict[str, Distribution] = {}
    waiting = [(name, extras)]
    seen: set[tuple[str, frozenset[str]]] = set()
    while waiting:
        name, extras = waiting.pop()
        if (name, extras) in seen:
            continue
        seen.add((name, extras))
        try:
            found[name] = distribution(name)
        except PackageNotFoundError:
            continue  # of another platform
        waiting += required(found[name], extras)
    return found


def required(package: Distribution, extras: frozenset[str]) -> Iterator[tuple[str, frozenset[str]]]:
    """Yield what a package requires on this machine, with these extras of its own."""
    for line in package.requires or ():
        one = Requirement(line)
        if one.marker is None or any(one.marker.evaluate({"extra": extra}) for extra in extras or {""}):
            yield canonicalize_name(one.name), frozenset(one.extras)


def licence(package: Distribution) -> str:
    """Return a package's licence in a line: its SPDX expression, else its classifiers, else the first line it states."""
    about = package.metadata
    classified = [
        one.rpartition(" :: ")[2] for one in about.get_all("Classifier") or () if one.startswith("License ::")
    ]
    first = next((line.strip() for line in (about.get("License") or "").splitlines() if line.strip()), "")
    return about.get("License-Expression") or ", ".join(one for one in classified if one != "OSI Approved") or first


def size_mib(package: Distribution) -> float:
    """Return how much room a package takes, in MiB."""
    paths = (file.locate() for file in package.files or ())
    return sum(path.stat().st_size for path in paths if path.is_file()) / 2**20  # type: ignore[union-attr]


def needs_a_look(name: str, stated: str) -> bool:
    """Whether somebody has to look at a package's licence: none of the alternatives that it states is accepted."""
    alternatives = re.split(r"\bOR\b|,", stated)
    return name not in LOOKED_AT and not any(
        all(ACCEPTED.search(part) for part in re.split(r"\bAND\b", one)) for one in alternatives
    )


def table(found: dict[str, Distribution]) -> Iterator[str]:
    """Yield the packages and the heaviest of them, a line each."""
    for name in sorted(found):
        yield f"{name:<36} {found[name].version:<14} {licence(found[name])[:80]}"
    sizes = sorted(((size_mib(one), name) for name, one in found.items()), reverse=True)
    yield f"\n{len(found)} packages, {sum(size for size, _ in sizes):.0f} MiB. The heaviest:"
    yield from (f"{name:<36} {size:>6.1f} MiB" for size, name in sizes[:HEAVIEST])


def main() -> int:
    """Print the packages, the heaviest of them, and those whose licence needs a look."""
    found = packages("presslake", frozenset(sys.argv[1:]))
    del found["presslake"]
    sys.stdout.writelines(f"{line}\n" for line in table(found))
    doubtful = [name for name in sorted(found) if needs_a_look(name, licence(found[name]))]
    for name in doubtful:
        sys.stderr.write(f"LOOK AT {name}: it states {licence(found[name]) or 'no licence'}\n")
    return 1 if doubtful else 0


if __name__ == "__main__":
    sys.exit(main())
