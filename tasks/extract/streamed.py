"""Move late parts of a streamed page to their places. Pure, but changes the given tree.

React writes `<template id="B:0"></template>` where a part will be, and the part itself at the end of the page, as `<div
hidden id="S:0">`; a script then moves it (react-dom's `$RC` and `$RS`). `P:` marks a piece of such a part.
"""

from lxml.html import HtmlElement

_PLACES, _PART = ("B:", "P:"), "S:"


def place_streamed(tree: HtmlElement) -> None:
    """Move each late part to its place, as the page's script does, and open shadow-root templates. Linear."""
    templates = list(tree.iter("template"))
    for one in templates:
        if one.get("shadowrootmode"):  # shown by its element (HTML, 4.12.3)
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
