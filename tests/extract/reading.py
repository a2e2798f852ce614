"""Pages for the tests of extraction: our fixtures, and helpers that run the stage's pure parts."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from tasks.extract.article import extract_text
from tasks.extract.metadata import Metadata, read_metadata
from tasks.extract.page import parse_page
from tasks.extract.page_type import classify_page, look_at
from tasks.values.rows import PageType

PAGES = Path(__file__).resolve().parent.parent / "data" / "pages"
NAMES = sorted(path.stem for path in PAGES.glob("*.json"))
URL = "https://www.portcourier.example/local/harbour-reopens"
NOW = datetime(2026, 11, 24, tzinfo=UTC)


@dataclass(frozen=True, kw_only=True)
class Read:
    metadata: Metadata
    text: str
    path: str
    kind: PageType

    @property
    def lines(self) -> list[str]:
        return self.text.split("\n")


def read_page(html: str, *, url: str = URL) -> Read:
    tree = parse_page(html, url)
    metadata = read_metadata(tree, now=NOW)
    facts = look_at(tree)
    found = extract_text(tree, metadata)
    return Read(metadata=metadata, text=found.text, path=found.path, kind=classify_page(metadata, found.text, facts))


@cache
def expected(name: str) -> dict:
    return json.loads((PAGES / f"{name}.json").read_text(encoding="utf-8"))


@cache
def read_fixture(name: str) -> Read:
    return read_page((PAGES / f"{name}.html").read_text(encoding="utf-8"), url=expected(name)["url"])


PARAGRAPHS = (
    "The old harbour will open to ferries again on Monday morning, the port authority said, after three weeks.",
    "Divers found cracks in two of the nine pillars in February, and engineers closed the quay within an hour.",
    "The repairs cost 4.1 million, of which the state pays two thirds and the reserve of the port the remainder.",
    "Island shops had rationed milk and bread since the middle of the month, and the bakery on Skarv shut early.",
    "Winter timetables stay in force until Easter, when the second ferry returns from its own repairs in the yard.",
)


def page(*, head: str = "", before: str = "", inside: str = "", after: str = "", language: str = "en") -> str:
    """Return a page with a plain story of five paragraphs; `inside` follows the third, `after` follows the story."""
    first, last = ("".join(f"<p>{one}</p>" for one in part) for part in (PARAGRAPHS[:3], PARAGRAPHS[3:]))
    return f"""<!DOCTYPE html><html lang="{language}"><head><title>Harbour reopens - Port Courier</title>
    <meta property="og:type" content="article"><meta property="og:title" content="Harbour reopens">
    <meta property="og:site_name" content="Port Courier">{head}</head>
    <body><main>{before}<div class="story"><h1>Harbour reopens</h1>{first}{inside}{last}</div>{after}</main></body></html>"""


def read_story(*, over: str = "", behind: str = "", story: Sequence[str] = PARAGRAPHS) -> list[str]:
    """Return the lines of a page whose paragraphs have their own element: `over` precedes it, `behind` is last in it."""
    parts = "".join(f"<p>{one}</p>" for one in story)
    html = page().split("<div class=")[0]
    return read_page(
        f"{html}<h1>Harbour reopens</h1>{over}<div class='x'>{parts}{behind}</div></main></body></html>"
    ).lines
