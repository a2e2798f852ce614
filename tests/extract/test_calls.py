import pytest
from lxml.html import document_fromstring

from tasks.extract.calls import boxes_of_calls, promotes_a_page
from tests.extract.reading import PARAGRAPHS, page, read_page
from tests.work import calls_of

ASKED = "Our almanac of tides has every quay of the coast."


def between(box: str) -> list[str]:
    """Return the lines of a story with a box before its last paragraph."""
    last = f"<p>{PARAGRAPHS[4]}</p>"
    return read_page(page().replace(last, box + last)).lines


@pytest.mark.parametrize(
    "box",
    [
        f"<div class='b1'><h3>Never miss a tide</h3><p>{ASKED}</p><a class='btn btn-big' href='/almanac'>Get it</a></div>",
        f"<div class='b1'><p>{ASKED}</p><p><a class='x_linkButton' href='https://shop.example/almanac'>Get it</a></p></div>",
        f"<div class='b1'><div><p>{ASKED}</p></div><div><a role='button' href='/almanac'>Get it</a></div></div>",
        f"<section><p>{ASKED}</p><p><a class='cta' href='/a'>Buy</a> <a class='cta' href='/b'>Rent</a></p></section>",
        f"<div class='tide-cta'><p>{ASKED}</p><p><a href='/almanac'>Get it</a></p></div>",
    ],
)
def test_a_short_box_with_a_button_is_removed(box):
    assert between(box) == list(PARAGRAPHS)


@pytest.mark.parametrize(
    "box",
    [
        f"<div class='b1'><p>{ASKED}</p><p><a href='/almanac'>Get it</a></p></div>",  # a link
        f"<div class='b1'><p>{ASKED} {PARAGRAPHS[1]} {PARAGRAPHS[2]}</p><a class='btn' href='/a'>Get it</a></div>",  # long
        f"<p>{ASKED} <a class='btn' href='/a'>Get it</a></p>",  # in the story's own element
    ],
)
def test_boxes_that_only_look_like_it_stay(box):
    assert any(ASKED in line for line in between(box))


def test_boxes_that_hold_the_story_stay():
    boxes = "".join(
        f"<div class='item'><p>{one[:80]}, it says.</p><a class='btn' href='/shop/{at}'>See it</a></div>"
        for at, one in enumerate(PARAGRAPHS)
    )

    assert sum(line.endswith("it says.") for line in between(boxes)) == len(PARAGRAPHS)


@pytest.mark.parametrize("link", ["", "<a href='/tides'>Tides</a>"])
def test_a_box_is_a_call_only_without_other_links(link):
    body = document_fromstring(
        f"<body><div><p>{ASKED} {link}</p><a class='btn' href='/almanac'>Get it</a></div></body>"
    ).body

    assert [one.tag for one in boxes_of_calls(body, {body}, most=300)] == ([] if link else ["div"])


@pytest.mark.parametrize(
    ("box", "is_so"),
    [
        ("<div class='a'><p>Of <a href='/tides'>tides</a></p></div>", True),
        ("<div class='a'><p>Of <a href='https://tides.example/'>tides</a></p></div>", False),
        ("<div class='a'><h3>Why?</h3><h3>When?</h3><h3>How?</h3><p>Of <a href='/tides'>tides</a></p></div>", False),
        ("<div class='a'><p>Of <a href='/tides'>tides</a></p></div><div class='a'><p>Of boats</p></div>", False),
        ("<p>Of <a href='/tides'>tides</a></p>", False),
    ],
)
def test_a_distinct_box_with_few_headings_is_a_promotion(box, is_so):
    body = document_fromstring(f"<body><main>{box}</main></body>", base_url="https://www.portcourier.example/a").body

    assert promotes_a_page(body[0][0]) == is_so


def test_a_box_is_inspected_once_for_all_its_buttons():
    def work(buttons: int) -> int:
        body = document_fromstring(f"<body><div>{'<a class=btn href=/a>x</a>' * buttons}</div></body>").body
        return calls_of(lambda: [*boxes_of_calls(body, {body}, most=300)])

    assert work(280) < 2.5 * work(140)
