"""Links to RSL licences: in Link fields (RFC 8288), in a page's head, in robots.txt. Pure.

A licence link without the type `application/rsl+xml` is not RSL: a link to a Creative Commons licence states nothing
here.
"""

import html
import re
from collections.abc import Iterable, Iterator

from tasks.errors import ItemError
from tasks.values.url import Url
from tasks.web.headers import capped

RSL_TYPE = "application/rsl+xml"
MAX_LICENCES = 3
"""The most licence documents requested per page or origin."""

_LINK = re.compile(r'<([^<>\s]{1,2048})>\s*((?:;[^;,"]*(?:"[^"]*"[^;,"]*)*)*)')
_PARAMETER = re.compile(r';\s*([A-Za-z*-]+)\s*=\s*(?:"([^"]*)"|([^;,\s"]+))')
_TAG = re.compile(rb"<link\b[^<>]{0,2000}>", re.IGNORECASE)
_ATTRIBUTE = re.compile(r"""([A-Za-z:-]+)\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))""")


def licence_links(values: Iterable[str], *, origin: str, is_typed: bool = True) -> tuple[Url, ...]:
    """Return the licence URLs in Link fields that may be requested. `is_typed` False accepts links without a type."""
    found: dict[Url, None] = {}
    for value in values:
        for target, parameters in _LINK.findall(capped(value)):
            attributes = {name.lower(): quoted or plain for name, quoted, plain in _PARAMETER.findall(parameters)}
            kind = attributes.get("type") if is_typed else attributes.get("type", RSL_TYPE)
            if is_licence(attributes.get("rel"), kind) and (url := licence_url(target, origin=origin)):
                found[url] = None
    return tuple(found)[:MAX_LICENCES]


def licence_elements(content: bytes, *, origin: str) -> tuple[Url, ...]:
    """Return the licence URLs in a page's link elements. Only tags that contain RSL's type are parsed."""
    if RSL_TYPE.encode() not in content:
        return ()
    return tuple(dict.fromkeys(_element_links(content, origin)))[:MAX_LICENCES]


def _element_links(content: bytes, origin: str) -> Iterator[Url]:
    for tag in _TAG.findall(content):
        if RSL_TYPE.encode() not in tag.lower():
            continue
        pairs = _ATTRIBUTE.findall(tag.decode("utf-8", "replace"))
        attributes = {name.lower(): html.unescape(double or single or plain) for name, double, single, plain in pairs}
        if is_licence(attributes.get("rel"), attributes.get("type")) and (
            url := licence_url(attributes.get("href", ""), origin=origin)
        ):
            yield url


def is_licence(rel: str | None, kind: str | None) -> bool:
    """Whether a link leads to an RSL licence."""
    return "license" in (rel or "").lower().split() and (kind or "").split(";")[0].strip().lower() == RSL_TYPE


def licence_url(value: str, *, origin: str) -> Url | None:
    """Return a licence's URL if it is absolute and either https or at the origin that names it; else None."""
    try:
        url = Url.parse(value.strip()).without_fragment
    except ItemError:
        return None
    return url if url.startswith("https:") or url.origin == origin else None
