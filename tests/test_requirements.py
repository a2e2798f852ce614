"""The requirements of Presslake: an older pip must find them, too (docs/adr/0035)."""

from collections.abc import Callable, Iterator
from importlib.metadata import Distribution, PackageNotFoundError, distribution

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

HasExtra = Callable[[Distribution, str], bool]


def is_spelled_alike(owner: Distribution, extra: str) -> bool:
    """How pip before 23.3 resolves an extra."""
    return extra in (owner.metadata.get_all("Provides-Extra") or [])


def is_there(owner: Distribution, extra: str) -> bool:
    """How uv and newer versions of pip resolve it."""
    return canonicalize_name(extra) in map(canonicalize_name, owner.metadata.get_all("Provides-Extra") or [])


def required(owner: Distribution, extras: frozenset[str]) -> Iterator[Requirement]:
    """Yield the requirements of a package with these extras, on this machine."""
    for line in owner.requires or []:
        requirement = Requirement(line)
        marker = requirement.marker
        if marker is None or any(marker.evaluate({"extra": extra}) for extra in ("", *extras)):
            yield requirement


def installed_by(has_extra: HasExtra) -> set[str]:
    """Return the names of all packages that are installed with Presslake."""
    todo, done = [("presslake", frozenset[str]())], set[tuple[str, frozenset[str]]]()
    while todo:
        name, extras = todo.pop()
        if (name, extras) in done:
            continue
        done.add((name, extras))
        for requirement in required(distribution(name), extras):
            try:
                owner = distribution(requirement.name)
            except PackageNotFoundError:
                continue  # for another platform
            asked = frozenset(extra for extra in requirement.extras if has_extra(owner, extra))
            todo.append((canonicalize_name(requirement.name), asked))
    return {name for name, _ in done}


def test_an_older_pip_installs_the_same_packages_as_a_newer_one():
    assert installed_by(is_there) - installed_by(is_spelled_alike) == set()


def test_the_requirements_include_what_extraction_imports():
    assert {"trafilatura", "justext", "lxml-html-clean"} <= installed_by(is_spelled_alike)
