"""Stories in elements named like furniture, beside lists and boxes that are furniture."""

import pytest

from tests.extract.reading import PARAGRAPHS, read_page

HEADING = "<h1>Harbour reopens</h1>"
STORY = "".join(f"<p>{one}</p>" for one in PARAGRAPHS)
LISTED = "Mill burns down {} A fire at the mill was put out on Tuesday night, and the miller was saved by his dog."
LINKS = "".join(f'<p><a href="/{n}">{LISTED.format(n)}</a></p>' for n in range(12))


def lines_of(body: str) -> list[str]:
    return read_page(f'<html lang="en"><head><title>Harbour reopens</title></head><body>{body}</body></html>').lines


@pytest.mark.parametrize("tag", ["aside", "footer", "nav", "menu", "dialog"])
@pytest.mark.parametrize("story", [HEADING + "<{0}>{1}</{0}>", "<{0}>" + HEADING + "{1}</{0}>"])
def test_a_story_in_a_furniture_element_is_extracted_without_link_lists(tag, story):
    assert lines_of(f"<div class='list'>{LINKS}</div>{story.format(tag, STORY)}") == list(PARAGRAPHS)


def test_a_long_footer_below_a_short_story_is_removed():
    legal = "".join(
        f"<p>Part {n} of what we owe to our readers by law, in the words of our office.</p>" for n in range(30)
    )
    lines = lines_of(f"<main>{HEADING}{STORY}</main><footer>{legal}</footer>")

    assert lines == list(PARAGRAPHS)
