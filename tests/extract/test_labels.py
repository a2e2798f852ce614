import pytest

from tests.extract.reading import PARAGRAPHS, page, read_page, read_story


@pytest.mark.parametrize(
    "label",
    [
        "<div class='m'><p>6 minutes to read this</p></div>",
        "<div class='m'><p>Back to the harbour desk</p></div>",
        "<ul><li>Our harbour reporter</li><li>4 min read</li></ul>",
    ],
)
def test_labels_above_the_storys_element_are_removed(label):
    assert read_story(over=label) == list(PARAGRAPHS)


@pytest.mark.parametrize(
    "lede",
    [
        "<div class='m'><p>The ferries sail again.</p></div>",
        "<div class='m'><h2>Three weeks without a ferry</h2></div>",
        "<ul>"
        + "".join(f"<li>Pier {at}: {size} boats of any size</li>" for at, size in enumerate(range(20, 30)))
        + "</ul>",
    ],
)
def test_sentences_headings_and_long_lists_above_it_stay(lede):
    assert read_story(over=lede)[-len(PARAGRAPHS) :] == list(PARAGRAPHS)
    assert len(read_story(over=lede)) > len(PARAGRAPHS)


def within(line: str) -> list[str]:
    last = f"<p>{PARAGRAPHS[4]}</p>"
    return read_page(page().replace(last, last + line)).lines


@pytest.mark.parametrize(
    "line",
    [
        "<p class='post-date'>The desk put this up on November 18, 2025, with 59 comments</p>",
        "<div class='last-updated'><p>Looked through again on April 21, 2025 by the desk</p></div>",
    ],
)
def test_lines_named_as_dates_are_removed(line):
    assert within(line) == list(PARAGRAPHS)


@pytest.mark.parametrize(
    "line",
    [
        "<p class='note'>The harbour opened on April 21, 1925 with a band</p>",
        "<p class='update'>The harbour opened on April 21, 1925 with a band</p>",
        "<p class='posted'>The harbour opened on a day in April with a band</p>",
    ],
)
def test_lines_with_a_date_stay(line):
    assert within(line)[-1].startswith("The harbour opened")
