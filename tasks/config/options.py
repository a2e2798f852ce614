"""A source's own extraction options, as a plain value for workers. Pure."""

from dataclasses import dataclass
from enum import StrEnum


class PruneRule(StrEnum):
    """The names of the rules that remove page furniture (boilerplate); tasks/extract/prune.py has the rules."""

    COMMENTS = "comments"
    SIGN_UPS = "sign_ups"
    CARDS = "cards"
    PICTURE_CARDS = "picture_cards"
    STOP_SECTIONS = "stop_sections"
    DEKS = "deks"
    CAPTIONS = "captions"
    CREDITS = "credits"
    READ_MORE_LINES = "read_more_lines"
    LINK_LISTS = "link_lists"
    NOTES = "notes"
    FILLERS = "fillers"


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtractOptions:
    """Special rules for extracting one source's pages; `keep`, `title`, `text` and `date` are XPath 1.0.

    Without `is_pruned` no furniture is removed; with it, every rule applies except those in `prune_without`. Elements
    that match `keep` are never removed. The other three select a part of the article; if one matches nothing, the usual
    search applies. `crawler_name` is the name by which directives address us.
    """

    is_pruned: bool = True
    prune_without: tuple[PruneRule, ...] = ()
    keep: tuple[str, ...] = ()
    title: str | None = None
    text: str | None = None
    date: str | None = None
    crawler_name: str = "presslake"


NO_OPTIONS = ExtractOptions()
