"""Changes of the press between two phases of a chaos run: corrections, copies, near copies, new stories, teasers."""

from collections.abc import Iterator
from dataclasses import dataclass

from tests.press import Press, Story


@dataclass(frozen=True)
class Copy(Story):
    """A copy of another site's story at its own URL; a `tail` makes it a near copy."""

    origin: Story | None = None
    tail: str = ""

    @property
    def paragraphs(self) -> tuple[str, ...]:
        *first, last = self.origin.paragraphs
        return (*first, f"{last} {self.tail}".strip())


def lines(press: Press) -> str:
    """Return the announcements, one line with URL and source each."""
    return "\n".join(
        f"{press.url(site, path)} site-{site}" for site, stories in press.stories.items() for path in stories
    )


def pass_time(press: Press, *, share: float = 0.1) -> set[str]:
    """Change the press; return the URLs of known stories to refetch.

    Of each site's stories, a share is corrected, an equal share is copied by the next site, an equal share nearly copied, and as
    many are added. Corrected stories are not copied, so that the order of fetching does not matter.
    """
    press.tick += 1
    known = {site: list(stories.values()) for site, stories in press.stories.items()}
    asked: set[str] = set()
    for site, stories in known.items():
        several = max(1, round(len(stories) * share))
        corrected, copied, nearly, same = (
            stories[place * several : (place + 1) * several] for place in range(4)
        )  # fmt: skip
        for story in corrected:
            press.stories[site][story.path] = Story(story.site, story.number, story.version + 1)
        for story in _added(press, (site + 1) % len(known), copied, nearly, several):
            press.stories[story.site][story.path] = story
        asked |= {press.url(site, story.path) for story in (*corrected, *same)}
    return asked


def _added(press: Press, site: int, copied: list[Story], nearly: list[Story], several: int) -> Iterator[Story]:
    number = 28_000 + press.tick * 2_800
    for place, story in enumerate(copied):
        # number modulo 28 is the day of publication: a copy is dated a day later
        yield Copy(site, number + 28 * place + (story.number + 1) % 28, origin=story)
    for place, story in enumerate(nearly):
        day = (story.number + 1) % 28
        yield Copy(site, number + 2800 + 28 * place + day, origin=story, tail="Our reporters were there too.")
    for place in range(several):
        yield Story(site, number + 14_000 + place)
