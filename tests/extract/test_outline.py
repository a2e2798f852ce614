import pytest

from tasks.extract.outline import has_picture, is_on_site, outline_page
from tasks.extract.page import parse_page
from tasks.extract.tree import parse_html, text_of
from tests.extract.reading import PARAGRAPHS, URL


def outline(body: str, *, title: str | None = None, ledes=()):
    return outline_page(parse_page(body, URL).find("body"), title=title, ledes=ledes, is_news=True)


def labels(body: str, **known) -> list[str]:
    return [text for _, text in outline(body, **known).labels]


def test_short_texts_on_their_own_are_labels():
    assert labels(f"<div><h2>Most read</h2><p>{PARAGRAPHS[0]}</p></div>") == ["Most read"]


def test_a_label_is_the_outermost_element_with_only_that_text():
    found = outline(f"<div><div class='head'><h2><span>Most read</span></h2></div><p>{PARAGRAPHS[0]}</p></div>").labels

    assert [one.get("class") for one, _ in found] == ["head"]


def test_a_word_within_a_sentence_is_no_label():
    assert labels(f"<p>{PARAGRAPHS[0]} <b>Share</b> it.</p><p>{PARAGRAPHS[1]}</p>") == []


def test_controls_in_a_row_are_labels():
    assert labels(f"<div><span>Share</span><span>Print</span></div><p>{PARAGRAPHS[0]}</p>")[-2:] == ["Share", "Print"]


def test_the_main_heading_is_no_label():
    assert labels(f"<h1>Latest</h1><p>{PARAGRAPHS[0]}</p>", title="Latest") == []


def test_the_title_is_the_matching_heading():
    found = outline("<h1>Port Courier</h1><h1>Harbour reopens</h1>", title="Harbour reopens!")

    assert text_of(found.title) == "Harbour reopens"


def test_without_a_title_the_first_heading_is_taken():
    assert text_of(outline("<h1>Port Courier</h1><h1>Harbour reopens</h1>").title) == "Port Courier"


@pytest.mark.parametrize(
    ("heading", "count"),
    [
        ("<h3><a href='/other'>A</a></h3>", 1),
        ("<a href='/other'><h3>A</h3></a>", 1),
        ("<h3><a href='https://elsewhere.example/'>A</a></h3>", 1),
        ("<h3>A</h3>", 0),
        ("<h3><a>A</a></h3>", 0),
        ("<h3><a href='#part'>A</a></h3>", 0),
        ("<h3><a href='javascript:open()'>A</a></h3>", 0),
        ("<h3><a href='mailto:a@b.example'>A</a></h3>", 0),
        ("<h3><a href='/local/harbour-reopens#comments'>A</a></h3>", 0),
        ("<h3><a href='http://[broken'>A</a></h3>", 0),
    ],
)
def test_headings_that_link_to_another_page_are_stories(heading, count):
    found = outline(f"<div>{heading}</div>")

    assert found.stories[found.body] == count


def test_lines_are_blocks_of_one_line():
    found = outline(f"<div><p>One</p><div>Two<ul><li>Three</li></ul></div></div><p>{PARAGRAPHS[0] * 4}</p>")

    assert [text for _, text in found.lines] == ["One", "Three"]


def test_ledes_are_kept_as_words():
    assert outline("<p>a</p>", ledes=["Ferries, again!"]).ledes == {("ferries", "again")}


@pytest.mark.parametrize("body", ["<p><img></p>", "<p><b><picture></picture></b></p>", "<p><video></video></p>"])
def test_pictures_are_found_at_any_depth(body):
    assert has_picture(next(parse_html(body).iter("p")))


def test_text_is_no_picture():
    assert not has_picture(next(parse_html("<p>img</p>").iter("p")))


SITE = URL[: URL.index("/", len("https://"))]


@pytest.mark.parametrize(
    ("href", "is_on"),
    [
        ("/other", True),
        (f"{SITE}/other#part", True),
        (f"{SITE}/other?a=1;b=2", True),
        (f"{SITE}/a/../other", True),
        (f"{SITE}.elsewhere.example/other", False),
        (f"{SITE}//other", True),
        ("//elsewhere.example/other", False),
        (URL, False),
        (f"{URL}#part", False),
        (f"{URL}?", False),
        (f"{URL}?#part", False),
        (f"{URL}\t", False),
        ("https://[/other", False),
        ("", False),
    ],
)
def test_a_url_is_on_the_site_if_it_is_another_page_of_it(href, is_on):
    assert is_on_site(href, parse_page("<p>Harbour", URL)) is is_on
