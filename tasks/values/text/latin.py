"""Text in Latin letters as one byte per character, whose words are found by tables: a third of what a pattern costs.

Pure.
"""

import re
from bisect import bisect_left

_MARKS = "“”‘’‚„‹›–—…•€™"  # beyond ISO 8859-1; they part words
_COUNTED = bytes(120 if chr(one).isalnum() else 32 for one in range(256))  # an x for all that a word is made of
_WORDY = bytes(one if chr(one).isalnum() or chr(one) == "_" else 32 for one in range(256))
_NO_LETTERS = "0123456789_"  # with which no word begins
_JOINING = ".,:/"  # within a token
_TOKENS = bytes(
    ord(chr(one).lower()) if chr(one).isalnum() else one if chr(one) in _JOINING else 32 for one in range(256)
)
_TOKEN = re.compile(rf"[^ {_JOINING}]+(?>[{_JOINING}][^ {_JOINING}]+)*+")
_SHARP_S = "ß".encode("latin-1")
_UNUSUAL = "\u00ad\u00b5".encode(
    "latin-1"
)  # a format character, and what no text in NFKC has: its small letter is Greek


def latin_bytes(text: str) -> bytes | None:
    """Return a text in ISO 8859-1, with spaces for the usual marks that it lacks; None if it lacks another character."""
    for mark in _MARKS:
        text = text.replace(mark, " ")
    try:
        return text.encode("latin-1")
    except UnicodeEncodeError:
        return None


def count_runs(latin: bytes) -> int:
    """Return the number of runs of letters and figures."""
    return (b" " + latin.translate(_COUNTED)).count(b" x")


def latin_tokens(latin: bytes) -> list[str] | None:
    """Return the tokens of a text in NFKC as tasks.values.text.digest.TOKEN finds them, casefolded; None if it must be asked."""
    if any(one in latin for one in _UNUSUAL):
        return None
    return _TOKEN.findall(latin.replace(_SHARP_S, b"ss").translate(_TOKENS).decode("latin-1"))


def words_by_case(latin: bytes) -> tuple[list[str], list[str]]:
    """Return the runs of letters, figures and underscores, from their first letter on: those with a capital, and the others."""
    runs = sorted(set(latin.translate(_WORDY).decode("latin-1").split()))
    a, underscore, small_a, accented_a, sharp_s = (
        bisect_left(runs, first) for first in "A_aÀß"
    )  # as the charset has them
    capital, small = runs[a:underscore] + runs[accented_a:sharp_s], runs[small_a:accented_a] + runs[sharp_s:]
    for run in runs[:a] + runs[underscore:small_a]:
        if word := run.lstrip(_NO_LETTERS):
            (capital if word[0].isupper() else small).append(word)
    return capital, small
