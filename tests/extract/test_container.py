import pytest

from tasks.extract.blocks import blocks_of
from tasks.extract.container import locate, locate_article
from tasks.extract.left_out import restore_omitted
from tasks.extract.page import parse_page
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
    return [line.text for line in restore_omitted(locate(lines, blocks_of(parse_page(html, URL))))]


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
def test_missing_lines_in_the_same_element_are_filled_in(left_out):
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
def test_lines_in_other_elements_links_and_labels_are_not_filled_in(foreign):
    assert filled(page(inside=foreign), PARAGRAPHS) == list(PARAGRAPHS)


def test_a_partly_extracted_line_is_not_filled_in_again():
    html = page(
        inside="<p>Divers went down twice in the week <sup>note</sup> before the quay was closed to ferries.</p>"
    )
    lines = [
        *PARAGRAPHS[:3],
        "Divers went down twice in the week before the quay was closed to ferries.",
        *PARAGRAPHS[3:],
    ]

    assert filled(html, lines) == lines


def test_long_dialogs_beside_a_short_story_are_not_filled_in():
    html = page(after=f"<section class='rooms'>{PANES}{PANES}</section>")

    assert read_page(html).lines == list(PARAGRAPHS)


def test_the_mass_counts_all_loose_lines_even_if_only_the_first_is_found():
    lines = "<br><br>".join(PARAGRAPHS * 3)
    tree = parse_html(f"<html><body><h1>Harbour reopens</h1><div class='text'>{lines}</div></body></html>")
    found = locate([PARAGRAPHS[0]], blocks_of(tree))

    assert locate_article(found, tree.find(".//h1")).mass > 2.5 * sum(map(len, PARAGRAPHS))


def test_a_text_outside_the_story_does_not_locate_the_article():
    tree = parse_html(
        page(after="<div class='legal'><p>All that is printed here belongs to the Port Courier.</p></div>")
    )
    found = locate(["All that is printed here belongs to the Port Courier."], blocks_of(tree))

    assert locate_article(found, tree.find(".//h1")).mass > sum(map(len, PARAGRAPHS))


ITEMS = (
    "Nine pillars of oak stand under the quay of the town",
    "Two of them have cracks that divers saw in February",
)
LIST = "<ul>" + "".join(f"<li>{one}</li>" for one in ITEMS) + "</ul>"


def test_a_list_with_a_heading_at_the_head_is_filled_in():
    html = page().replace(f"<p>{PARAGRAPHS[0]}", f"<h3>In short</h3>{LIST}<p>{PARAGRAPHS[0]}")

    assert filled(html, PARAGRAPHS) == ["In short", *ITEMS, *PARAGRAPHS]


def test_a_list_with_a_heading_at_the_end_is_filled_in():
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
def test_other_content_at_the_end_is_not_filled_in(after):
    html = page().replace(f"{PARAGRAPHS[4]}</p>", f"{PARAGRAPHS[4]}</p>{after}")

    assert filled(html, PARAGRAPHS) == list(PARAGRAPHS)


LOOSE = "Nine pillars of oak stand under the quay of the town, and two of them have cracks."


def test_a_sentence_in_its_own_box_among_the_paragraphs_is_filled_in():
    assert filled(page(inside=f"<div class='x'><b>Update:</b> {LOOSE}</div>"), PARAGRAPHS)[3] == f"Update: {LOOSE}"


@pytest.mark.parametrize(
    "inside",
    [
        "<div class='x'>Picture: the quay of the town in winter</div>",
        f"<div class='x'>{LOOSE[:-1]}: <a href='/prints'>buy a print</a>.</div>",
        f"<section><div class='x'>{LOOSE}</div></section>",
    ],
)
def test_boxes_without_a_sentence_with_links_or_deeper_are_not_filled_in(inside):
    assert filled(page(inside=inside), PARAGRAPHS) == list(PARAGRAPHS)


PARTS = ("How the pillars cracked", "What the repairs cost", "港が再び開くまで")


def parted_by(headings, *, before="<div class='title'>", behind="</div>") -> str:
    """Return a story whose first paragraphs have a heading each, in its own box."""
    story = page()
    for heading, paragraph in zip(headings, PARAGRAPHS[1:], strict=False):
        story = story.replace(f"<p>{paragraph}", f"{before}<h2>{heading}</h2>{behind}<p>{paragraph}")
    return story


def test_headings_in_their_own_boxes_above_paragraphs_are_filled_in():
    assert filled(parted_by(PARTS), PARAGRAPHS) == [
        PARAGRAPHS[0],
        *(line for pair in zip(PARTS, PARAGRAPHS[1:4], strict=True) for line in pair),
        PARAGRAPHS[4],
    ]


@pytest.mark.parametrize("tag", ["h1", "h5", "h6"])
def test_a_heading_of_any_rank_in_the_texts_own_element_is_filled_in(tag):
    assert filled(page(inside=f"<{tag}>The cost</{tag}>"), PARAGRAPHS)[3] == "The cost"


def test_a_heading_that_links_to_itself_is_filled_in():
    html = page(inside="<h3 id='cost'><a href='#cost'>What the repairs cost</a></h3>")

    assert filled(html, PARAGRAPHS)[3] == "What the repairs cost"


@pytest.mark.parametrize(
    "html",
    [
        parted_by(PARTS[:1]),  # one by itself
        parted_by(("Most read",) * 3),
        parted_by([f"{part}:" for part in PARTS]),  # announces what is not there
        parted_by([f"<a href='/{at}'>{part}</a>" for at, part in enumerate(PARTS)]),
        parted_by(PARTS, behind="<p>Advert</p></div>"),  # over something else
        page(inside="<h3><a href='/other'>Mill burns down</a></h3>"),
        page(inside="<table><tr><th><h5>Year</h5></th></tr></table>"),
    ],
)
def test_headings_of_other_content_are_not_filled_in(html):
    assert filled(html, PARAGRAPHS) == list(PARAGRAPHS)


def test_an_item_that_begins_like_another_paragraph_is_filled_in():
    item = "Divers found cracks in two more pillars of the northern quay"

    assert filled(page(inside=f"<ul><li>{item}</li></ul>"), PARAGRAPHS)[3] == item


def test_a_long_captions_box_is_not_taken_for_the_storys():
    caption = f"{PARAGRAPHS[1][:30]} {'the harbour master, left, and the mayor of the island, right, ' * 4}".strip()

    assert filled(page(inside=f"<div class='pic'><h1>{caption}</h1><p>Photo: AFP</p></div>"), PARAGRAPHS) == list(
        PARAGRAPHS
    )
