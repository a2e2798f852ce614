"""Decode a body to text by its bytes and declarations, and bound its markup. Pure; no HTTP library.

The order is the WHATWG's for HTML (byte order mark, HTTP header, meta), then detection. If the bytes contradict a
declaration, the bytes win, because wrong server defaults are common.

Markup is bounded before it is parsed into a tree: the number of elements, and of attributes per element. A tree takes
many times the memory of its text, and looking up attributes by name takes quadratic time. libxml2 itself bounds the
depth: 256 in XML, 2,048 in HTML.
"""

import re
from collections.abc import Iterator
from encodings.aliases import aliases
from itertools import islice
from urllib.parse import quote_from_bytes

import cchardet

from tasks.web.headers import capped

_PRESCAN_SIZE = 4096
_DETECTED_SIZE = 262_144

# Name: the codecs that decode it, in order, then codecs whose labels also mean it. Like the WHATWG, read many labels as
# a superset, because authors mean that: Latin-1 as windows-1252, GB2312 as GB18030 (Encoding, 4.2).
_MULTI_BYTE: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "utf-8": (("utf_8",), ()),
    "utf-16le": (("utf_16_le",), ("utf_16",)),
    "utf-16be": (("utf_16_be",), ()),
    "gb18030": (("gb18030",), ("gb2312", "gbk")),
    "hz-gb-2312": (("hz",), ()),
    "big5": (("big5hkscs", "cp950"), ("big5",)),
    "shift_jis": (("cp932", "shift_jis_2004"), ("shift_jis", "shift_jisx0213")),
    "euc-jp": (("euc_jp", "euc_jis_2004"), ("euc_jisx0213",)),
    "iso-2022-jp": (("iso2022_jp_ext", "iso2022_jp_2004"), ("iso2022_jp", "iso2022_jp_1", "iso2022_jp_2")),
    "euc-kr": (("cp949",), ("euc_kr",)),
    "iso-2022-kr": (("iso2022_kr",), ()),
}
_SINGLE_BYTE: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "windows-1252": (("cp1252",), ("ascii", "latin_1", "iso8859_1")),
    "windows-1254": (("cp1254",), ("iso8859_9",)),
    "windows-874": (("cp874",), ("iso8859_11", "tis_620")),
    **{f"windows-{number}": ((f"cp{number}",), ()) for number in (1250, 1251, 1253, 1255, 1256, 1257, 1258)},
    **{f"iso-8859-{part}": ((f"iso8859_{part}",), ()) for part in (2, 3, 4, 5, 6, 7, 8, 10, 13, 14, 15, 16)},
    "koi8-r": (("koi8_r",), ()),
    "koi8-u": (("koi8_u",), ()),
    "ibm852": (("cp852",), ()),
    "ibm855": (("cp855",), ()),
    "ibm866": (("cp866",), ()),
    "macintosh": (("mac_roman",), ()),
    "x-mac-ce": (("mac_latin2",), ()),
    "x-mac-cyrillic": (("mac_cyrillic",), ()),
}
_ENCODINGS = {**_MULTI_BYTE, **_SINGLE_BYTE}

# labels that Python's codec registry lacks, normalised by `_squash`
_MORE_LABELS = {
    "unicode11utf8": "utf-8",
    "utf8mb4": "utf-8",
    "xunicode20utf8": "utf-8",
    "unicode": "utf-16le",
    "ucs2": "utf-16le",
    "iso10646ucs2": "utf-16le",
    "xgbk": "gb18030",
    "gb231280": "gb18030",
    "cnbig5": "big5",
    "xxbig5": "big5",
    "xsjis": "shift_jis",
    "windows31j": "shift_jis",
    "mskanji": "shift_jis",
    "xeucjp": "euc-jp",
    "ksc56011987": "euc-kr",
    "ksc56011989": "euc-kr",
    "ksc5601": "euc-kr",
    "windows949": "euc-kr",
    "dos874": "windows-874",
    "iso88598i": "iso-8859-8",
    "iso88598e": "iso-8859-8",
    "logical": "iso-8859-8",
    "visual": "iso-8859-8",
    "suneugreek": "iso-8859-7",
    "koi": "koi8-r",
    "koi8": "koi8-r",
    "koi8ru": "koi8-u",
    "mac": "macintosh",
    "xmacroman": "macintosh",
    "xmacukrainian": "x-mac-cyrillic",
    "xuserdefined": "windows-1252",
}

_BOMS = ((b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe", "utf-16le"), (b"\xfe\xff", "utf-16be"))
_HEADER_CHARSET = re.compile(r"charset\s*+=\s*+(?:[\"']\s*+)?([^\s\"';,]+)", re.IGNORECASE)
_COMMENT = re.compile(rb"<!--.*?-->", re.DOTALL)
_XML_ENCODING = re.compile(rb"\s*<\?xml\s[^>]*?\bencoding\s*=\s*[\"']\s*([\w.:-]+)")
_META = re.compile(rb"<meta[\s/][^>]*", re.IGNORECASE)
_QUOTED = re.compile(rb"\"[^\"]*\"|'[^']*'")
_META_CHARSET = re.compile(rb"charset\s*+=\s*+(?:[\"']\s*+)?([\w.:-]+)", re.IGNORECASE)

MAX_TAGS = 1_000_000
"""The most tags per document; the rest is cut off. A sitemap with 50,000 dated and titled URLs has a third of this."""

MAX_ATTRIBUTES = 200
"""The most attributes per element. An element with more loses all of them."""

_LONG_TAG = 1000
_MIN_ATTRIBUTE = 2  # characters, with the separator
# XML allows no `<` in a value; in HTML, the rest then counts as another piece
_TAG = re.compile(r"""[A-Za-z_][^\s/>"']*+(?>[^>"']++|"[^"]*+"|'[^']*+')*+""")
_ATTRIBUTE = re.compile(r"""[^\s"'=>/]++\s*+(?>=\s*+(?:"[^"]*+"|'[^']*+'|[^\s"'>]++))?+""")
_NAME = re.compile(r"[^\s/>]*")


def decode_text(body: bytes, content_type: str | None) -> tuple[str, str]:
    """Return the text without its byte order mark, and the charset's lower-case WHATWG name.

    Never raises: undecodable bytes become U+FFFD.
    """
    for mark, name in _BOMS:
        if body.startswith(mark):
            return _replaced(body[len(mark) :], name), name
    if wide := _unmarked_utf16(body):
        return _replaced(body, wide), wide
    declared = [name for name in (_header_charset(content_type), _meta_charset(body)) if name]
    return _believed(body, declared) or _detected(body) or (_replaced(body, "windows-1252"), "windows-1252")


def with_query_in(url: str, charset: str) -> str:
    """Return a page's link with its query escaped in the page's charset, as browsers send it (WHATWG URL, 4.4).

    Characters outside the charset become character references. ASCII links and links of UTF-8 pages stay unchanged.
    """
    if charset.startswith("utf-") or url.isascii():
        return url
    path, mark, rest = url.partition("?")
    query, hash_mark, fragment = rest.partition("#")
    if not mark or "#" in path or query.isascii():
        return url
    codec = _ENCODINGS[charset][0][0]
    escaped = "".join(
        character if character.isascii() else quote_from_bytes(character.encode(codec, "xmlcharrefreplace"), safe="")
        for character in query
    )
    return f"{path}?{escaped}{hash_mark}{fragment}"


def _believed(body: bytes, declared: list[str]) -> tuple[str, str] | None:
    """Return the text by a declaration that fits the bytes, or as UTF-8 if it is that, or None."""
    for name in declared:
        text = _strict(body, name)
        if text is None:
            continue
        # single-byte charsets decode anything, while their text is never valid UTF-8 by chance
        if name in _SINGLE_BYTE and not body.isascii() and (utf8 := _strict(body, "utf-8")) is not None:
            return utf8, "utf-8"
        return text, name
    # ASCII with escapes is valid UTF-8, too, but means ISO-2022
    if b"\x1b" not in body and (utf8 := _strict(body, "utf-8")) is not None:
        return utf8, "utf-8"
    for name in (*declared, "utf-8"):
        text = _replaced(body, name)
        if _is_mostly_right(text):
            return text, name
    return None


def _is_mostly_right(text: str) -> bool:
    """Whether a page has only a few broken characters: more non-ASCII characters decoded than failed."""
    wrong = text.count("\ufffd")
    right = len(text) - len(text.encode("ascii", "ignore")) - wrong
    return wrong < right


def _detected(body: bytes) -> tuple[str, str] | None:
    guess = cchardet.detect(body[:_DETECTED_SIZE])["encoding"]
    name = _name_of(guess) if guess else None
    text = _strict(body, name) if name else None
    return None if name is None or text is None else (text, name)


def wide_charset(body: bytes) -> str | None:
    """Return which UTF-16 a body is in, by its byte order mark or NULs, or None."""
    marked = (name for mark, name in _BOMS if name != "utf-8" and body.startswith(mark))
    return next(marked, None) or _unmarked_utf16(body)


def _unmarked_utf16(body: bytes) -> str | None:
    """Return the UTF-16 variant whose ASCII (most of any markup) would explain the NULs, or None if there are few."""
    sample = body[:1024]
    even, odd = sample[::2].count(0), sample[1::2].count(0)
    if max(even, odd) * 5 < len(sample) or len(sample) < 4:
        return None
    if odd > even * 4:
        return "utf-16le"
    return "utf-16be" if even > odd * 4 else None


def _header_charset(content_type: str | None) -> str | None:
    found = _HEADER_CHARSET.search(capped(content_type))
    return _name_of(found[1]) if found else None


def _meta_charset(body: bytes) -> str | None:
    """Return the charset declared in the first 4096 bytes: by the XML declaration or a meta element."""
    start = body[:_PRESCAN_SIZE]
    label = found[1] if (found := _XML_ENCODING.match(start)) else _meta_label(_COMMENT.sub(b"", start))
    name = _name_of(label.decode("ascii", "replace")) if label else None
    # a declaration that can be read as ASCII is not in UTF-16 (HTML, 13.2.3.2)
    return "utf-8" if name in ("utf-16le", "utf-16be") else name


def _meta_label(start: bytes) -> bytes | None:
    for element in _META.findall(start):
        # inside quotes it counts only with http-equiv: a description may mention charset=x
        is_equivalent = b"http-equiv" in element.lower()
        bare = _META_CHARSET.search(element)
        if bare and (is_equivalent or b"charset" in _QUOTED.sub(b"", element).lower()):
            return bare[1]
    return None


def _strict(body: bytes, name: str) -> str | None:
    for codec in _ENCODINGS[name][0]:
        try:
            return body.decode(codec)
        except UnicodeDecodeError:
            continue
    return None


def _replaced(body: bytes, name: str) -> str:
    return body.decode(_ENCODINGS[name][0][0], "replace")


def _squash(label: str) -> str:
    return re.sub(r"[^a-z0-9]", "", label.lower())


def _labels() -> dict[str, str]:
    """Map labels to names: the registry's aliases for the codecs above, their numbers, and labels that it lacks."""
    by_codec = {codec: name for name, (codecs, more) in _ENCODINGS.items() for codec in (*codecs, *more)}
    labels = {_squash(alias): by_codec[codec] for alias, codec in aliases.items() if codec in by_codec}
    labels |= {_squash(codec): name for codec, name in by_codec.items()}
    labels |= {_squash(name): name for name in _ENCODINGS}
    for name in _SINGLE_BYTE:
        if name.startswith("windows-"):
            labels |= {prefix + name.removeprefix("windows-"): name for prefix in ("win", "cp", "xcp", "ms")}
    return labels | _MORE_LABELS


_LABELS = _labels()


def _name_of(label: str) -> str | None:
    return _LABELS.get(_squash(label))


def bounded_markup(text: str) -> tuple[str, tuple[str, ...]]:
    """Return the text within its limits, and descriptions of what was removed."""
    doubts = []
    if text.count("<") > MAX_TAGS:
        text = text[: _place_of(text, MAX_TAGS)]
        doubts.append(f"more than {MAX_TAGS:,} tags")
    bounded = with_few_attributes(text)
    if bounded is not text:
        doubts.append(f"an element with more than {MAX_ATTRIBUTES} attributes")
    return bounded, tuple(doubts)


def with_few_attributes(text: str) -> str:
    """Return the text without the attributes of elements that have too many; the same object if none has."""
    kept, at = list[str](), 0
    for start, stop in _long_pieces(text):
        if (gone := _attributes(text, start, stop)) is not None:
            kept.append(text[at : gone[0]])
            at = gone[1]
    return "".join((*kept, text[at:])) if kept else text


def _long_pieces(text: str) -> Iterator[tuple[int, int]]:
    """Yield the start (after `<`) and end of long pieces: a tag with the text up to the next one.

    The last `<` in each window starts the next window. So nearly all of a page is skipped.
    """
    at = text.find("<")
    while 0 <= at < len(text) - _LONG_TAG:
        last = text.rfind("<", at + 1, at + 1 + _LONG_TAG)
        if last < 0:
            last = text.find("<", at + 1 + _LONG_TAG)
            yield at + 1, len(text) if last < 0 else last
        at = last


def _place_of(text: str, number: int) -> int:
    return next(islice(re.finditer("<", text), number, None)).start()


def _attributes(text: str, start: int, stop: int) -> tuple[int, int] | None:
    """Return where a tag's attributes start and end, or None if they are not too many."""
    end = text.find(">", start, start + _MIN_ATTRIBUTE * MAX_ATTRIBUTES)
    # a short tag without open quotes
    if end >= 0 and text.find("'", start, end) < 0 and text.count('"', start, end) % 2 == 0:
        return None
    tag, name = _TAG.match(text, start, stop), _NAME.match(text, start, stop)
    if tag is None or name is None or tag.end() - name.end() < _MIN_ATTRIBUTE * MAX_ATTRIBUTES:
        return None
    found = _ATTRIBUTE.finditer(text, name.end(), tag.end())
    if next(islice(found, MAX_ATTRIBUTES, None), None) is None:
        return None
    return name.end(), tag.end() - text.endswith("/", start, tag.end())
