"""Parse HTML into a tree, and read text and amounts of linked text from it. Pure."""

import re
import unicodedata
from collections.abc import Callable, Collection, Iterable, Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from typing import TypeVar

from lxml.etree import LIBXML_VERSION, ElementDefaultClassLookup, HTMLParser, LxmlError, XPath, strip_tags, tostring
from lxml.html import HtmlElement, document_fromstring

from tasks.extract.mojibake import mend
from tasks.extract.streamed import place_streamed
from tasks.values.text.latin import count_runs, latin_bytes
from tasks.values.text.storable import without_invisible
from tasks.values.url import Url
from tasks.web.text import with_few_attributes

HEADINGS = frozenset(("h1", "h2", "h3", "h4", "h5", "h6"))
INVISIBLE = ("script", "style", "noscript", "template", "svg", "iframe", "object", "select", "textarea")
"""Elements whose text is never visible; no relevant browser shows noscript."""

# characters that lxml parses but refuses to serialize (XML 1.0, 2.2): some separate words, the others are removed
_PARTING, _NOTHING = bytes((11, 12, 28, 29, 30, 31)), bytes((*range(9), *range(14, 28)))
_WRITABLE = bytes.maketrans(_PARTING, b" " * len(_PARTING))
_UNWRITABLE = tuple(bytes((one,)) for one in _PARTING + _NOTHING)
_NONCHARACTERS = ("\ufffe".encode(), "\uffff".encode())
# the same as character references, which libxml2 resolves
_UNWRITABLE_REFERENCE = re.compile(
    rb"&#(?:0*+(?:[1-8]|1[124-9]|2\d|3[01]|6553[45])(?!\d)|[xX]0*+(?:[1-8bcefBCEF]|1[\da-fA-F]|[fF]{3}[efEF])(?![\da-fA-F]));?"
)
# <o:p> of word processors, <fb:like>, <a"b>: names that lxml parses but refuses to serialize
_ODD_NAME = re.compile(rb"<([a-zA-Z][\w.-]*+[^\s\w./>-][^\s/>]*)")
_ODD_NAMES_HOLD = LIBXML_VERSION >= (2, 14)  # earlier versions ended a name at the first odd character
_ODDLY_NAMED = XPath(
    "//*[translate(name(), 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.', '') != '']"
)
# content after them belongs to the body (HTML, 13.2.6.4.20), but libxml2 stops there
_ENDS = re.compile(rb"</(?:body|html)\s*>", re.IGNORECASE)
_NOTHING_MORE = re.compile(rb"\s*+(?:</body\s*>)?\s*+(?:</html\s*>)?\s*+", re.IGNORECASE)
_BINARY = re.compile("[\u0001-\u0008\u000e-\u001a]")  # without NUL, which is frequent in broken pages
_BINARY_SHARE = 0.01  # of the first characters; stray ones occur in text
_BEGINNING = 1000  # characters
_WORD = re.compile(r"[^\W_]+")
# for ASCII: letters are casefolded, and everything else except digits separates words
_WORDS_OF_ASCII = bytes(ord(chr(one).lower()) if chr(one).isalnum() else 32 for one in range(128)).ljust(256)
_NO_WORD = re.compile(r"[\W_]+")
_NO_WORD_OF_ASCII = bytes(one for one in range(128) if not chr(one).isalnum())
_CASEFOLDED = bytes(range(256)).lower()
# a single element class: lxml.html's class look-up is in Python, and called for each element in each pass
_ONE_CLASS = ElementDefaultClassLookup(element=HtmlElement)
_MAX_DEPTH = 511  # elements; the limit of browsers
_TOO_DEEP = XPath("/*" * _MAX_DEPTH)
_IS_DEEP = XPath(f"boolean({'/*' * 64})")  # true for few pages; an expression with more steps would be slower on all


@dataclass(slots=True)
class Weight:
    """Characters in an element: all of them, and those in links."""

    text: int = 0
    linked: int = 0

    @property
    def prose(self) -> int:
        """Characters outside of links."""
        return self.text - self.linked

    @property
    def link_share(self) -> float:
        """The share of text in links, 0 to 1; 0 without text."""
        return self.linked / self.text if self.text else 0.0


_WEIGHTLESS = Weight()  # shared by all elements without text
T = TypeVar("T")

_MAX_NAMES = 300  # characters of a class or a name that is cached
_MAX_REMEMBERED = 2048  # of those
_MIN_PROSE = 120  # characters of a long paragraph
_OF_HEAD = frozenset(
    ("title", "base", "link", "meta", "style", "script", "noscript", "template", "object")
)  # HTML, 4.2; 4.12


class _Judgements(dict[str, T]):
    """A cache of judgements by name, filled on demand."""

    def __init__(self, judge: Callable[[str], T]) -> None:
        self._judge = judge

    def __missing__(self, names: str) -> T:
        judgement = self._judge(names)
        if len(names) <= _MAX_NAMES:
            if len(self) >= _MAX_REMEMBERED:
                self.clear()
            self[names] = judgement
        return judgement


def cached_by_name(judge: Callable[[str], T]) -> Callable[[str], T]:
    """Return a cached version of a predicate on class or id values, which all pages of a site share.

    Long values are not cached, since a hostile page may have any number. A dictionary look-up takes a third of the time
    of a call.
    """
    return _Judgements(judge).__getitem__


def parse_html(text: str, encoded: bytes | None = None) -> HtmlElement | None:
    """Return the document's root element, or None if there is nothing to parse: white space, a PDF, a picture.

    `encoded` is the text in UTF-8, if the caller has it. The parser needs `huge_tree`: otherwise a script over 10 MB or a depth
    over 255 silently empties the tree. Comments and processing instructions are dropped, so that every node is an
    element. Elements deeper than browsers allow are merged into their parent, since the extractors are quadratic in
    depth.
    """
    # encoded from the decoded text, so that XML declarations and meta elements have no influence
    bounded = with_few_attributes(text)
    source = _whole(_writable(bounded, encoded if bounded is text else None))
    if not source or source.isspace() or _is_binary(text[:_BEGINNING]):
        return None
    # without libxml2's table of ids, which is unused and takes a tenth of the time
    parser = HTMLParser(huge_tree=True, encoding="utf-8", remove_comments=True, remove_pis=True, collect_ids=False)
    parser.set_element_class_lookup(_ONE_CLASS)
    try:
        tree = document_fromstring(source, parser=parser, ensure_head_body=True)
    except LxmlError:  # only comments
        return None
    for element in _oddly_named(tree, source):
        element.tag = "span"
    _end_head(tree)
    _unbreak_titles(tree)
    place_streamed(tree)
    for element in _TOO_DEEP(tree) if _IS_DEEP(tree) else ():
        strip_tags(element, "*")
    return tree


def page_url(element: HtmlElement) -> Url:
    """Return the URL of an element's page."""
    return _parsed_once(element.base_url)


_parsed_once = lru_cache(maxsize=1)(Url.of)  # several callers need the parsed URL of one page in a row


def _oddly_named(tree: HtmlElement, source: bytes) -> list[HtmlElement]:
    """Return the elements whose names lxml refuses to serialize; scripts contain many look-alikes: `i<n;`."""
    names = set(_ODD_NAME.findall(source))
    if not names:
        return []
    # fast if a tree has no such element, since libxml2 has a dictionary of its names
    likely = {name.lower().decode("utf-8", "replace") for name in names}
    if _ODD_NAMES_HOLD and next(tree.iter(*likely), None) is None:
        return []
    return list(_ODDLY_NAMED(tree))


def _writable(text: str, encoded: bytes | None) -> bytes:
    """Return UTF-8 without characters that lxml cannot serialize."""
    source = text.encode("utf-8", "replace") if encoded is None else encoded
    if _NONCHARACTERS[0][:1] in source:  # searching for one byte is very fast
        for one in _NONCHARACTERS:
            source = source.replace(one, b"")
    if any(one in source for one in _UNWRITABLE):  # a tenth of the cost of translating
        source = source.translate(_WRITABLE, _NOTHING)
    return _UNWRITABLE_REFERENCE.sub(b" ", source)


def _whole(source: bytes) -> bytes:
    """Return a page without premature end tags of body and html, as in pages assembled from several templates."""
    first = _ENDS.search(source)  # searches for `</`, which has no case: as fast as a plain search
    if first is None or _NOTHING_MORE.fullmatch(source, first.start()):  # the usual case: no copy needed
        return source
    return _ENDS.sub(b"", source)


def _end_head(tree: HtmlElement) -> None:
    """Move elements that are not allowed in a head to the body.

    The body's start tag is optional (HTML, 13.1.2.4), and libxml2 then continues the head.
    """
    head, body = tree.find("head"), tree.find("body")
    if head is None or body is None:
        return
    first = next((at for at, one in enumerate(head) if one.tag not in _OF_HEAD), None)
    if first is not None:
        moved = head[first:]
        moved[-1].tail, body.text = (moved[-1].tail or "") + (body.text or ""), None
        body[:0] = moved


def _unbreak_titles(tree: HtmlElement) -> None:
    """Replace line breaks in main headings by spaces: a title is one line, wrapped for layout."""
    for one in [br for heading in tree.iter("h1") for br in heading.iter("br")]:
        one.tail = f" {one.tail or ''}"
        one.drop_tag()


def _is_binary(beginning: str) -> bool:
    return beginning.lstrip().startswith("%PDF-") or len(_BINARY.findall(beginning)) > _BINARY_SHARE * len(beginning)


def remove(elements: Iterable[HtmlElement]) -> None:
    """Remove elements from their tree, but keep the text after them. Linear, unlike lxml's strip_elements."""
    for element in elements:
        if (above := element.getparent()) is not None:
            if element.tail:
                element.drop_tree()
            else:
                above.remove(element)


def until_prose(elements: Iterable[HtmlElement], *, most: int) -> Iterator[HtmlElement]:
    """Yield elements up to the long paragraph after the first `most` ones; later ones do not belong to the head."""
    prose = 0
    for element in elements:
        if element.tag == "p" and len(raw_text_of(element)) >= _MIN_PROSE:
            prose += 1
            if prose > most:
                return
        yield element


def clean(text: str | None) -> str:
    """Return text in NFC, repaired, with white space folded, and without invisible characters and U+FFFD."""
    if not text:
        return ""
    if text.isascii() and (folded := " ".join(text.split())).isprintable():
        return folded
    folded = without_invisible(" ".join(mend(text).split()))
    return unicodedata.normalize("NFC", folded)


def raw_text_of(element: HtmlElement) -> str:
    """Return all text under an element unchanged, at a quarter of the cost of joining `itertext`."""
    if len(element) == 0:  # the usual case: links, and lines without markup
        return element.text or ""
    return str(tostring(element, method="text", encoding="unicode", with_tail=False))


def text_of(element: HtmlElement) -> str:
    """Return all text in an element, cleaned."""
    return clean(raw_text_of(element))


def words_of(text: str) -> tuple[str, ...]:
    """Return a text's words, casefolded; equal for lines that differ only in punctuation."""
    return words_in(clean(text))


def words_in(cleaned: str) -> tuple[str, ...]:
    """Return the words of a cleaned text."""
    return tuple(_split_ascii(cleaned) if cleaned.isascii() else _WORD.findall(cleaned.casefold()))


def _split_ascii(text: str) -> list[str]:
    """Return the words of an ASCII text, casefolded, at a third of a regex's cost."""
    return text.encode().translate(_WORDS_OF_ASCII).decode().split()


def key_of(cleaned: str) -> str:
    """Return the words of a cleaned text, concatenated; equal for lines that differ only in punctuation."""
    if cleaned.isascii():
        return cleaned.encode().translate(_CASEFOLDED, _NO_WORD_OF_ASCII).decode()
    if "," not in cleaned and "." not in cleaned:  # a label or a cell
        return _NO_WORD.sub("", cleaned.casefold())
    key = cleaned.casefold().replace(" ", "").replace(",", "").replace(".", "")
    return key if key.isalnum() else _NO_WORD.sub("", key)


def is_one_of(cleaned: str, titles: Collection[tuple[str, ...]]) -> bool:
    """Whether the words of a text are one of the titles; reads no more of a longer text than needed."""
    most = max(map(len, titles), default=0)
    return next(islice(_WORD.finditer(cleaned), most, None), None) is None and words_in(cleaned) in titles


def first_class(element: HtmlElement) -> str:
    """Return the first of an element's classes, which siblings of one kind share; the others may number or mark it."""
    return next(iter((element.get("class") or "").split()), "")


def outermost(element: HtmlElement, around: AbstractSet[HtmlElement]) -> HtmlElement | None:
    """Return the outermost of an element and its ancestors that is not in `around`; None if the element is."""
    box = element
    while (above := box.getparent()) is not None and above not in around:
        box = above
    return box if box not in around else None


def count_words(cleaned: str) -> int:
    """Return the number of words of a cleaned text."""
    latin = latin_bytes(cleaned)
    return len(_WORD.findall(cleaned)) if latin is None else count_runs(latin)


def has_words(cleaned: str) -> bool:
    """Whether a cleaned text has a letter or a digit."""
    return _WORD.search(cleaned) is not None


def weigh(elements: list[HtmlElement], parents: list[HtmlElement]) -> dict[HtmlElement, Weight]:
    """Return the weight of each element of a subtree, given in document order with parents. Linear."""
    places = dict(zip(elements, range(len(elements)), strict=True))
    above = [places.get(parent, -1) for parent in parents]
    # one more than the elements, for the parent of the first
    texts, linked, is_link = ([0] * (len(elements) + 1) for _ in range(3))
    for link in elements[0].iter("a"):  # faster than checking each element's tag
        is_link[places[link]] = 1
    for at, (element, up) in enumerate(zip(elements, above, strict=True)):
        if is_link[up]:
            is_link[at] = 1
        if (text := element.text) and (size := len(text.strip())):
            texts[at] += size
            if is_link[at]:
                linked[at] += size
        if (tail := element.tail) and (size := len(tail.strip())):
            texts[up] += size
            if is_link[up]:
                linked[up] += size
    for at in range(len(elements) - 1, -1, -1):
        if texts[at]:
            texts[above[at]] += texts[at]
            linked[above[at]] += linked[at]
    return {
        element: Weight(text, link) if text else _WEIGHTLESS
        for element, text, link in zip(elements, texts, linked, strict=False)
    }
