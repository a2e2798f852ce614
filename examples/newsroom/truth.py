"""What a sweep of the press should find. Pure."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from examples.newsroom.pages import amp_path
from examples.newsroom.press import Outlet


@dataclass(frozen=True, slots=True, kw_only=True)
class Truth:
    """Every story's text by its page's URL, the page's AMP twin where it has one, and what is announced beside, by kind.

    `edited_copies` are texts that differ a little from another; `steady_pages` say the same bytes in both editions.
    """

    texts: Mapping[str, str]
    twins: Mapping[str, str]
    edited_copies: int
    steady_pages: int
    beside: Mapping[str, int]

    @classmethod
    def of(cls, outlets: Mapping[str, Outlet]) -> Self:
        """Return the truth of outlets, given by where they are."""
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
        """How many different texts there are: the copies that outlets took over word for word count once."""
        return len(set(self.texts.values()))

    @property
    def copies(self) -> int:
        """How many stories print a text that another one has, word for word."""
        return len(self.texts) - self.distinct

    @property
    def shared(self) -> int:
        """How many stories several outlets print. An edited copy is of one of those that are copied word for word too."""
        return sum(number > 1 for number in Counter(self.texts.values()).values())

    @property
    def pages(self) -> int:
        """How many pages there are with a story on them."""
        return len(self.texts) + len(self.twins)

    @property
    def announced(self) -> int:
        """How many URLs are announced."""
        return self.pages + sum(self.beside.values())
