"""Rules for all of our regexes, so that every Python from 3.11.0 on gives the same matches."""

import pkgutil
import re
from collections.abc import Iterator
from importlib import import_module

import pytest

import flows
import presslake
import tasks

PACKAGES = (tasks, flows, presslake)
ONE_CHARACTER = {"IN", "LITERAL", "NOT_LITERAL", "ANY", "CATEGORY"}


def patterns() -> dict[str, re.Pattern]:
    """Return the regexes of all modules, by name."""
    found = [
        one.name for package in PACKAGES for one in pkgutil.walk_packages(package.__path__, f"{package.__name__}.")
    ]
    return {
        f"{name}.{key}": value
        for name in found
        if not name.startswith("tasks.index.migrations.")  # imported only by Alembic
        for key, value in vars(import_module(name)).items()
        if isinstance(value, re.Pattern)
    }


def possessive_bodies(parsed: object) -> Iterator[list[str]]:
    """Yield the operand of each possessive repetition, as the names of its parts."""
    if isinstance(parsed, re._parser.SubPattern | list | tuple):
        parts = list(parsed)
        if len(parts) == 2 and str(parts[0]) == "POSSESSIVE_REPEAT":
            yield [str(kind) for kind, _ in parts[1][2]]
        for part in parts:
            yield from possessive_bodies(part)


def is_safe(body: list[str]) -> bool:
    return body == ["ATOMIC_GROUP"] or (len(body) == 1 and body[0] in ONE_CHARACTER)


def test_possessive_repetitions_repeat_one_character_or_an_atomic_group():
    """Before 3.11.5, `(?:...)*+` loses its place where its last try fails midway (python/cpython#106052); `(?>...)*+` does not.

    Debian 12 has 3.11.2.
    """
    bodies = {
        name: list(possessive_bodies(re._parser.parse(one.pattern, one.flags))) for name, one in patterns().items()
    }

    assert any(bodies.values())
    assert {name: found for name, found in bodies.items() if not all(map(is_safe, found))} == {}


@pytest.mark.parametrize(
    ("pattern", "bodies"), [(r"a*+", [["LITERAL"]]), (r"(x)(?:ab|c)*+", [["BRANCH"]]), (r"a*", [])]
)
def test_possessive_repetitions_are_found(pattern, bodies):
    assert list(possessive_bodies(re._parser.parse(pattern))) == bodies
