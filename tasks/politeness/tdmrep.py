"""A site's /.well-known/tdmrep.json: whether text and data mining of its pages is reserved. Pure.

W3C TDM Reservation Protocol, 5.2: a list of rules, each with a pattern of paths as in robots.txt; the first that
matches counts. Unknown content has no effect.
"""

import json
from dataclasses import dataclass
from typing import Self

from tasks.politeness.robots import matched_path
from tasks.politeness.robots_rules import Rule, path_rule
from tasks.values.text.storable import storable_text

TDMREP_PATH = "/.well-known/tdmrep.json"

MAX_RULES = 1000


@dataclass(frozen=True, slots=True)
class Reservations:
    """Patterns of paths and whether rights are reserved there, in the file's order."""

    rules: tuple[tuple[Rule, bool], ...] = ()

    @classmethod
    def none_said(cls) -> Self:
        """Return the value for a site without the file."""
        return cls()

    def says(self, url: str) -> bool | None:
        """Return whether rights to the page are reserved, None where no rule matches it; raises BadUrl."""
        path = matched_path(url)
        return next((is_reserved for rule, is_reserved in self.rules if rule.matches(path)), None)


def parse_tdmrep(body: bytes) -> Reservations:
    """Read a tdmrep.json, at most its first thousand rules; one rule may stand without a list around it."""
    try:
        content = json.loads(body)
    except (ValueError, RecursionError):
        return Reservations.none_said()
    listed = content if isinstance(content, list) else [content]
    return Reservations(tuple(rule for one in listed[:MAX_RULES] if (rule := _rule(one)) is not None))


def _rule(one: object) -> tuple[Rule, bool] | None:
    if not isinstance(one, dict):
        return None
    location, said = one.get("location"), {"0": False, "1": True}.get(str(one.get("tdm-reservation")))
    if not isinstance(location, str) or said is None:
        return None
    location = storable_text(location)  # JSON may have half a surrogate pair, which no path has
    return path_rule(location if location.startswith(("/", "*")) else f"/{location}"), said
