import base64
import re

import pytest
from lxml import etree

from tasks.report.plot import COLOURS, columns, stacked_bars

HOSTILE = '"><script>alert(1)</script>]( \u202ejavascript:'


def drawn(image: str) -> etree._Element:
    (encoded,) = re.findall(r"^!\[[^\]]*\]\(data:image/svg\+xml;base64,([A-Za-z0-9+/=]+)\)$", image)
    return etree.fromstring(base64.b64decode(encoded))


def rectangles(root: etree._Element) -> list[float]:
    return [float(one.get("width")) for one in root.iter("{*}rect") if one.get("height") == "16"]


def test_a_bar_is_proportional_to_its_number():
    root = drawn(stacked_bars("Looks", [("a", {"new": 4, "old": 4}), ("b", {"new": 2})], ["new", "old"]))

    first, second, third = rectangles(root)
    assert (first, second, third) == (second, first, first / 2)


def test_without_data_there_is_no_image():
    assert stacked_bars("Looks", [("a", {})], ["new"]) == columns("Hours", [("0 h", 0)]) == ""


def test_a_label_is_escaped():
    root = drawn(stacked_bars("Looks", [(HOSTILE, {"new": 1})], ["new"]))

    assert {etree.QName(one).localname for one in root.iter()} == {"svg", "rect", "text"}
    assert any((one.text or "").startswith('"><script>') for one in root.iter("{*}text"))
    assert "\u202e" not in "".join(root.itertext())


def test_the_highest_column_is_reported():
    root = drawn(columns("Hours", [(f"{hour} h", hour) for hour in range(24)]))

    assert "at most 23" in "".join(root.itertext())
    assert sum(one.get("fill") == COLOURS[0] for one in root.iter("{*}rect")) == 23


def luminance(colour: str) -> float:
    """Return a colour's relative luminance (WCAG 2.2)."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("page", ["#ffffff", "#111317"])
def test_a_plot_is_visible_on_light_and_dark_pages(page):
    root = drawn(stacked_bars("Looks", [("a", {"new": 4, "old": 4})], ["new", "old"]))
    texts = {one.get("fill") for one in root.iter("{*}text")}

    assert not [one for one in root.iter("{*}rect") if one.get("width") == root.get("width")], "it has a ground"
    assert min(contrast(one, page) for one in texts) >= 4
    assert min(contrast(one, page) for one in COLOURS) >= 2.5
