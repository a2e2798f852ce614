"""The outline of a page for the pruning rules: elements in order, with the amount of text and linked text.

Pure, linear.
"""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import urldefrag, urljoin, urlsplit, urlunsplit

from lxml.html import HtmlElement

from tasks.errors import BadUrl
from tasks.extract.element_names import ElementNames
from tasks.extract.tree import HEADINGS, Weight, text_of, weigh, words_in, words_of
from tasks.values.url import is_same_site

MAX_LABEL_LENGTH, MAX_LINE_LENGTH = 80, 300
INLINE = frozenset(("a", "span", "strong", "b", "em", "i", "small", "button", "label", "u", "font", "time"))
BLOCKS = frozenset(
    ("div", "section", "article", "ul", "ol", "li", "p", "table", "main", "header", "blockquote", "dl", "dd", *HEADINGS)
)
_SENTENCES = frozenset(("p", "li", "blockquote", *INLINE))

Words = tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outline:
    """The facts about a page that the rules need.

    `stories` counts the headings under each element that link to another page. `labels` are separate
    short texts, each with the outermost element that contains nothing else; `lines` are the single-line blocks, with
    their text. `classes` (or item properties) and `ids` are those of elements with text, `title` is the page's main
    heading, `ledes` are the words of the page's descriptions.
    """

    body: HtmlElement
    elements: list[HtmlElement]
    weights: dict[HtmlElement, Weight]
    classes: ElementNames
    ids: ElementNames
    stories: Counter[HtmlElement]
    labels: list[tuple[HtmlElement, str]]
    lines: list[tuple[HtmlElement, str]]
    title: HtmlElement | None
    ledes: frozenset[Words]
    is_news: bool

    @property
    def prose(self) -> int:
        """Characters on the page outside of links."""
        return self.weights[self.body].prose


def outline_page(body: HtmlElement, *, title: str | None, ledes: Iterable[str], is_news: bool) -> Outline:
    """Return the outline of a body element."""
    elements = list(body.iter())
    parents = [element.getparent() for element in elements]
    weights = weigh(elements, parents)
    heading = find_title(body, words_of(title or ""))
    labels = [one for one in _find_labels(elements, parents, weights) if one is not heading]
    lines = [one for one in _find_lines(body, weights) if one is not heading]
    shown = [one for one, weight in weights.items() if weight.text]
    texts = {one: text_of(one) for one in {*labels, *lines}}
    return Outline(
        body=body,
        elements=elements,
        weights=weights,
        classes=ElementNames(shown, "class", instead="itemprop"),
        ids=ElementNames(shown, "id"),
        stories=_count_stories(elements, parents),
        labels=[(one, texts[one]) for one in labels],
        lines=[(one, texts[one]) for one in lines],
        title=heading,
        ledes=frozenset(words_of(lede) for lede in ledes),
        is_news=is_news,
    )


def has_picture(element: HtmlElement) -> bool:
    """Whether an element is or contains a picture."""
    return next(element.iter("img", "picture", "video", "figure", "amp-img"), None) is not None


def find_title(body: HtmlElement, words: Words) -> HtmlElement | None:
    """Return the heading with these words, else the first main heading."""
    headings = list(body.iter("h1"))
    return next((one for one in headings if words_in(text_of(one)) == words), headings[0] if headings else None)


def _count_stories(elements: list[HtmlElement], parents: list[HtmlElement]) -> Counter[HtmlElement]:
    counts = Counter[HtmlElement]()
    for heading in elements[0].iter(*HEADINGS):
        if links_elsewhere(heading):
            counts[heading] = 1
    if counts:
        for element, above in zip(reversed(elements), reversed(parents), strict=True):
            if count := counts.get(element):  # faster than a default of 0
                counts[above] += count
        del counts[parents[0]]  # the parent of the root is not part of the page
    return counts


def links_elsewhere(heading: HtmlElement) -> bool:
    """Whether a heading links to another page."""
    return _target(link_of(heading), heading) is not None


def link_of(heading: HtmlElement) -> str | None:
    """Return the URL that a heading links to, by a link inside or around it."""
    link = next(heading.iter("a"), None)
    if link is None:
        link = next(heading.iterancestors("a"), None)
    return link.get("href") if link is not None else None


def _target(href: str | None, near: HtmlElement) -> str | None:
    """Return a link's absolute URL if it is another page than the element's; else None."""
    href = (href or "").strip()
    if not href or href.startswith(("#", "javascript:", "mailto:", "tel:")):
        return None
    here, root = _without_fragment(near.base_url or "")
    path = href.removeprefix(root)
    try:
        if path[:1] == "/" != path[1:2] and "/." not in path and (path == href or not _CHANGED.search(path)):
            target = root + path.partition("#")[0]
        elif _WHOLE.match(href) and href.isascii() and not _CHANGED.search(href):
            target = href.partition("#")[0]
        else:
            target = _without_end(urljoin(here, href))
    except ValueError:  # an invalid address in brackets
        return None
    return target if target != here else None


# parts that urljoin would rewrite in an absolute URL
_CHANGED = re.compile(r"[;\t\r\n]|\?(?:#|$)")
_WHOLE = re.compile(r"https?://[^/?#\[\]]+(?:[/?#]|$)")


@lru_cache(maxsize=1)  # needed for each link of a page
def _without_fragment(url: str) -> tuple[str, str]:
    """Return a URL without its fragment, and the part before its path."""
    here = _without_end(url)
    return here, urlunsplit((*urlsplit(here)[:2], "", "", ""))


def _without_end(url: str) -> str:
    """Return a URL without its fragment and without a bare `?`, which Python 3.14 keeps."""
    return urldefrag(url).url.removesuffix("?")


def is_on_site(href: str | None, near: HtmlElement) -> bool:
    """Whether a URL is another page on the site of the element's page."""
    target = _target(href, near)
    if target is None:
        return False
    if (root := _without_fragment(near.base_url or "")[1]) and target.startswith(f"{root}/"):
        return True
    try:
        return _is_same_host(urlsplit(target).hostname or "", urlsplit(near.base_url).hostname or "")
    except ValueError:
        return False


@lru_cache(maxsize=4096)
def _is_same_host(a: str, b: str) -> bool:
    if a == b or not a or not b:
        return True
    try:
        return is_same_site(f"https://{a}/", f"https://{b}/")
    except BadUrl:
        return False


def _find_labels(
    elements: list[HtmlElement], parents: list[HtmlElement], weights: dict[HtmlElement, Weight]
) -> list[HtmlElement]:
    labels = []
    # cached per parent: a parent with thousands of children would make it quadratic
    apart: dict[HtmlElement, bool] = {}
    for element, above, weight in zip(elements, parents, weights.values(), strict=True):
        size = weight.text
        if not 0 < size <= MAX_LABEL_LENGTH or above not in weights or weights[above].text == size:
            continue
        if element.tag in INLINE:
            if above not in apart:
                apart[above] = _stands_alone(above, weights)
            if not apart[above]:
                continue
        labels.append(element)
    return labels


def _stands_alone(above: HtmlElement, weights: dict[HtmlElement, Weight]) -> bool:
    """Whether an element contains no sentence: no text of its own, and only labels below it."""
    if weights[above].text > MAX_LABEL_LENGTH and above.tag in _SENTENCES:
        return False
    return not (above.text or "").strip() and not any((one.tail or "").strip() for one in above)


def _find_lines(body: HtmlElement, weights: dict[HtmlElement, Weight]) -> list[HtmlElement]:
    blocks = list(body.iter(*BLOCKS))
    holders: set[HtmlElement] = set()
    for one in blocks:
        above = one.getparent()
        while above is not None and above not in holders:  # stop at known ancestors
            holders.add(above)
            above = above.getparent()
    return [one for one in blocks if 0 < weights[one].text <= MAX_LINE_LENGTH and one not in holders]
