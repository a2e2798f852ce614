"""What a source's catalogue entry may change in the reading of its pages, as the plain value that workers are given. Pure."""

from dataclasses import dataclass
from enum import StrEnum


class PruneRule(StrEnum):
    """The rules by which page furniture is taken out of a page; tasks/extract/prune.py has them."""

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
    FILLERS = "fillers"


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtractOptions:
    """What is special in reading one source's pages; `keep`, `title`, `text` and `date` are XPath 1.0.

    Without `is_pruned` no furniture is taken out at all, else all but that of the rules in `prune_without`. What `keep`
    finds is never taken out. The other three say where something stands; where they find nothing, it is looked for.
    """

    is_pruned: bool = True
    prune_without: tuple[PruneRule, ...] = ()
    keep: tuple[str, ...] = ()
    title: str | None = None
    text: str | None = None
    date: str | None = None


NO_OPTIONS = ExtractOptions()
