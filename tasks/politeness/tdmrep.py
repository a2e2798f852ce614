"""A site's /.well-known/tdmrep.json: whether text and data mining of its pages is reserved. Pure.

W3C TDM Reservation Protocol, 5.2 (CG Final Report, 2024-05-10): a list of rules, each with a path pattern as in
robots.txt; the first match counts. Unknown content has no effect. A value that is neither the number 0 nor the number 1
is a protocol error and leaves the page unset.
"""

import json
from dataclasses import dataclass
from typing import Any, Self

from tasks.politeness.robots import matched_path
from tasks.politeness.robots_rules import Rule, path_rule
from tasks.values.rights import RAW_LENGTH
from tasks.values.text.storable import storable_text

TDMREP_PATH = "/.well-known/tdmrep.json"

MAX_RULES = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Reservation:
    """One rule: a path pattern, whether rights are reserved there, the policy's URL, and the rule as written."""

    location: str
    rule: Rule
    is_reserved: bool
    policy_url: str | None
    raw: str


@dataclass(frozen=True, slots=True)
class Reservations:
    """The valid rules, in the file's order. `is_readable` is False if the file is not a list of rules."""

    rules: tuple[Reservation, ...] = ()
    is_readable: bool = True
    is_cut: bool = False

    @classmethod
    def none_said(cls) -> Self:
        """Return the value for a site without the file."""
        return cls()

    def rule_for(self, url: str) -> Reservation | None:
        """Return the first rule that matches a page, or None. Raises BadUrl."""
        path = matched_path(url)
        return next((reservation for reservation in self.rules if reservation.rule.matches(path)), None)

    def says(self, url: str) -> bool | None:
        """Return whether rights to the page are reserved, or None if no rule matches. Raises BadUrl."""
        found = self.rule_for(url)
        return found.is_reserved if found else None


def parse_tdmrep(body: bytes) -> Reservations:
    """Parse a tdmrep.json, at most its first thousand rules."""
    try:
        content = json.loads(body)
    except (ValueError, RecursionError):
        return Reservations(is_readable=False)
    if not isinstance(content, list):
        return Reservations(is_readable=False)
    rules = tuple(rule for entry in content[:MAX_RULES] if (rule := _rule(entry)) is not None)
    return Reservations(rules, is_cut=len(content) > MAX_RULES)


def _rule(entry: Any) -> Reservation | None:  # noqa: ANN401 - any JSON
    if not isinstance(entry, dict):
        return None
    location, value = entry.get("location"), entry.get("tdm-reservation")
    if (
        not isinstance(location, str) or type(value) is not int or value not in {0, 1}
    ):  # True is an int, and 1.0 equals 1
        return None
    location = storable_text(location)  # JSON may contain half a surrogate pair, which no path has
    policy = entry.get("tdm-policy")
    return Reservation(
        location=location,
        rule=path_rule(location if location.startswith(("/", "*")) else f"/{location}"),
        is_reserved=value == 1,
        policy_url=storable_text(policy)[:RAW_LENGTH] if isinstance(policy, str) else None,
        raw=storable_text(json.dumps(entry, ensure_ascii=False))[:RAW_LENGTH],
    )
