import base64
import re

from lxml import etree

from tasks.report.plot import columns, stacked_bars

HOSTILE = '"><script>alert(1)</script>]( \u202ejavascript:'


def drawn(image: str) -> etree._Element:
    (encoded,) = re.findall(r"^!\[[^\]]*\]\(data:image/svg\+xml;base64,([A-Za-z0-9+/=]+)\)$", image)
    return etree.fromstring(base64.b64decode(encoded))


def rectangles(root: etree._Element) -> list[float]:
    return [float(one.get("width")) for one in root.iter("{*}rect") if one.get("height") == "16"]


def test_a_bar_is_as_long_as_its_number():
    root = drawn(stacked_bars("Looks", [("a", {"new": 4, "old": 4}), ("b", {"new": 2})], ["new", "old"]))

    first, second, third = rectangles(root)
    assert (first, second, third) == (second, first, first / 2)


def test_nothing_to_draw_is_no_image():
    assert stacked_bars("Looks", [("a", {})], ["new"]) == columns("Hours", [("0 h", 0)]) == ""


def test_a_label_is_text_and_nothing_else():
    root = drawn(stacked_bars("Looks", [(HOSTILE, {"new": 1})], ["new"]))

    assert {etree.QName(one).localname for one in root.iter()} == {"svg", "rect", "text"}
    assert any((one.text or "").startswith('"><script>') for one in root.iter("{*}text"))
    assert "\u202e" not in "".join(root.itertext())


def test_the_highest_column_is_told():
    root = drawn(columns("Hours", [(f"{hour} h", hour) for hour in range(24)]))

    assert "at most 23" in "".join(root.itertext())
    assert sum(one.get("fill") == "#2f6f9f" for one in root.iter("{*}rect")) == 23
