"""Read `sources.yaml` into a catalogue, or report every mistake with its line; warn about entries that look unintended.

Reads that file and the files of URLs that it names.
"""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from tasks.config.catalogue import Catalogue, Defaults, Extract, Poll, Selectors, Source, did_you_mean
from tasks.config.marked_yaml import MarkedDocument, folded, read_marked
from tasks.config.parameters import IngestConfig
from tasks.config.settings import Settings
from tasks.errors import CatalogueError
from tasks.runtime.places import is_there
from tasks.values.url import fetch_url

MAX_FILE_SIZE = 10_000_000
SHOWN_MISTAKES = 50

_REPEATED = "is already the id of an earlier source"


def load_catalogue(path: Path | str) -> Catalogue:
    """Read a catalogue. Raises CatalogueError with one line per mistake, each with its file and line number."""
    path = Path(path)
    return catalogue_of(read_marked(path, MAX_FILE_SIZE))


def catalogue_of(marked: MarkedDocument) -> Catalogue:
    """Return the catalogue in a YAML document; raises CatalogueError as `load_catalogue` does."""
    if not isinstance(marked.content, dict):
        raise CatalogueError(f"{marked.path}:{marked.line_at(())}: should be a mapping with `sources:`")
    mistakes = [*marked.mistakes, *_repeated_ids(marked)]
    catalogue = None
    try:
        catalogue = Catalogue.model_validate(marked.content, context={"folder": marked.path.parent})
    except ValidationError as error:
        mistakes += [_mistake(details, marked) for details in error.errors() if details["type"] != "ids"]
    if catalogue is None or mistakes:
        raise CatalogueError(_all_mistakes(mistakes, marked.path))
    return catalogue


DEPRECATED_TDM = "obey_tdm is deprecated: use purpose: [archive, ai-input, ai-train] and obey: exclude instead"


def catalogue_warnings(catalogue: Catalogue) -> Iterator[str]:
    """Yield warnings about valid entries that look unintended, or are deprecated.

    They are sources with nothing to read, and feeds that several sources list.
    """
    owners: dict[str, list[str]] = {}
    if catalogue.defaults.obey_tdm or any(source.obey_tdm for source in catalogue.sources):
        yield DEPRECATED_TDM
    for source in catalogue.sources:
        if not (source.feeds_of() or source.urls or source.home_url):
            yield f"source {source.id} has nothing to read: add a home_url, feeds, sitemaps, listings or urls"
        for url in {fetch_url(feed_url): None for feed_url, _ in source.feeds_of()}:
            owners.setdefault(url, []).append(source.id)
    for url, ids in owners.items():
        if len(ids) > 1:
            yield f"sources {' and '.join(ids)} share a feed, which is polled for only one of them: {url}"


def _repeated_ids(marked: MarkedDocument) -> Iterator[tuple[int, str]]:
    sources = marked.content.get("sources") if isinstance(marked.content, dict) else None
    seen: set[str] = set()
    for number, source in enumerate(sources if isinstance(sources, list) else ()):
        source_id = source.get("id") if isinstance(source, dict) else None
        if isinstance(source_id, str) and source_id in seen:
            yield marked.line_at(("sources", number, "id")), f"sources[{number}].id: {_REPEATED}"
        elif isinstance(source_id, str):
            seen.add(source_id)


def _all_mistakes(mistakes: Iterable[tuple[int, str]], path: Path) -> str:
    """Return the mistakes as text, one line each, in the order of the file."""
    ordered = sorted(mistakes, key=lambda mistake: mistake[0])
    lines = [f"{path}:{line}: {folded(what)}" for line, what in ordered[:SHOWN_MISTAKES]]
    left = len(ordered) - len(lines)
    return "\n".join([*lines, *([f"{path}: {left} more"] if left else [])])


def _mistake(details: ErrorDetails, marked: MarkedDocument) -> tuple[int, str]:
    where = details["loc"]
    name = re.sub(r"^\.", "", "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in where))
    return marked.line_at(where), f"{name}: {_wording(details, where)}"


def _wording(details: ErrorDetails, where: tuple[int | str, ...]) -> str:
    match details["type"]:
        case "extra_forbidden":
            return f"unknown field{did_you_mean(str(where[-1]), _fields_at(where))}"
        case "missing":
            return "is required"
        case "tuple_type":
            return "should be a list"
        case "model_type":
            return "should be a mapping"
        case "string_type":
            return "should be text; put a number in quotes"
        case _:
            return details["msg"]


def _fields_at(where: tuple[int | str, ...]) -> list[str]:
    if len(where) == 1:
        return list(Catalogue.model_fields)
    models: tuple[tuple[str, Any], ...] = (("selectors", Selectors), ("extract", Extract), ("poll", Poll))
    for name, model in models:
        if name in where[:-1]:
            return list(model.model_fields)
    return list(Defaults.model_fields if where[0] == "defaults" else Source.model_fields)


def read_catalogue(settings: Settings, config: IngestConfig) -> Catalogue | None:
    """Return the catalogue, or None if there is none and the run names feeds or URLs; raises CatalogueError."""
    if (
        (config.feeds or config.urls)
        and "catalogue" not in settings.model_fields_set
        and not is_there(settings.catalogue)
    ):
        return None
    return load_catalogue(settings.catalogue)
