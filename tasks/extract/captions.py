"""Find captions: text about a picture rather than the story. Pure."""

import re
from collections.abc import Iterator
from itertools import islice, takewhile

from lxml.html import HtmlElement

from tasks.extract.outline import MAX_LINE_LENGTH, Outline, has_picture
from tasks.extract.tree import HEADINGS

_MAX_CAPTION_LENGTH, _MIN_PARAGRAPHS = 1000, 2
_MIN_DESCRIBED, _MIN_SENTENCE = 3, 60  # similar pictures with a sentence each; its characters
_PICTURE_TEXT = re.compile(
    r"(?:^|[ _-])(?:photo|image|img|picture|media|foto|bild)[ _-](?:alt|by|desc(?:ription)?|info|legend|source|text)\b"
    r"|(?:photo|image|picture|media|foto|bild)[_-]*(?:desc|info|legend)"
)
_CAPTIONS = ("caption", "credit")
# every class of a picture or its text contains one of these
_PICTURES = ("photo", "image", "img", "picture", "figure", "media", "foto", "bild")
_PICTURE = re.compile(r"(?:^|[ _-])(?:image|photo|picture|figure|img|foto|bild)(?:[ _-]|$)")


def find_captions(page: Outline) -> Iterator[HtmlElement]:
    for element in page.classes.holding(*_CAPTIONS, *_PICTURES):
        if page.weights[element].text > _MAX_CAPTION_LENGTH or element.tag in HEADINGS:
            continue
        kind = _kind_of(element.get("class") or element.get("itemprop") or "")
        if kind == "caption":
            if _is_beside_picture(element) and not _is_prose(element, page):
                yield element
        elif kind == "picture" and element.tag in ("div", "p") and _is_picture(element, page):
            yield from () if _tells_the_story(element, page) else (element,)


def _kind_of(named: str) -> str | None:
    """Return what a class means: `caption`, `picture` or neither."""
    named = named.lower()
    if any(map(named.__contains__, _CAPTIONS)):
        return "caption"
    if _PICTURE_TEXT.search(named):
        return "caption"
    return "picture" if _PICTURE.search(named) else None


def _is_prose(element: HtmlElement, page: Outline) -> bool:
    """Whether an element has several paragraphs; `image-text` is also a class of text next to a picture."""
    sentences = (one for one in element.iter("p") if page.weights[one].prose >= _MIN_SENTENCE)
    return sum(1 for _ in islice(sentences, _MIN_PARAGRAPHS)) == _MIN_PARAGRAPHS


def _tells_the_story(element: HtmlElement, page: Outline) -> bool:
    """Whether a picture is one of several similar ones, each with a sentence, which together tell the story.

    No paragraph may follow them.
    """
    above = element.getparent()
    row = (
        [one for one in above if one.tag == element.tag and one.get("class") == element.get("class")]
        if above is not None
        else []
    )
    unlinked = [one for one in row if not page.weights[one].linked]
    described = [one for one in unlinked if any(page.weights[part].prose >= _MIN_SENTENCE for part in one.iter("p"))]
    if len(described) < _MIN_DESCRIBED or len(described) < len(row):
        return False
    return not any(page.weights[one].prose >= _MIN_SENTENCE for one in row[-1].itersiblings())


def _is_beside_picture(element: HtmlElement) -> bool:
    above = takewhile(lambda one: one.tag not in ("body", "article", "main"), element.iterancestors())
    return has_picture(element) or any(has_picture(one) for one in islice(above, 2))


def _is_picture(element: HtmlElement, page: Outline) -> bool:
    """Whether an element is a picture with a line or two below it."""
    if page.weights[element].text > MAX_LINE_LENGTH or page.stories[element] or not has_picture(element):
        return False
    return sum(1 for _ in element.iter("p")) <= 3
