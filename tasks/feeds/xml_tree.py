"""Parse an XML feed into a tree, however malformed.

Pure. libxml2 recovers from most faults, but drops unknown entities and, after the first fault, every named entity. So
entities are replaced by numeric references or characters beforehand, and stray markup characters are escaped.
Everything before the root, including the document type, is cut off, so that there are no entities to expand or fetch;
depth and size are bounded.
"""

import re
import sys
from collections.abc import Callable, Iterator
from html import unescape
from html.entities import html5
from itertools import islice, pairwise
from typing import TypedDict

from lxml import etree

from tasks.errors import NotAFeed
from tasks.web.text import decode_text


class Reading(TypedDict):
    """Keyword arguments of lxml's parsers."""

    recover: bool
    resolve_entities: bool
    no_network: bool
    load_dtd: bool
    huge_tree: bool
    remove_comments: bool
    remove_pis: bool
    encoding: str


MAX_FEED_LENGTH = 10_000_000
"""The most characters of a feed that are parsed, since a tree takes many times the memory of its text."""

_DECLARED = re.compile(rb"\s*<\?xml\s[^>]{0,200}\bencoding\s*=")
FEED_ROOTS = ("rss", "feed", "rdf", "channel")
SITEMAP_ROOTS = ("urlset", "sitemapindex")
ITEMS = ("item", "entry")


def _element(*names: str) -> re.Pattern[str]:
    """Return the pattern of a start tag with one of these names, under any prefix."""
    return re.compile(rf"<(?:[A-Za-z][\w.-]{{0,40}}:)?({'|'.join(names)})(?=[\s>/])", re.IGNORECASE)


_KNOWN = _element(*FEED_ROOTS, *SITEMAP_ROOTS, *ITEMS, "html", "opml")
_ROOT = _element(*FEED_ROOTS)
_OTHER_ROOT = re.compile(r"<(?:!doctype\s+)?(html|urlset|sitemapindex|opml)\b", re.IGNORECASE)
_ITEM = re.compile(r"<(?:[A-Za-z][\w.-]{0,40}:)?(?:item|entry)(?=[\s>])", re.IGNORECASE)
_ITEM_END = re.compile(r"</(?:[A-Za-z][\w.-]{0,40}:)?(?:item|entry)\s*>", re.IGNORECASE)
READING: Reading = {
    "recover": True,
    "resolve_entities": False,
    "no_network": True,
    "load_dtd": False,
    "huge_tree": False,
    "remove_comments": True,
    "remove_pis": True,
    "encoding": "utf-8",
}
"""Parser options for XML of the web: recover from errors; no entities, document types, network or unbounded depth."""

_HALF_ADDRESS = re.compile(
    r"<(?:(?:[A-Za-z][\w.-]{0,40}:)?(?:link|guid|id|loc)(?=[\s>])[^>]*>|!\[CDATA\[(?!.*\]\]>))",
    re.IGNORECASE | re.DOTALL,
)
_WRAP, _UNWRAP = "<x>" * 8, "</x>" * 8
_ROOT_WITHIN = 65_536
_MAX_SPACES = 100
_DECLARATION = re.compile(r"""\bxmlns(?::[\w.-]{1,40})?\s{0,9}=\s{0,9}(?:"[^"<>]{0,300}"|'[^'<>]{0,300}')""")
_MAX_CHILDREN = 50_000
_UTF_32 = (
    (b"\xff\xfe\0\0", "utf_32_le"),
    (b"\0\0\xfe\xff", "utf_32_be"),
    (b"<\0\0\0", "utf_32_le"),
    (b"\0\0\0<", "utf_32_be"),
)
_ILLEGAL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")  # XML 1.0, 2.2
_REFERENCE = re.compile(r"&#(?:([0-9]++)|[xX]([0-9A-Fa-f]++));")
_MOST_DIGITS = 7
_WINDOWS = range(0x80, 0xA0)  # HTML, 13.2.5.80
_BARE_LESS = re.compile(r"<(?![A-Za-z_:/!?])")
_BARE_AMPERSAND = re.compile(r"&(?!#[0-9]{1,7};|#[xX][0-9A-Fa-f]{1,6};|[A-Za-z][A-Za-z0-9]{1,31};)")
_NAMED = re.compile(r"&([A-Za-z][A-Za-z0-9]{1,31});")
_PREDEFINED = {"amp": "&#38;", "lt": "&#60;", "gt": "&#62;", "quot": "&#34;", "apos": "&#39;"}  # XML 1.0, 4.6


def xml_text(body: bytes, content_type: str | None) -> str:
    """Return the text of an XML document; its own declaration takes precedence over the server's.

    UTF-32 is not a charset of the web, but of XML (XML 1.0, F.1).
    """
    if utf_32 := next((name for mark, name in _UTF_32 if body.startswith(mark)), None):
        return body.decode(utf_32, "replace").removeprefix("\ufeff")
    return decode_text(body, None if _DECLARED.match(body) else content_type)[0]


def first_element(text: str) -> tuple[str, int] | None:
    """Return the name (lower case) and position of the first element that identifies a document: its root, or a feed's item.

    None if there is none, as in a document that is neither XML nor a complete page.
    """
    found = _KNOWN.search(text, 0, _ROOT_WITHIN)
    return (found[1].lower(), found.start()) if found else None


def feed_start(text: str) -> int | None:
    """Return the position at which a feed begins; None if there is none, or something else begins before it."""
    # a feed with a broken head still has its items
    start = _ROOT.search(text, 0, _ROOT_WITHIN) or _ITEM.search(text, 0, _ROOT_WITHIN)
    if start is None or _OTHER_ROOT.search(text, 0, start.start()):
        return None
    return start.start()


def mended_feed(text: str, *, feed_url: str) -> str:
    """Return the feed from its root on, as parsable XML; raises NotAFeed."""
    start = feed_start(text)
    if start is None:
        raise NotAFeed(f"not RSS or Atom: {feed_url}")
    return mend_xml(without_half_address(text[start:][:MAX_FEED_LENGTH]))


def without_half_address(text: str) -> str:
    """Return a document without a URL that is cut off at its end, which the parser would take for a complete one."""
    last = text.rfind("<")
    return text[:last] if last >= 0 and _HALF_ADDRESS.match(text, last) else text


def mend_xml(text: str) -> str:
    """Return XML without illegal content: control characters, bare ampersands and brackets, unknown entities.

    References to illegal characters are removed, since libxml2 would turn them into invalid UTF-8.
    """
    return _by_cdata(_ILLEGAL.sub("", text), outside=_mend, inside=str)


def feed_tree(mended: str, *, feed_url: str) -> tuple[etree._Element, str | None]:
    """Return the root, and the first well-formedness error, if any. Raises NotAFeed."""
    parser = etree.XMLParser(**READING)
    try:
        root = etree.fromstring(mended.encode("utf-8", "replace"), parser)
    except etree.XMLSyntaxError as error:
        raise NotAFeed(f"not XML: {feed_url}: {error.msg}") from error
    if root is None:
        raise NotAFeed(f"not XML: {feed_url}")
    fault = next((entry for entry in parser.error_log if entry.level >= etree.ErrorLevels.FATAL), None)
    return root, f"line {fault.line}: {' '.join(fault.message[:100].split())}" if fault else None


def item_fragments(mended: str, limit: int) -> Iterator[etree._Element]:
    """Yield each item of a broken feed as a separate tree, so that a fault in one affects no other.

    It is wrapped, since a surplus end tag closes the enclosing element: search for its elements at any depth.
    """
    masked = _masked(mended)
    wrap = f"<x{_declarations(mended)}>" + _WRAP
    starts = [found.start() for found in islice(_ITEM.finditer(masked), limit)]
    for start, end in pairwise((*starts, len(mended))):
        closed = _ITEM_END.search(masked, start, end)
        wrapped = wrap + mended[start : closed.start() if closed else end] + _UNWRAP + "</x>"
        try:
            fragment = etree.fromstring(wrapped.encode("utf-8", "replace"), etree.XMLParser(**READING))
        except etree.XMLSyntaxError:
            continue
        if fragment is not None:
            yield fragment


def _declarations(mended: str) -> str:
    """Return the namespaces that the first element declares, which its items need."""
    return "".join(
        f" {found[0]}" for found in islice(_DECLARATION.finditer(mended[: mended.find(">") + 1]), _MAX_SPACES)
    )


def count_items(mended: str) -> int:
    """Return the number of item start tags in the text, parsed or not."""
    return sum(1 for _ in _ITEM.finditer(_masked(mended)))


def _masked(mended: str) -> str:
    """Return the text with CDATA sections blanked, since tags in them do not count."""
    return _by_cdata(mended, outside=str, inside=lambda section: " " * len(section))


def split_name(element: etree._Element) -> tuple[str, str]:
    """Return namespace and local name in lower case; an undeclared prefix counts as the namespace.

    Declared prefixes mean nothing (Namespaces in XML, 4).
    """
    space, _, name = element.tag.rpartition("}")
    prefix, _, local = name.rpartition(":")
    return (space.removeprefix("{") or prefix).lower(), local.lower()


def children(element: etree._Element) -> Iterator[tuple[str, str, etree._Element]]:
    """Yield namespace, local name and element of each child."""
    for child in islice(element.iterchildren("*"), _MAX_CHILDREN):
        yield (*split_name(child), child)


def _by_cdata(text: str, *, outside: Callable[[str], str], inside: Callable[[str], str]) -> str:
    parts, position = [], 0
    while (start := text.find("<![CDATA[", position)) >= 0:
        end = text.find("]]>", start)
        if end < 0:
            break
        parts += [outside(text[position:start]), inside(text[start : end + 3])]
        position = end + 3
    return "".join((*parts, outside(text[position:])))


def _mend(text: str) -> str:
    text = _BARE_LESS.sub("&#60;", text)
    if "&" not in text:
        return text
    text = _REFERENCE.sub(_possible, text) if "&#" in text else text
    return _NAMED.sub(_numbered, _BARE_AMPERSAND.sub("&#38;", text))


def _possible(reference: re.Match[str]) -> str:
    digits = (reference[1] or reference[2]).lstrip("0")
    number = int(digits or "0", 10 if reference[1] else 16) if len(digits) <= _MOST_DIGITS else 0
    if number in _WINDOWS:
        return unescape(reference[0])
    return "" if number > sys.maxunicode or _ILLEGAL.match(chr(number)) else reference[0]


def _numbered(entity: re.Match[str]) -> str:
    name = entity[1]
    if name in _PREDEFINED:
        return _PREDEFINED[name]
    character = html5.get(name + ";")
    # some HTML entities are markup characters; unknown ones are text that looks like an entity
    return f"&#38;{name};" if character is None else "".join(f"&#{ord(one)};" for one in character)
