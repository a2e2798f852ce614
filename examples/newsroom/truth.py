"""The expected result of a sweep of the press. Pure."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from examples.newsroom.pages import amp_path
from examples.newsroom.press import Outlet


@dataclass(frozen=True, slots=True, kw_only=True)
class Truth:
    """Story texts by page URL, AMP twins by page URL, and other announced URLs by kind.

    `edited_copies` are texts that differ slightly from another; `steady_pages` have the same bytes in both editions.
    """

    texts: Mapping[str, str]
    twins: Mapping[str, str]
    edited_copies: int
    steady_pages: int
    beside: Mapping[str, int]

    @classmethod
    def of(cls, outlets: Mapping[str, Outlet]) -> Self:
        """Return the truth of the outlets, given by base URL."""
        printed = [(base_url, outlet.id, story) for base_url, outlet in outlets.items() for story in outlet.stories]
        twins = {url + story.path: url + amp_path(story) for url, _, story in printed if "amp" in story.quirks}
        return cls(
            texts={url + story.path: story.text for url, _, story in printed},
            twins=twins,
            edited_copies=sum(story.is_edited_copy for _, _, story in printed),
            steady_pages=sum(outlet_id == "talblick" for _, outlet_id, _ in printed) + len(twins),
            beside=Counter(one.kind for outlet in outlets.values() for one in outlet.beside),
        )

    @property
    def distinct(self) -> int:
        """The number of different texts; verbatim copies count once."""
        return len(set(self.texts.values()))

    @property
    def copies(self) -> int:
        """The number of verbatim copies."""
        return len(self.texts) - self.distinct

    @property
    def shared(self) -> int:
        """The number of stories that several outlets publish. Every edited copy belongs to a story that is also copied verbatim."""
        return sum(number > 1 for number in Counter(self.texts.values()).values())

    @property
    def pages(self) -> int:
        """The number of pages with a story."""
        return len(self.texts) + len(self.twins)

    @property
    def announced(self) -> int:
        """The number of announced URLs."""
        return self.pages + sum(self.beside.values())
