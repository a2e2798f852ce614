"""Choose the title of a page among its headings and declared titles. Pure."""

import re
from collections.abc import Iterable, Sequence

from tasks.extract.tree import words_of

_SEPARATOR = re.compile(r"\s+[-–—|·•»:]{1,2}\s+|\s*\|\s*")
_BAR = re.compile(r"\s*\|\s*")
_LABEL = re.compile(r"\S+\s*[:：|–—/-]\s*")  # one word and a separator: `Blog: …`
_MAX_LENGTH = 500
_LONG_WORD = 4  # letters; shorter words are in every line
_MIN_TITLE, _MAX_KICKER, _MAX_SECTION = (
    2,
    6,
    4,
)  # words: of a title inside a heading; around it; of a section

_MIN_UNSPACED = 6  # characters of a title in a script without spaces

Words = tuple[str, ...]


def choose_title(
    headings: Iterable[str],
    candidates: Iterable[str],
    site_names: Iterable[str],
    *,
    others: Iterable[str] = (),
    sections: Iterable[str] = (),
) -> str | None:
    """Return the visible heading, if a declared title confirms it, else the first candidate.

    `candidates` are declared titles, the most reliable first. A heading equal to one of them comes first, then one of
    the `others`, which are lesser headings; if a heading has more words at its beginning or end, the candidate is
    returned. A heading that shares neither half of its words nor two long ones with any of them, or a single word among
    many, is a site's name, a section or a slogan; titles for search engines differ as much.
    """
    names = tuple(site_names)
    sites = frozenset("".join(words_of(name)) for name in names)
    named = frozenset("".join(words_of(name)) for name in sections) - {""}
    bare = [title for one in candidates if (title := _without_section(without_site(one[:_MAX_LENGTH], sites), named))]
    shown = [title for one in headings if (title := _without_section(without_site(one[:_MAX_LENGTH], sites), named))]
    known = [words_of(candidate) for candidate in bare]
    wholes = [heading for heading in shown if not _is_site("".join(words_of(heading)), sites)]
    return (
        _exact(wholes, known)
        or _within(wholes, bare)
        or _part_of(others, known, [*shown, *names])
        or _alike(wholes, known)
        or next((title[:_MAX_LENGTH] for title in (*bare, *shown)), None)
    )


def _exact(headings: Sequence[str], known: Sequence[Words]) -> str | None:
    return next((heading for heading in headings if words_of(heading) in known), None)


def _within(headings: Sequence[str], candidates: Sequence[str]) -> str | None:
    """Return the candidate that a heading ends with, after a kicker, a label or a date."""
    for heading in headings:
        words = words_of(heading)
        for candidate in candidates:
            size = len(inner := words_of(candidate))
            if not _is_title(inner) or not 0 < len(words) - size <= _MAX_KICKER or words[-size:] != inner:
                continue
            if len(words) - size > 1 or _LABEL.match(heading):
                return candidate
    return None


def _part_of(others: Iterable[str], known: Sequence[Words], headings: Sequence[str]) -> str | None:
    """Return the lesser heading that, alone or with a main one, is a candidate: `Copper Kettle: Notes on a ferry`."""
    mains = [words_of(heading) for heading in headings]
    for other in others:
        words = words_of(other[:_MAX_LENGTH])
        if not _is_title(words):
            continue
        if words in known or any((*main, *words) in known or (*words, *main) in known for main in mains):
            return other[:_MAX_LENGTH]
    return None


def _is_title(words: Words) -> bool:
    """Whether words suffice for a title: several, or a longer one in a script without spaces."""
    return len(words) >= _MIN_TITLE or (len(words) == 1 and len(words[0]) >= _MIN_UNSPACED and words[0][0] > "\u2e80")


def _alike(headings: Sequence[str], known: Sequence[Words]) -> str | None:
    return next((one for one in headings if any(_is_alike(words_of(one), candidate) for candidate in known)), None)


def _is_alike(words: Words, others: Words) -> bool:
    own, other = frozenset(words), frozenset(others)
    shared = own & other
    is_half = 2 * len(shared) >= len(own) and (len(shared) > 1 or 2 * len(shared) >= len(other))
    return bool(own) and (is_half or sum(len(word) >= _LONG_WORD for word in shared) >= 2)


def without_site(title: str, sites: frozenset[str]) -> str:
    """Return a title without a site's name (given as concatenated words) at its end: `… | World | Metro News`.

    A short part between title and site's name, a section, is removed too.
    """
    parts = list(_SEPARATOR.finditer(title))
    for index, part in enumerate(parts):
        tail = "".join(words_of(title[part.end() :]))
        last = "".join(words_of(title[parts[-1].end() :]))
        is_near_the_end = len(parts) - index <= 2 and part.start() >= len(title) / 2
        if part.start() and (_is_site(tail, sites) or (is_near_the_end and _is_site(last, sites))):
            return title[: part.start()].rstrip()
    return title


def _without_section(title: str, sections: frozenset[str]) -> str:
    """Return a title without the page's section after or before it, or a shorter part after a bar: `… | Opinion`."""
    parts = list(_SEPARATOR.finditer(title))
    if parts and "".join(words_of(title[parts[-1].end() :])) in sections:
        return title[: parts[-1].start()].rstrip()
    if parts and "".join(words_of(title[: parts[0].start()])) in sections:
        return title[parts[0].end() :].lstrip()
    bars = list(_BAR.finditer(title))
    if bars:
        head, tail = words_of(title[: bars[0].start()]), words_of(title[bars[0].end() :])
        if len(head) > len(tail) and len(tail) <= _MAX_SECTION:
            return title[: bars[0].start()].rstrip()
    return title


def _is_site(words: str, sites: frozenset[str]) -> bool:
    """Whether words are a site's name, or the beginning of its domain: `talkandroid` of `talkandroid.com`."""
    return bool(words) and any(words == site or (len(words) > 3 and site.startswith(words)) for site in sites)
