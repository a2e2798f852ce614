import pytest

from tests.extract.reading import PARAGRAPHS, page, read_page

HEAD = '<meta name="author" content="Mara Quill"><meta name="keywords" content="ferries, harbour, repairs, winter">'


def lines(ending: str, *, head: str = HEAD) -> list[str]:
    html = page(head=head)
    last = f"<p>{PARAGRAPHS[4]}</p>"
    return read_page(html.replace(last, last + ending)).lines


@pytest.mark.parametrize(
    "ending",
    [
        "<p>© 2024 Port Courier Press. Ask the office before you print this.</p><p>It answers within a week.</p>",
        "<p>Copyright 2024 Port Courier</p>",
        "<p>Labels</p><p>ferries, harbour, repairs, coast</p>",
        "<p>https://www.portcourier.example/local/harbour-reopens</p>",
        "<div class='who'><p>Mara Quill has written about harbours for fourteen years and lives on the quay.</p></div>",
        "<p><strong>Mara Quill</strong> has written about harbours for fourteen years and lives on the quay.</p>",
        "<div class='end'><p>We are paid by readers alone, and mean to keep it so.</p><p><a href='/give'>Give now</a></p></div>",
        (
            "<ul><li>The Courier fits into a pocket: <a href='/app'>fetch the programme</a> today.</li>"
            "<li>Every evening <a href='/letter'>our letter</a> sums up the day in a cup of tea.</li></ul>"
        ),
        (
            "<h4>Sources of this report</h4><ol><li>Port Board: Report. https://board.example/reports/2025</li>"
            "<li>Town council: Minutes. https://town.example/minutes/88</li></ol>"
        ),
    ],
)
def test_what_is_the_pages_goes_from_the_end(ending):
    assert lines(ending) == list(PARAGRAPHS)


@pytest.mark.parametrize(
    ("ending", "stays"),
    [
        ("<p>Mara Quill, who keeps the shop, has ordered milk for three weeks.</p>", "Mara Quill, who keeps the shop"),
        (
            "<p>The board published <a href='https://board.example/'>its report</a> on the cracks on Monday.</p>",
            "The board published",
        ),
        ("<ul><li>Nine pillars were looked at by divers</li><li>Two of them are cracked</li></ul>", "Nine pillars"),
        ("<p>Ferries, buses, trains and boats all sail again from Monday on.</p>", "Ferries, buses"),
        ("<p>埠頭は月曜日に再開され、渡し船は朝から通常どおり運航される。</p>", "埠頭は月曜日"),
        (
            "<ol><li>Buy milk at https://shop.example/milk</li><li>Take the bus to the quay</li><li>Walk</li></ol>",
            "Take the bus",
        ),
    ],
)
def test_what_the_story_says_last_stays(ending, stays):
    assert any(stays in line for line in lines(ending))


def test_a_body_printed_twice_is_read_once():
    twice = page().replace('<div class="story">', '<div class="phone">')
    body = "".join(f"<p>{one}</p>" for one in PARAGRAPHS)

    assert read_page(twice.replace("</main>", f"<div class='desk'>{body}</div></main>")).lines == list(PARAGRAPHS)


def test_a_chorus_stays():
    verse = "<p>Row, row the ferry home.</p>"

    assert lines(verse + "<p>The tide is out, the tide is in again.</p>" + verse).count("Row, row the ferry home.") == 2


MAKER = "The harbour office builds quays for towns of any size, and has done so since the age of sail."


def behind(box: str) -> list[str]:
    return read_page(page(after=box).replace('class="story"', 'class="x tale"')).lines  # no name that extractors know


@pytest.mark.parametrize(
    "box",
    [
        f"<div class='maker'><h4>Who we are</h4><p>{MAKER}</p></div>",
        f"<section><div><p>{MAKER}</p></div></section>",
        f"<div class='meta'><p>{MAKER}</p></div><div class='last'><p>{MAKER[:60]}</p></div>",
    ],
)
def test_boxes_of_another_make_behind_a_whole_story_go(box):
    assert behind(box) == list(PARAGRAPHS)


@pytest.mark.parametrize(
    "box",
    [
        f"<p>{MAKER}</p>",  # loose beside the story's element
        f"<div class='tale last'><p>{MAKER}</p></div>",  # of the same make
        f"<div class='rest'><p>{MAKER}</p><p>{MAKER} {MAKER}</p></div>",  # no little part
    ],
)
def test_what_may_be_the_rest_of_the_story_stays(box):
    assert behind(box)[len(PARAGRAPHS)] == MAKER


def test_boxes_behind_a_story_in_several_elements_stay():
    parts = "".join(
        f"<section class='s{at}'><h3>Part {at}</h3><p>{one}</p></section>" for at, one in enumerate(PARAGRAPHS)
    )
    html = page().split("<h1>")[0] + f"<h1>Harbour reopens</h1></div>{parts}</main></body></html>"

    assert PARAGRAPHS[4] in read_page(html).lines
