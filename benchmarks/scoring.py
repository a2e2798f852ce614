"""Score extracted articles against labels. Pure; macro averages over pages, 0 to 1.

Shingles as in Zyte's article extraction benchmark: precision and recall are averaged over the pages, and F1 is computed from
the averages. A page without extracted text has no precision, and counts in recall only.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from statistics import fmean

SHINGLE_SIZE, LINE_SHINGLE_SIZE = 4, 3  # tokens
MAX_FOREIGN_OVERLAP = 0.2
"""A line is foreign if a smaller share of its shingles is in the true text."""

_CJK = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"  # written without spaces: a token per character
_TOKEN = re.compile(rf"[{_CJK}]|[^\W{_CJK}]+")
_UNSEEN = str.maketrans(dict.fromkeys("\u00ad\u200b\u200c\u200d\u2060\ufeff\ufffd"))
_BETWEEN_NAMES = re.compile(r"\s*(?:[;,|&]|\band\b|\bund\b)\s*")
_BEFORE_NAME = re.compile(r"(?:by|von|par|por)\s+")

MEANS = ("precision", "recall", "rouge_l", "exact", "leak", "title", "author", "date")
"""The figures of a score that are averaged directly over pages."""

Tokens = list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A page's article, labelled or extracted; `published_on` is YYYY-MM-DD.

    `quality` is the extractor's own confidence (0 to 1), or None.
    """

    text: str
    title: str | None = None
    authors: tuple[str, ...] = ()
    published_on: str | None = None
    quality: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """One page's figures, 0 to 1; None if there is nothing to compare."""

    precision: float | None
    recall: float | None
    rouge_l: float
    exact: float
    leak: float
    title: float | None
    author: float | None
    date: float | None

    @property
    def f1(self) -> float:
        return harmonic(self.precision or 0.0, self.recall or 0.0)


def score(true: Answer, found: Answer) -> Score:
    wanted, tokens = tokenise(true.text), tokenise(found.text)
    precision, recall = overlap(wanted, tokens)
    names, day = split_names(true.authors), parse_day(true.published_on)
    return Score(
        precision=precision,
        recall=recall,
        rouge_l=rouge_l(wanted, tokens),
        exact=float(wanted == tokens),
        leak=leak(wanted, found.text),
        title=float(fold(true.title) == fold(found.title)) if true.title else None,
        author=float(names == split_names(found.authors)) if names else None,
        date=float(day == parse_day(found.published_on)) if day else None,
    )


def summarise(scores: Sequence[Score]) -> Mapping[str, float]:
    """Return macro averages over pages, by figure."""
    means = {name: _mean(getattr(one, name) for one in scores) for name in MEANS}
    return {"f1": harmonic(means["precision"], means["recall"]), **means}


def harmonic(a: float, b: float) -> float:
    return 2 * a * b / (a + b) if a + b else 0.0


def tokenise(text: str) -> Tokens:
    return _TOKEN.findall(unicodedata.normalize("NFC", text.translate(_UNSEEN)))


def overlap(wanted: Tokens, found: Tokens) -> tuple[float | None, float | None]:
    """Return precision and recall over shingles, as multisets; None if the denominator is empty."""
    true, got = Counter(_shingles(wanted, SHINGLE_SIZE)), Counter(_shingles(found, SHINGLE_SIZE))
    if not true and not got:
        return 1.0, 1.0
    common = (true & got).total()
    return (common / got.total() if got else None), (common / true.total() if true else None)


def rouge_l(wanted: Tokens, found: Tokens) -> float:
    """Return ROUGE-L: the F1 of the longest common subsequence, ignoring case."""
    if not wanted and not found:
        return 1.0
    length = _common_length([one.lower() for one in wanted], [one.lower() for one in found])
    return 2 * length / (len(wanted) + len(found))


def leak(wanted: Tokens, text: str) -> float:
    """Return the share of a text's tokens in foreign lines."""
    true = set(_shingles(wanted, LINE_SHINGLE_SIZE))
    total = foreign = 0
    for line in text.split("\n"):
        tokens = tokenise(line)
        total += len(tokens)
        shingles = set(_shingles(tokens, LINE_SHINGLE_SIZE))
        if len(tokens) >= LINE_SHINGLE_SIZE and len(shingles & true) < MAX_FOREIGN_OVERLAP * len(shingles):
            foreign += len(tokens)
    return foreign / total if total else 0.0


def fold(text: str | None) -> str:
    """Casefold a text, and remove punctuation and repeated white space."""
    plain = unicodedata.normalize("NFKC", text or "").translate(_UNSEEN).casefold()
    return " ".join(re.sub(r"[^\w\s]", "", plain).split())


def split_names(authors: Iterable[str]) -> frozenset[str]:
    parts = (fold(part) for author in authors for part in _BETWEEN_NAMES.split(author))
    return frozenset(name for part in parts if (name := _BEFORE_NAME.sub("", part, count=1)))


def parse_day(text: str | None) -> date | None:
    try:
        return date.fromisoformat((text or "")[:10])
    except ValueError:
        return None


def _shingles(tokens: Tokens, size: int) -> list[tuple[str, ...]]:
    """Return the n-grams of tokens; a shorter text is one shingle."""
    if len(tokens) <= size:
        return [tuple(tokens)] if tokens else []
    return list(zip(*(tokens[start:] for start in range(size)), strict=False))


def _common_length(a: Tokens, b: Tokens) -> int:
    """Return the length of the longest common subsequence, with each table row as the bits of one integer.

    Crochemore, Iliopoulos, Pinzon and Reid (2001): each zero bit adds one to the length.
    """
    places: dict[str, int] = {}
    for at, token in enumerate(a):
        places[token] = places.get(token, 0) | 1 << at
    full = (1 << len(a)) - 1
    row = full
    for token in b:
        match = places.get(token, 0)
        row = ((row + (row & match)) | (row & ~match)) & full
    return len(a) - row.bit_count()


def _mean(values: Iterable[float | None]) -> float:
    known = [value for value in values if value is not None]
    return fmean(known) if known else 0.0
