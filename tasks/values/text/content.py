"""The content digest: it changes with any correction a reader could see, but not with white space.

Pure. It consists of one digest per part, so that comparing two of them shows which parts have changed.
"""

import hashlib
import re
import unicodedata
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from itertools import product

from tasks.values.rows import Article
from tasks.values.text.storable import storable_text

ALGORITHM = 1
"""The algorithm number stored with every digest; a change of a rule below increments it."""

PARTS = ("title", "words", "figures", "authors", "date")
"""The parts that a correction may change, in the order of the digest. Signs and punctuation count as words."""

PREFIX = f"c{ALGORITHM}:"
_PART_LENGTH = 16
# invisible characters count as white space: soft hyphen, zero width space, word joiner, byte order mark
_UNSEEN = "\u00ad\u200b\u2060\ufeff"
_CURRENCIES = "$¢£¤¥֏؋৳฿៛﷼﹩＄￠￡￥￦" + "".join(map(chr, range(0x20A0, 0x20C1)))
_SIGNS = "-+−±–"
# a number with sign, currency and unit: -5°, $3.5, 12%, 10:30, 2/3
_FIGURE = re.compile(rf"\d+(?:[.,:/'’]\d+)*[%‰°{_CURRENCIES}]?")
_PLACE = "\0"  # placeholder of a figure; storable texts never contain it


def content_digest(*, title: str | None, text: str, authors: Sequence[str], published_at: datetime | None) -> str:
    """Return `c<algorithm>:` and a digest for each of PARTS, separated by dots."""
    return _joined(title, _text_digests(text), authors, published_at)


def possible_digests(row: Article) -> tuple[str, ...]:
    """Return the digests that a row may have: its title and date count only if the page itself gives them.

    The first digest assumes that both do.
    """
    titles, dates = dict.fromkeys((row.title, None)), dict.fromkeys((row.published_at, None))
    text = _text_digests(row.text)  # most of the work, shared by all of them
    return tuple(_joined(title, text, row.authors, published_at) for title, published_at in product(titles, dates))


def is_current(digest: str | None) -> bool:
    """Whether a digest exists and has the current algorithm."""
    return digest is not None and digest.startswith(PREFIX)


def changed_parts(before: str, after: str) -> tuple[str, ...]:
    """Return which of PARTS differ between two digests of the current algorithm."""
    pairs = zip(PARTS, _parts(before), _parts(after), strict=True)
    return tuple(name for name, one, other in pairs if one != other)


def _text_digests(text: str) -> tuple[str, str]:
    """Return the digests of a text's words and of its figures."""
    words, figures = _parted(_plain(text))
    return _digest(_PLACE.join(words)), _digest(_PLACE.join(figures))


def _joined(title: str | None, text: tuple[str, str], authors: Sequence[str], published_at: datetime | None) -> str:
    people, date = _PLACE.join(map(_plain, authors)), published_at.astimezone(UTC).isoformat() if published_at else ""
    return PREFIX + ".".join((_digest(_plain(title or "")), *text, _digest(people), _digest(date)))


def _parts(digest: str) -> Iterator[str]:
    yield from digest.removeprefix(PREFIX).split(".")


def _plain(text: str) -> str:
    plain = "".join(unicodedata.normalize("NFC", storable_text(text)).split())
    if not plain.isascii():
        for unseen in _UNSEEN:
            plain = plain.replace(unseen, "")
    return plain


def _parted(plain: str) -> tuple[list[str], list[str]]:
    """Return a text's parts between figures, and the figures, found by digits at a tenth of a regex's cost."""
    words, figures, end = [], [], 0
    for found in _FIGURE.finditer(plain):
        start = found.start()
        for before in (_CURRENCIES, _SIGNS):
            if start > end and plain[start - 1] in before:
                start -= 1
        words.append(plain[end:start])
        end = found.end()
        figures.append(plain[start:end])
    return [*words, plain[end:]], figures


def _digest(part: str) -> str:
    return hashlib.sha256(part.encode()).hexdigest()[:_PART_LENGTH]
