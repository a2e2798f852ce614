"""Whether the URL of an article leads to a front page instead: the article is gone, though the status is 200. Pure."""

import re

from tasks.errors import SkippedError
from tasks.values.url import Url
from tasks.web.exchange import Fetched

_LANGUAGE = re.compile(r"[a-z]{2}(?:[-_][a-z]{2})?", re.IGNORECASE)
_INDEX = re.compile(r"(?:index|home|default)(?:\.\w{2,5})?", re.IGNORECASE)
_STORY_PLACE = re.compile(r"\d{3}|(?:[^/-]+-){3}")  # a number, or a title, in the path or query


def check_is_not_home(fetched: Fetched) -> None:
    """Raise SkippedError where redirects led from what looks like an article to the front page or a section's."""
    if len(fetched.hops) > 1 and leads_home(fetched.hops[0].url, fetched.url):
        raise SkippedError(f"{fetched.hops[0].url} leads to {fetched.url}"[:500], reason="redirected_home")


def leads_home(asked: str, found: str) -> bool:
    """Whether a redirect is one to the root (of a language, too), or to a section in whose path the article lay.

    What is left out must look like a story's own place, and what is left like none: `/story-of-a-harbour/amp` may well
    lead to `/story-of-a-harbour`.
    """
    asked_place, found_place = Url.of(asked).parts, Url.of(found).parts
    before, after = _segments(asked_place.path), _segments(found_place.path)
    if not before or found_place.search:
        return False
    if not after or (len(after) == 1 and _LANGUAGE.fullmatch(after[0])):
        return before != after
    is_within = len(after) < len(before) and before[: len(after)] == after
    left_out = "/".join(before[len(after) :]) + (asked_place.search or "?")
    return is_within and bool(_STORY_PLACE.search(left_out)) and not _STORY_PLACE.search("/".join(after))


def _segments(path: str) -> list[str]:
    segments = [segment for segment in path.split("/") if segment]
    return segments[:-1] if segments and _INDEX.fullmatch(segments[-1]) else segments
