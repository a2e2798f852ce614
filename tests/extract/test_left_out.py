import pytest

from tests.extract.reading import PARAGRAPHS, page, read_page

REST = "".join(f"<p>{one}</p>" for one in PARAGRAPHS[1:])


def lines_of(first: str) -> list[str]:
    return read_page(
        f"<html><head><title>Harbour reopens</title></head><body><article><h1>Harbour reopens</h1>{first}{REST}</article></body></html>"
    ).lines


@pytest.mark.parametrize("name", ["teaser", "intro lead teaser", "related", "share"])
def test_a_first_paragraph_stays_whatever_its_class(name):
    assert lines_of(f'<p class="{name}">{PARAGRAPHS[0]}</p>') == list(PARAGRAPHS)


def test_a_first_paragraph_that_is_a_link_to_another_site_stays():
    first = "The board says in a report of two hundred pages that no quay of the coast is safe in winter."
    linked = f"<p><a href='https://board.example/report'>{first}</a></p><p>{PARAGRAPHS[0]}</p>"

    assert read_page(page().replace(f"<p>{PARAGRAPHS[0]}</p>", linked)).lines == [first, *PARAGRAPHS]


@pytest.mark.parametrize(
    "first",
    [
        '<p class="teaser">Updated at noon</p>',
        '<p class="teaser"><a href="/mill">A fire at the mill was put out on Tuesday night, and the miller was saved by his dog.</a></p>',
        '<div class="teaser"><p>A fire at the mill was put out on Tuesday night, and the miller was saved by his dog.</p></div>',
    ],
    ids=["a label", "a link", "a box"],
)
def test_other_content_before_the_text_is_removed(first):
    assert lines_of(first) == list(PARAGRAPHS[1:])
