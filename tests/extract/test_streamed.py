import pytest

from tasks.extract.tree import parse_html, text_of
from tests.extract.reading import PARAGRAPHS, page, read_page

FIRST, LATE = PARAGRAPHS[0], "The board will publish the divers' report on the pillars in the first week of the month."


def streamed(name: str, part: str, *, place: str = "B:0") -> str:
    html = page(inside=f'<template id="{place}"></template>')
    return html.replace(
        "</body>", f'<div hidden id="{name}"><p>{part}</p></div><script>$RC("B:0","S:0")</script></body>'
    )


def test_a_streamed_part_is_moved_to_its_place():
    assert read_page(streamed("S:0", LATE)).lines == [*PARAGRAPHS[:3], LATE, *PARAGRAPHS[3:]]


def test_a_segment_of_a_part_is_moved_to_its_place():
    html = streamed("S:0", f'{FIRST} </p><template id="P:1"></template><p>')
    html = html.replace("</body>", f'<div hidden id="S:1"><p>{LATE}</p></div></body>')

    assert LATE in read_page(html).lines


@pytest.mark.parametrize(
    "html",
    [
        streamed("S:0", LATE, place="B:9"),  # a part without a place
        streamed("S:0", LATE).replace("hidden ", "hidden ").replace('id="S:0"', 'id="dialog"'),  # hidden for a reason
    ],
    ids=["no place", "another name"],
)
def test_a_part_without_a_place_stays_hidden(html):
    assert read_page(html).lines == list(PARAGRAPHS)


def test_a_part_that_holds_its_own_place_stays_where_it_is():
    tree = parse_html(f'<main><div hidden id="S:0"><template id="B:0"></template><p>{LATE}</p></div></main>')

    assert text_of(tree) == LATE


def test_content_after_a_place_follows_the_part():
    tree = parse_html('<p>one <template id="B:0"></template>three</p><div hidden id="S:0">two </div>')

    assert text_of(tree) == "one two three"
