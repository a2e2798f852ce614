"""Parts of a page that its server sends late, put where they belong. Pure, but it changes the tree given.

React writes `<template id="B:0"></template>` where a part is to come, and at the end of the page the part itself,
`<div hidden id="S:0">`; a script then moves it (react-dom's `$RC` and `$RS`). `P:` stands for a piece of such a part.
"""

from lxml.html import HtmlElement

_PLACES, _PART = ("B:", "P:"), "S:"


def place_streamed(tree: HtmlElement) -> None:
    """Move each part that is sent late to its place, as the page's script does, and open templates on show. Linear."""
    templates = list(tree.iter("template"))
    for one in templates:
        if one.get("shadowrootmode"):  # what its element shows (HTML, 4.12.3)
            one.tag = "div"
    places = [one for one in templates if (one.get("id") or "").startswith(_PLACES)]
    if not places:
        return
    names = ((one.get("id") or "", one) for one in tree.iter("div") if one.get("hidden") is not None)
    parts = {name: one for name, one in names if name.startswith(_PART)}
    for place in places:
        part = parts.pop(_PART + place.attrib["id"].partition(":")[2], None)
        if part is not None and part not in place.iterancestors():
            del part.attrib["hidden"]
            after, place.tail = place.tail, None
            place.addnext(part)
            part.tail = (part.tail or "") + (after or "")
