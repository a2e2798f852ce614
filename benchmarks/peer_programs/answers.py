"""Input and output that all peer programs share: the feeds to read, and a JSON line for each extracted page."""

import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

from lxml import etree
from trafilatura import bare_extraction

PAGES_OF_A_FEED = "//item/link/text()"
IN_FLIGHT, PER_HOST, DELAY_S = 50, 4, 0.02
"""Presslake's limits in the benchmark: the default of `connections`, and the catalogue of `benchmarks.whole_run`."""


def feeds_to_read() -> list[str]:
    """Return the feed URLs, one per line of the file in the first argument."""
    return Path(sys.argv[1]).read_text().split()


def pages_of_feed(document: bytes) -> list[str]:
    """Return the URLs that a feed announces."""
    return etree.fromstring(document).xpath(PAGES_OF_A_FEED)


def announced_pages() -> list[str]:
    """Read the feeds one by one, for a peer that does not read feeds, and return the page URLs."""
    pages: list[str] = []
    for url in feeds_to_read():
        with urlopen(Request(url)) as answer:
            pages += pages_of_feed(answer.read())
    return pages


def read_by_trafilatura(url: str, html: bytes) -> dict[str, Any]:
    """Extract a page with trafilatura's defaults, with metadata."""
    found = bare_extraction(html, url=url if url.startswith("http") else None, with_metadata=True)
    if found is None:
        return {"url": url, "text": ""}
    author = found.author.split("; ") if found.author else []
    return {"url": url, "title": found.title, "text": found.text, "authors": author, "date": found.date}


def write_answers(rows: Iterable[dict[str, Any]]) -> None:
    """Write a JSON line for each page to the file in the second argument."""
    with Path(sys.argv[2]).open("w") as out:
        out.writelines(json.dumps(row) + "\n" for row in rows)
