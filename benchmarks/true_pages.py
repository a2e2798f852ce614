"""Pages whose article is known: the newsroom's sets if they are there, our own fixtures otherwise."""

import gzip
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

from benchmarks.scoring import Answer
from tasks.errors import BadUrl
from tasks.values.url import registrable_domain

CHECKOUT = Path(__file__).resolve().parent.parent
FIXTURES = CHECKOUT / "tests" / "data" / "pages"
_NEWSROOM = CHECKOUT.parent / "shared" / "newsroom"
SETS = {name: _NEWSROOM / name for name in ("pages", "more") if (_NEWSROOM / name).exists()} or {"fixtures": FIXTURES}
NEWSROOM = next(iter(SETS.values()))

NO_HOST = "https://no-host.invalid/"
"""Where the pages are whose truth gives a path alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TruePage:
    """A page as decoded text, and what is in it; `fold` is None if its set has none."""

    name: str
    url: str
    html: str
    truth: Answer
    source: str = ""
    fold: int | None = None

    @property
    def site(self) -> str:
        try:
            return registrable_domain(self.url)
        except BadUrl:  # some truths have no host
            return self.name


def read_pages(folder: Path, *, folds: Collection[int] | None = None) -> list[TruePage]:
    """Return the pages of a folder: a `truth.jsonl` that names them, or pairs of `NAME.html` and `NAME.json`.

    `folds` are those wanted, all if none are given.
    """
    if (folder / "truth.jsonl").exists():
        wanted = [row for row in _read_truth(folder) if folds is None or row.get("fold") in folds]
        return [_true_page(row["id"], row, folder / row["html_path"]) for row in wanted]
    pages = ((path, json.loads(path.read_text(encoding="utf-8"))) for path in sorted(folder.glob("*.json")))
    return [_true_page(path.stem, row, path.with_suffix(".html")) for path, row in pages if row.get("text")]


def read_raw_pages(folder: Path) -> list[tuple[str, bytes, str]]:
    """Return the pages that a folder's `truth.jsonl` names: the URL, the page's bytes, its story's text."""
    return [(row["url"], _read_body(folder / row["html_path"]), row["text"]) for row in _read_truth(folder)]


def _read_truth(folder: Path) -> list[dict[str, Any]]:
    # by \n alone: a text may hold U+2028, which splitlines takes for the end of a line
    lines = (folder / "truth.jsonl").read_text(encoding="utf-8").split("\n")
    return [json.loads(line) for line in lines if line.strip()]


def _read_body(path: Path) -> bytes:
    stored = path.read_bytes()
    return gzip.decompress(stored) if stored.startswith(b"\x1f\x8b") else stored


def _true_page(name: str, row: Mapping[str, Any], path: Path) -> TruePage:
    author = row.get("author") or ()
    return TruePage(
        name=name,
        url=urljoin(NO_HOST, row["url"]),
        html=_read_body(path).decode("utf-8", "replace"),
        truth=Answer(
            text=row["text"],
            title=row.get("title"),
            authors=(author,) if isinstance(author, str) else tuple(author),
            published_on=row.get("date"),
        ),
        source=row.get("source_dataset", ""),
        fold=row.get("fold"),
    )
