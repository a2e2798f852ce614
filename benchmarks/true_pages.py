"""Read labelled pages: the newsroom's sets if present, else our own fixtures."""

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
"""The base URL of pages whose label gives only a path."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TruePage:
    """A page as decoded text, with its labelled article; `fold` is None if its set has no folds."""

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
        except BadUrl:  # some labels have no host
            return self.name


def read_pages(folder: Path, *, folds: Collection[int] | None = None) -> list[TruePage]:
    """Return the labelled pages of a folder, which holds a `truth.jsonl`, or pairs of `NAME.html` and `NAME.json`.

    Only pages of the given `folds`; all pages without them.
    """
    if (folder / "truth.jsonl").exists():
        wanted = [row for row in _read_truth(folder) if folds is None or row.get("fold") in folds]
        return [_true_page(row["id"], row, folder / row["html_path"]) for row in wanted]
    pages = ((path, json.loads(path.read_text(encoding="utf-8"))) for path in sorted(folder.glob("*.json")))
    return [_true_page(path.stem, row, path.with_suffix(".html")) for path, row in pages if row.get("text")]


def read_raw_pages(folder: Path) -> list[tuple[str, bytes, str]]:
    """Return (URL, page bytes, story text) for each page in a folder's `truth.jsonl`."""
    return [(row["url"], _read_body(folder / row["html_path"]), row["text"]) for row in _read_truth(folder)]


def _read_truth(folder: Path) -> list[dict[str, Any]]:
    # split at \n only: texts may contain U+2028, at which splitlines also splits
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
