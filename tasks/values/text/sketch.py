"""Compute the shape of a text: shingles, their sketch, numbers, vocabulary.

Pure. Shingles are runs of four tokens, hashed by XXH3; the sketch keeps the small hashes, so that texts with common
shingles have common sketch entries (Broder 1997, sampling by a threshold, with a floor and a cap).
"""

import re
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from itertools import pairwise

import xxhash

from tasks.values.text.latin import latin_bytes
from tasks.values.text.shape import Shape, pack_digests

ALGORITHM = 2
"""The algorithm number stored with every shape; a change of a rule below, or of the tokenizer, increments it."""

SHINGLE = 4
MIN_TOKENS = 60
"""A shorter text has no shape, since a few common words prove nothing."""

SAMPLED = 16
"""One in this many hashes is in the sketch: the smallest ones."""

_HIGHEST = 2**64 // SAMPLED

MIN_SKETCH, MAX_SKETCH = 8, 64

# scripts without spaces between words: Thai, Lao, Burmese, Khmer, kana, Han. Hangul has spaces
_UNSPACED = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
)
_HAS_UNSPACED = re.compile(f"[{_UNSPACED}]")
_PIECE = re.compile(f"[{_UNSPACED}]|[^{_UNSPACED}]+")
_DIGIT = re.compile(r"\d")
_GROUPING = re.compile(r"(?<=\d)[.,](?=\d{3}(?!\d))")


def split_unspaced(tokens: Sequence[str]) -> Sequence[str]:
    """Return the tokens, with those in scripts without spaces split into characters."""
    text = " ".join(tokens)
    if text.isascii() or latin_bytes(text) is not None or not _HAS_UNSPACED.search(text):
        return tokens
    return [piece for token in tokens for piece in _PIECE.findall(token)]


def make_shape(words: Sequence[str], names: Iterable[str] = ()) -> Shape | None:
    """Return the shape of a text by its words (digest.tokenise) and the names among them; None if it is too short."""
    tokens = split_unspaced(words)
    if len(tokens) < MIN_TOKENS:
        return None
    encoded = " ".join(tokens).encode("utf-8", "surrogatepass").split(b" ")
    runs = zip(*(encoded[start:] for start in range(SHINGLE)), strict=False)
    digests = sorted(set(map(xxhash.xxh3_64_digest, map(b" ".join, runs))))
    different = set(tokens)
    with_digits = {token for token in different if not token.isalpha() and _DIGIT.search(token)}
    figures = set(map(_plain_figure, with_digits))
    others = different - with_digits if tokens is words else _unspaced_vocabulary(tokens)
    return Shape(
        algorithm=ALGORITHM,
        words=len(tokens),
        sketch=_sketch(digests),
        packed_shingles=pack_digests(digests),
        packed_numbers=_pack_words(figures),
        packed_vocabulary=_pack_words(figures | others),
        packed_names=_pack_words(names),
    )


def _unspaced_vocabulary(tokens: Sequence[str]) -> set[str]:
    """Return the distinct words except figures; in scripts without spaces, the character bigrams."""
    is_alone = [_HAS_UNSPACED.match(token) is not None for token in tokens]
    spaced = {token for token, alone in zip(tokens, is_alone, strict=True) if not alone and not _DIGIT.search(token)}
    pairs = zip(pairwise(tokens), pairwise(is_alone), strict=True)
    return spaced | {one + other for (one, other), are_alone in pairs if all(are_alone)}


def _plain_figure(token: str) -> str:
    """Return a figure without thousands separators: `2,000` is `2000`."""
    return _GROUPING.sub("", token)


def _pack_words(words: Iterable[str]) -> bytes:
    joined = " ".join(words).encode("utf-8", "surrogatepass")  # words contain no white space
    return pack_digests(sorted(set(map(xxhash.xxh3_64_digest, joined.split(b" "))))) if joined else b""


def _sketch(digests: Sequence[bytes]) -> tuple[int, ...]:
    """Return the sample of sorted, distinct digests, as 63-bit integers, since databases have no unsigned ones."""
    hashes = [int.from_bytes(one) for one in digests[:MAX_SKETCH]]
    return tuple(value >> 1 for value in hashes[: max(bisect_right(hashes, _HIGHEST), MIN_SKETCH)])
