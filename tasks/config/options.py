"""What a source's catalogue entry may change in the reading of its pages, as a plain value for workers. Pure."""

from dataclasses import dataclass
from enum import StrEnum


class PruneRule(StrEnum):
    """The names of the rules that remove page furniture; tasks/extract/prune.py has the rules."""

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
    """Special rules for reading one source's pages; `keep`, `title`, `text` and `date` are XPath 1.0.

    Without `is_pruned` no furniture is removed, else all but that of the rules in `prune_without`. Elements of `keep`
    are never removed. The other three select a part; if one finds nothing, the usual search applies. `crawler_name` is the one
    by which directives call us.
    """

    is_pruned: bool = True
    prune_without: tuple[PruneRule, ...] = ()
    keep: tuple[str, ...] = ()
    title: str | None = None
    text: str | None = None
    date: str | None = None
    crawler_name: str = "presslake"


NO_OPTIONS = ExtractOptions()
