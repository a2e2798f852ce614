import pytest

from tasks.extract.blocks import blocks_of
from tasks.extract.container import fill, locate, place_of
from tasks.extract.tree import parse_html, text_of
from tests.extract.reading import PARAGRAPHS, URL, page, read_page

PANES = "".join(
    f"<div class='pane'><h3>{title}</h3><p>{text}</p><p>{text} {text}</p></div>"
    for title, text in (
        (
            "Your seat",
            "A seat in the gallery of readers costs nothing but a name that nobody else has taken before you.",
        ),
        (
            "The key",
            "The key to your seat was sent by mail, and it turns for as long as the moon that saw it made is there.",
        ),
        ("Full house", "So many readers are at their desks that yours has to wait until one of them goes out for tea."),
    )
)


def filled(html: str, lines) -> list[str]:
    return [line.text for line in fill(locate(lines, blocks_of(parse_html(html, url=URL))))]


@pytest.mark.parametrize(
    "left_out",
    [
        "<ul><li>Nine pillars of oak stand under the quay</li></ul>",
        "<ol class='steps'><li><strong>Nine pillars</strong> of oak stand under the quay</li></ol>",
        "<table><tr><td>Nine pillars of oak stand under the quay of the town</td></tr></table>",
        "<h3>Nine pillars of oak</h3>",
        "<blockquote><p>九本の柱のうち二本にひびが入っていると港湾局は発表し、潜水士が二度にわたって詳しく調べたうえで修理の計画を立てた。</p></blockquote>",
    ],
)
def test_what_stands_between_in_the_same_element_is_filled_in(left_out):
    block = text_of(parse_html(left_out))
    if left_out.startswith("<blockquote"):
        left_out = left_out.replace("<blockquote>", "").replace("</blockquote>", "")

    assert filled(page(inside=left_out), PARAGRAPHS) == [*PARAGRAPHS[:3], block, *PARAGRAPHS[3:]]


@pytest.mark.parametrize(
    "foreign",
    [
        "<div class='promo'><p>Take the harbour home: prints of the old quay from nine crowns.</p></div>",
        "<p><a href='/x'>The council backs the new plan for the market</a></p>",
        "<p>Advert</p>",
    ],
)
def test_what_has_an_element_of_its_own_or_is_a_link_or_a_label_is_not(foreign):
    assert filled(page(inside=foreign), PARAGRAPHS) == list(PARAGRAPHS)


def test_a_line_that_is_there_in_part_is_not_filled_in_again():
    html = page(
        inside="<p>Divers went down twice in the week <sup>note</sup> before the quay was closed to ferries.</p>"
    )
    lines = [
        *PARAGRAPHS[:3],
        "Divers went down twice in the week before the quay was closed to ferries.",
        *PARAGRAPHS[3:],
    ]

    assert filled(html, lines) == lines


def test_dialogs_that_outweigh_a_short_story_are_not_asked_for():
    html = page(after=f"<section class='rooms'>{PANES}{PANES}</section>")

    assert read_page(html).lines == list(PARAGRAPHS)


def test_a_story_of_loose_lines_is_missed_where_only_its_first_is_found():
    lines = "<br><br>".join(PARAGRAPHS * 3)
    tree = parse_html(f"<html><body><h1>Harbour reopens</h1><div class='text'>{lines}</div></body></html>")
    found = locate([PARAGRAPHS[0]], blocks_of(tree))

    assert place_of(found, tree.find(".//h1")).mass > 2.5 * sum(map(len, PARAGRAPHS))


def test_a_text_from_elsewhere_is_no_measure():
    tree = parse_html(
        page(after="<div class='legal'><p>All that is printed here belongs to the Port Courier.</p></div>")
    )
    found = locate(["All that is printed here belongs to the Port Courier."], blocks_of(tree))

    assert place_of(found, tree.find(".//h1")).mass > sum(map(len, PARAGRAPHS))


ITEMS = (
    "Nine pillars of oak stand under the quay of the town",
    "Two of them have cracks that divers saw in February",
)
LIST = "<ul>" + "".join(f"<li>{one}</li>" for one in ITEMS) + "</ul>"


def test_a_list_at_the_head_with_its_heading_is_the_storys():
    html = page().replace(f"<p>{PARAGRAPHS[0]}", f"<h3>In short</h3>{LIST}<p>{PARAGRAPHS[0]}")

    assert filled(html, PARAGRAPHS) == ["In short", *ITEMS, *PARAGRAPHS]


def test_a_list_at_the_end_with_its_heading_is_the_storys():
    html = page().replace(f"{PARAGRAPHS[4]}</p>", f"{PARAGRAPHS[4]}</p><h3>What is next</h3>{LIST}")

    assert filled(html, PARAGRAPHS) == [*PARAGRAPHS, "What is next", *ITEMS]


@pytest.mark.parametrize(
    "after",
    [
        "<h3>What is next</h3>",  # over nothing
        "<ul><li>Home</li><li>Ferries</li></ul>",  # labels
        "<ul><li><a href='/x'>The council backs the new plan for the market</a></li></ul>",
        f"<div class='more'>{LIST}</div>",
    ],
)
def test_what_is_no_list_of_the_storys_at_the_end_is_not_filled_in(after):
    html = page().replace(f"{PARAGRAPHS[4]}</p>", f"{PARAGRAPHS[4]}</p>{after}")

    assert filled(html, PARAGRAPHS) == list(PARAGRAPHS)


LOOSE = "Nine pillars of oak stand under the quay of the town, and two of them have cracks."


def test_a_sentence_in_a_box_of_its_own_among_the_paragraphs_is_filled_in():
    assert filled(page(inside=f"<div class='x'><b>Update:</b> {LOOSE}</div>"), PARAGRAPHS)[3] == f"Update: {LOOSE}"


@pytest.mark.parametrize(
    "inside",
    [
        "<div class='x'>Picture: the quay of the town in winter</div>",
        f"<div class='x'>{LOOSE[:-1]}: <a href='/prints'>buy a print</a>.</div>",
        f"<section><div class='x'>{LOOSE}</div></section>",
    ],
)
def test_a_box_that_is_no_sentence_or_links_or_stands_deeper_is_not(inside):
    assert filled(page(inside=inside), PARAGRAPHS) == list(PARAGRAPHS)
