"""The one title of a page, out of all that it calls itself. Pure."""

import re
from collections.abc import Iterable

from tasks.extract.tree import words_of

_SEPARATOR = re.compile(r"\s+[-–—|·•»:]{1,2}\s+|\s*\|\s*")
_MAX_LENGTH = 500
_LONG_WORD = 4  # letters; shorter ones are in every line


def choose_title(headings: Iterable[str], candidates: Iterable[str], site_names: Iterable[str]) -> str | None:
    """Return the heading that readers see, where the page calls itself so elsewhere too, else the first candidate.

    `candidates` come in the order of their trust. A heading that has neither half of its words nor two long ones in
    common with any of them is a site's name, a section or a slogan; titles for search engines differ as much.
    """
    sites = frozenset("".join(words_of(name)) for name in site_names)
    bare = [title for candidate in candidates if (title := without_site(candidate[:_MAX_LENGTH], sites))]
    headings = tuple(headings)
    known = [frozenset(words_of(candidate)) for candidate in bare]
    for heading in headings:
        words = frozenset(words_of(heading[:_MAX_LENGTH]))
        if words and any(_is_alike(words, others) for others in known):
            return without_site(heading[:_MAX_LENGTH], sites)
    return next((title[:_MAX_LENGTH] for title in (*bare, *headings)), None)


def _is_alike(words: frozenset[str], others: frozenset[str]) -> bool:
    shared = words & others
    return 2 * len(shared) >= len(words) or sum(len(word) >= _LONG_WORD for word in shared) >= 2


def without_site(title: str, sites: frozenset[str]) -> str:
    """Return a title without a site's name, given as its words in one piece, at its end: `… | World | Metro News`.

    What stands between the title and the site's name goes as well, if it is short: a section.
    """
    parts = list(_SEPARATOR.finditer(title))
    for index, part in enumerate(parts):
        tail = "".join(words_of(title[part.end() :]))
        last = "".join(words_of(title[parts[-1].end() :]))
        is_near_the_end = len(parts) - index <= 2 and part.start() >= len(title) / 2
        if part.start() and (_is_site(tail, sites) or (is_near_the_end and _is_site(last, sites))):
            return title[: part.start()].rstrip()
    return title


def _is_site(words: str, sites: frozenset[str]) -> bool:
    """Whether words are a site's name, or what its domain begins with: `talkandroid` of `talkandroid.com`."""
    return bool(words) and any(words == site or (len(words) > 3 and site.startswith(words)) for site in sites)
