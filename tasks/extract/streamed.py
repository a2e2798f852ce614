"""Move the late parts of a streamed page to their place.

Pure, except that it modifies the given tree. React writes a placeholder `<template id="B:0"></template>`, and at the
end of the page the part itself, `<div hidden id="S:0">`, which a script moves there (react-dom's `$RC` and `$RS`). `P:`
is a placeholder within such a part.
"""

from lxml.html import HtmlElement

_PLACES, _PART = ("B:", "P:"), "S:"


def place_streamed(tree: HtmlElement) -> None:
    """Move each streamed part to its placeholder, as the page's script does, and open visible templates. Linear."""
    templates = list(tree.iter("template"))
    for one in templates:
        if one.get("shadowrootmode"):  # a declarative shadow root, which is visible (HTML, 4.12.3)
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
