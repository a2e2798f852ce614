"""Presslake for programs: sweep sources from Python, or extract one page.

    from presslake import IngestConfig, ingest      # the flow, and its parameters
    from presslake import Page, extract             # one page, without lake or index
    from presslake import open_lake                 # a lake's articles, pages and changes

Names are imported on first use: `extract` and `open_lake` need no Prefect. docs/python.md has examples, and says which
names are stable.
"""

from datetime import datetime
from importlib import import_module
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from presslake.packages import check_packages

if TYPE_CHECKING:
    from flows.ingest import ingest as ingest
    from presslake.reading import Lake as Lake
    from presslake.reading import open_lake as open_lake
    from tasks.config.parameters import IngestConfig as IngestConfig
    from tasks.errors import ItemError as ItemError
    from tasks.errors import PresslakeError as PresslakeError
    from tasks.export.changes import Change as Change
    from tasks.export.changes import Changes as Changes
    from tasks.values.page import Page as Page
    from tasks.values.rows import Article as Article
    from tasks.values.rows import Capture as Capture

__all__ = [
    "Article", "Capture", "Change", "Changes", "IngestConfig", "ItemError", "Lake", "Page", "PresslakeError",
    "__version__", "extract", "ingest", "open_lake",
]  # fmt: skip

check_packages()
__version__ = version("presslake")

_PLACES = {
    "Article": "tasks.values.rows",
    "Capture": "tasks.values.rows",
    "Change": "tasks.export.changes",
    "Changes": "tasks.export.changes",
    "Lake": "presslake.reading",
    "open_lake": "presslake.reading",
    "IngestConfig": "tasks.config.parameters",
    "ItemError": "tasks.errors",
    "Page": "tasks.values.page",
    "PresslakeError": "tasks.errors",
    "ingest": "flows.ingest",
}


def extract(
    html: str | bytes, url: str, *, content_type: str | None = None, fetched_at: datetime | None = None
) -> "Page":
    """Extract the article of a page: its text, title, authors, dates and page type.

    `html` as bytes is decoded by its byte order mark, else by `content_type`, by its own declaration or by its bytes.
    `fetched_at` (aware; default: now) bounds plausible dates: with the same instant, the same page gives the same values.
    Raises NotAnArticle if the page has no text, EmptyExtraction if no text was found in a long page, TooManyElements if it
    is too large; all are ItemErrors. Extraction runs in this process, without a time limit; sweeps use processes that can be
    killed.
    """
    from tasks.extract.page import extract_html  # noqa: PLC0415 - the extractor takes half a second to import

    return extract_html(html, url, content_type=content_type, fetched_at=fetched_at)


def __getattr__(name: str) -> Any:  # noqa: ANN401 - the names above, each with its own type
    place = _PLACES.get(name)
    if place is None:
        raise AttributeError(f"module 'presslake' has no attribute {name!r}")
    return getattr(import_module(place), name)


def __dir__() -> list[str]:
    return __all__
