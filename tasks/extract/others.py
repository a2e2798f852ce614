"""Remove other articles below the page's own, as appended by endless scroll.

Pure, except that it modifies the given tree.
"""

from collections.abc import Iterable, Iterator, Sequence

from lxml.html import HtmlElement

from tasks.extract.lengths import size_of
from tasks.extract.outline import links_elsewhere
from tasks.extract.tree import first_class, raw_text_of, remove, text_of, words_in

_MIN_STORY, _MIN_PARAGRAPH = 120, 40  # characters of an article's longer paragraphs; of one of them
_ADDRESSES = ("data-url", "data-href", "data-permalink", "data-article-url", "data-canonical-url", "itemid", "data-uri")
_MAX_SIBLINGS, _MAX_PARAGRAPHS, _MAX_LEVELS = 200, 200, 60
_TITLES = ("h1", "h2")


def cut_other_articles(heading: HtmlElement | None, *, titles: Iterable[Sequence[str]]) -> int:
    """Remove the articles that follow the one under `heading`; returns their number of characters.

    Another article is a later sibling with the same class, with a heading that is none of the page's `titles`, and with
    something that only articles have: its tag is `article`, its heading or an attribute links to another page, or it
    has a date of its own.
    """
    if heading is None:
        return 0
    own = {tuple(title) for title in titles}
    found = list(_others(heading, own))
    count = sum(len(raw_text_of(one)) for one in found)
    remove(found)
    return count


def _others(heading: HtmlElement, own: set[tuple[str, ...]]) -> Iterator[HtmlElement]:
    inner = heading
    for _, above in zip(range(_MAX_LEVELS), heading.iterancestors(), strict=False):
        alike = [
            one
            for _, one in zip(range(_MAX_SIBLINGS), inner.itersiblings(), strict=False)
            if one.tag == inner.tag and first_class(one) == first_class(inner)
        ]
        if alike and _story_of(inner) >= _MIN_STORY:
            others = [one for one in alike if _is_other(one, heading, own)]
            if others:
                yield from others
                return
        if above.tag == "body":
            return
        inner = above


def _is_other(element: HtmlElement, heading: HtmlElement, own: set[tuple[str, ...]]) -> bool:
    its = next(element.iter(*_TITLES), None)
    if its is None or words_in(text_of(its)) in own or _story_of(element) < _MIN_STORY:
        return False
    if element.tag == "article" and its.tag == heading.tag:
        return True
    if links_elsewhere(its) or any(element.get(name) for name in _ADDRESSES):
        return True
    return its.tag == heading.tag and next(element.iter("time"), None) is not None


def _story_of(element: HtmlElement) -> int:
    paragraphs = zip(range(_MAX_PARAGRAPHS), element.iter("p"), strict=False)
    lengths = (size_of(text_of(one)) for _, one in paragraphs)
    return sum(length for length in lengths if length >= _MIN_PARAGRAPH)
