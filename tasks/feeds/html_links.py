"""The bytes of an HTML page into a tree whose links can be read. Pure."""

import re

from lxml import etree, html

from tasks.feeds.collector import absolute_url
from tasks.web.charset import decode_text

MAX_PAGE_LENGTH = 5_000_000
"""Characters of a page that are read."""

_MARKUP = re.compile(r"<(?:!doctype\s+html|html|head|body|a|div)\b", re.IGNORECASE)
_XML = re.compile(r"\s*(?:<\?xml\s[^>]{0,200}\?>\s*)?<(?:rss|feed|urlset|sitemapindex|rdf:RDF)\b")


def page_tree(body: bytes, content_type: str | None) -> etree._Element | None:
    """Return the root of an HTML page, or None where the bytes are none."""
    text = decode_text(body, content_type)[0][:MAX_PAGE_LENGTH]
    if _XML.match(text) or not _MARKUP.search(text):
        return None
    parser = html.HTMLParser(huge_tree=True, no_network=True, remove_comments=True, remove_pis=True, encoding="utf-8")
    try:
        return html.document_fromstring(text.encode("utf-8", "replace"), parser=parser)
    except etree.ParserError:  # nothing but white space and comments
        return None


def page_base(root: etree._Element, page_url: str) -> str:
    """Return what the page's links are relative to."""
    declared = next((base.get("href") for base in root.iter("base") if base.get("href")), None)
    return absolute_url(declared, base_url=page_url) or page_url
