"""Sanitize a stored page so that it does nothing in a browser: no scripts, forms, requests or other pages. Pure.

It runs in a process that can be killed. The response's Content-Security-Policy forbids the same
(tasks/browse/guard.py); this covers what a policy does not reach, such as links that make a browser resolve names.
"""

from lxml.etree import SubElement, strip_tags
from lxml.html import HtmlElement, tostring

from tasks.errors import NotAnArticle
from tasks.extract.tree import parse_html, remove
from tasks.web.text import decode_text

GONE = frozenset("applet audio fencedframe frame frameset iframe object portal script template video".split())
"""Elements that load, run or link something; removed with their content."""

EMPTY = frozenset("base bgsound embed link meta param source track".split())
"""Void elements of this kind: if the parser puts following content inside, it is kept."""

URL_ATTRIBUTES = frozenset(
    """
    action archive attributionsrc background cite classid code codebase data datasrc dynsrc formaction href icon imagesrcset
    longdesc lowsrc manifest ping poster profile src srcdoc srcset target usemap xlink:href xml:base
    """.split()
)
ACTIVE_ATTRIBUTES = frozenset("autofocus autoplay download form http-equiv is nonce popovertarget".split())

PLAIN_STYLE = (
    "html{color-scheme:light;background:#fff;color:#1c1b19;font:16px/1.5 system-ui,sans-serif}"
    "body{margin:1rem}img{max-width:100%;height:auto}"
)
"""A default style for pages whose own style sheets are external; the page's inline styles follow and take precedence."""


def make_inert(body: bytes, content_type: str | None) -> bytes:
    """Return a page as inert HTML in UTF-8; raises NotAnArticle if it is not HTML."""
    tree = parse_html(decode_text(body, content_type)[0])
    if tree is None:
        raise NotAnArticle("there is nothing to show")
    remove([element for element in tree.iter() if _name(element) in GONE])
    strip_tags(tree, *EMPTY)
    for element in tree.iter():
        if _name(element) == "form":  # keep the content: some sites put the whole page into a form
            element.tag = "div"
        _strip(element)
    head = tree.find("head")
    if head is not None:
        style = SubElement(head, "style")
        style.text = PLAIN_STYLE
        head.insert(0, style)
    made: bytes = tostring(tree, encoding="utf-8", method="html", doctype="<!DOCTYPE html>")
    return made


def _strip(element: HtmlElement) -> None:
    for name in list(element.attrib):
        plain = str(name).lower().rpartition("}")[2]
        if (
            plain.startswith("on")
            or plain in ACTIVE_ATTRIBUTES
            or (plain in URL_ATTRIBUTES and not _stays(element, name))
        ):
            del element.attrib[name]
    if _name(element) in {"input", "button", "select", "textarea"}:
        element.set("disabled", "")


def _stays(element: HtmlElement, name: str) -> bool:
    """Whether a URL is harmless: a fragment of the same page, or an image in a data: URI."""
    value = str(element.get(name, "")).strip().lower()
    if name == "href":
        return value.startswith("#")
    return name == "src" and _name(element) == "img" and value.startswith("data:image/")


def _name(element: HtmlElement) -> str:
    return str(element.tag).lower()
