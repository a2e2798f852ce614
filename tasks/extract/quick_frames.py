"""Find the frame of a story as trafilatura's fast mode does: the first match of one of its XPath expressions.

Pure. Elements are filtered by words that must be in their attributes before an expression can match; the library's own
expression decides on the few others, and its result for the same names is cached.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

from lxml.etree import Element, SubElement, XPath
from lxml.html import HtmlElement
from trafilatura import settings, xpaths

from tasks.extract.tree import cached_by_name, raw_text_of

_BOXES = ("article", "main", "div", "section", "aside")
_PATTERN = re.compile(r"[\^$.*+?\[\](){}|\\]")
_NEVER = "(?!)"
_REMOVED = frozenset(settings.MANUALLY_CLEANED)
_MAX_REMEMBERED = 500  # characters of an element's names that are cached
_MAX_FRAMES = 50  # frames that are tried
ASKED = frozenset(
    ("class", "id", "role", "itemprop", "style", "aria-hidden", "data-component", "data-lp-replacement-content")
)
"""The attributes that the library's expressions use."""


class Words:
    """Whether one of several tokens, plain or regexes, occurs in a text; results are cached."""

    def __init__(self, *tokens: str) -> None:
        plain = tuple(token for token in tokens if not _PATTERN.search(token))
        patterns = [token for token in tokens if _PATTERN.search(token)]
        # one regex for each of the two: the first rules out positions by their first letter
        token_in, pattern_in = (re.compile(one or _NEVER).search for one in (_one_of(plain), "|".join(patterns)))

        @cached_by_name
        def occur(text: str) -> bool:
            return token_in(text) is not None or pattern_in(text) is not None

        self.occur_in = occur


def _one_of(tokens: Iterable[str]) -> str:
    """Return a regex (trie) of plain tokens, with common prefixes merged: a quarter of the cost of each alone."""
    rest: dict[str, list[str]] = {}
    for token in sorted(tokens):
        rest.setdefault(token[:1], []).append(token[1:])
    if "" in rest:  # a token ends here, so longer ones need not be tried
        return ""
    branches = [re.escape(first) + _one_of(tails) for first, tails in rest.items()]
    return branches[0] if len(branches) == 1 else f"(?:{'|'.join(branches)})" if branches else ""


_NONE = Words()
_SCROLL = ("mvp-post", "infinite", "elementor-share")
_COMMENT_WORDS = Words("omment", "comol", "disqus", "dsq")


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """What an element needs to be a frame of one kind: a tag, or a word in its class or id, or one of several."""

    expression: XPath
    tag: str | None = None
    in_class: Words = _NONE
    in_name: Words = _NONE
    classes: frozenset[str] = frozenset()
    marked: tuple[str, str] | None = None


KINDS = (
    Kind(
        expression=xpaths.BODY_XPATH[0],
        in_class=Words(*xpaths._ARTICLE_CONTENT_CLASS_TOKENS),
        in_name=Words(*xpaths._ARTICLE_CONTENT_ID_TOKENS, "articleContent"),
        classes=frozenset(("post", "entry")),
        marked=("itemprop", "articleBody"),
    ),
    Kind(expression=xpaths.BODY_XPATH[1], tag="article"),
    Kind(
        expression=xpaths.BODY_XPATH[2],
        in_class=Words(*xpaths._STORY_CLASS_TOKENS, "(?i:fulltext)"),
        in_name=Words(*xpaths._STORY_ID_TOKENS, "article", "story"),
        classes=frozenset(("postarea", "art-postcontent", "text", "cell", "story")),
        marked=("role", "article"),
    ),
    Kind(
        expression=xpaths.BODY_XPATH[3],
        in_class=Words(*xpaths._MAIN_CONTENT_CLASS_TOKENS, "ain-content", "age-content"),
        in_name=Words(*xpaths._MAIN_CONTENT_ID_TOKENS, "ain-content", "^content$"),
        classes=frozenset(("content",)),
    ),
    Kind(
        expression=xpaths.BODY_XPATH[4],
        tag="main",
        in_class=Words("^main"),
        in_name=Words("^main"),
        marked=("role", "main"),
    ),
)


def _is_likely(one: HtmlElement, names: str | None, name: str | None, kind: Kind) -> bool:
    """Whether an element may be a frame by its tag, class and id."""
    if one.tag == kind.tag:
        return True
    return bool(
        (names and (names in kind.classes or kind.in_class.occur_in(names)))
        or (name and kind.in_name.occur_in(name))
        or (kind.marked and one.get(kind.marked[0]) == kind.marked[1])
    )


class Page:
    """A page to search for frames, and the parts that the library removes beforehand."""

    def __init__(self, tree: HtmlElement) -> None:
        self.tree = tree
        self._boxes: Sequence[tuple[HtmlElement, str | None, str | None]] = [
            (one, one.get("class"), one.get("id")) for one in tree.iter(*_BOXES)
        ]
        self._forms: dict[HtmlElement, bool] = {}

    @property
    def has_scroll(self) -> bool:
        """Whether the page may contain further articles (endless scroll), which the library weighs by their content."""
        names = " ".join([f"{names} {name}" for _, names, name in self._boxes if names or name])
        is_likely = any(map(names.__contains__, _SCROLL))
        return is_likely and any(one(self.tree) for one in xpaths.RAW_TREE_PRUNE_XPATH)

    def frame_of(self, kind: Kind) -> tuple[HtmlElement | None, bool]:
        """Return the first element of a kind, and whether the result is certain: not if too many had to be tried."""
        likely = (one for one, names, name in self._boxes if _is_likely(one, names, name, kind))
        for tried, one in enumerate(likely):
            if tried == _MAX_FRAMES:
                return None, False
            if matches((kind.expression,), one) and self.is_left(one):
                return one, True
        return None, True

    def is_left(self, one: HtmlElement) -> bool:
        """Whether an element remains after the page is cleaned of small forms and of elements by tag or name."""
        return not any(
            self._is_lost(above) if above.tag == "form" else above.tag in _REMOVED or is_comment(above)
            for above in (one, *one.iterancestors())
        )

    def _is_lost(self, form: HtmlElement) -> bool:
        """Whether a form contains at most half of the page; a larger one is the page's layout."""
        if (lost := self._forms.get(form)) is None:
            lost = self._forms[form] = len(raw_text_of(form)) <= self._half
        return lost

    @cached_property
    def _half(self) -> float:
        return len(raw_text_of(self.tree)) / 2


def is_comment(one: HtmlElement) -> bool:
    """Whether the library takes an element for readers' comments."""
    names, name = one.get("class"), one.get("id")
    is_named = (names and _COMMENT_WORDS.occur_in(names)) or (name and _COMMENT_WORDS.occur_in(name))
    return bool(is_named) and matches(xpaths.REMOVE_COMMENTS_AND_LISTS_XPATH, one)


def matches(expressions: Iterable[XPath], one: HtmlElement) -> bool:
    """Whether an expression matches an element by its own tag and attributes."""
    asked = tuple((name, value) for name, value in one.items() if name in ASKED)
    is_short = sum(len(value) for _, value in asked) <= _MAX_REMEMBERED
    return (_known_match if is_short else _would_match)(tuple(expressions), one.tag, asked)


def _would_match(expressions: tuple[XPath, ...], tag: str, attributes: tuple[tuple[str, str], ...]) -> bool:
    above = Element("x")
    SubElement(above, tag, dict(attributes))
    return any(expression(above) for expression in expressions)


_known_match = lru_cache(maxsize=2048)(_would_match)  # all pages of a site have the same names
