import json

import pytest

from benchmarks.extraction import NEWSROOM, extract_ours, read_pages
from benchmarks.scoring import Answer, score, summarise
from benchmarks.stability import FURNITURE, PLACES, count_changes
from tasks.values.text.digest import text_digest
from tests.extract.reading import NAMES, PARAGRAPHS, expected, page, read_fixture, read_page
from tests.newsroom import needs_newsroom

SEEDS = NEWSROOM.parent / "seedpage"
LAYOUTS = ("easy", "hard", "noarticle", "nested")


@pytest.mark.parametrize("name", [name for name in NAMES if "text" in expected(name)])
def test_fixture_pages_give_their_text(name):
    assert read_fixture(name).text == expected(name)["text"]


@pytest.mark.parametrize("name", [name for name in NAMES if "path" in expected(name)])
def test_fixture_pages_are_extracted_on_their_path(name):
    assert read_fixture(name).path == expected(name)["path"]


def test_a_plain_story_is_its_paragraphs():
    assert read_page(page()).lines == list(PARAGRAPHS)


def test_different_furniture_gives_the_same_text():
    cards = "".join(f"<article><h3><a href='/{n}'>Story {n}</a></h3><p>It begins so.</p></article>" for n in range(5))
    one = read_page(page(after=f"<section><h2>Most read</h2>{cards}</section>"))
    other = read_page(page(before="<div><a href='/x'>Latest: goalless derby</a></div>", after="<aside>Ad</aside>"))

    assert one.text == other.text


def test_extraction_is_deterministic():
    html = page(inside="<p>Read more: <a href='/a'>Another story</a></p>")

    assert read_page(html) == read_page(html)


def test_missing_text_is_taken_from_jsonld():
    body = "\\n".join(PARAGRAPHS)
    head = f'<script type="application/ld+json">{{"@type": "NewsArticle", "headline": "Harbour reopens", "articleBody": "{body}"}}</script>'
    found = read_page(f"<html><head>{head}</head><body><h1>Harbour reopens</h1><p>{PARAGRAPHS[0]}</p></body></html>")

    assert (found.path, found.lines) == ("jsonld", list(PARAGRAPHS))


def test_jsonld_of_another_story_is_ignored():
    body = "A text about something else altogether, which shares no line with what the page shows. " * 20
    head = f'<script type="application/ld+json">{{"@type": "NewsArticle", "headline": "Harbour reopens", "articleBody": "{body}"}}</script>'

    assert read_page(page(head=head)).lines == list(PARAGRAPHS)


def test_jsonld_with_doubled_text_is_ignored():
    body = " ".join(PARAGRAPHS * 3)
    head = f'<script type="application/ld+json">{{"@type": "NewsArticle", "headline": "Harbour reopens", "articleBody": "{body}"}}</script>'

    assert read_page(page(head=head)).path == "fast"


def test_a_jsonld_body_in_html_is_read_as_lines():
    body = "".join(f"&lt;p&gt;{one}&lt;/p&gt;" for one in PARAGRAPHS)
    head = f'<script type="application/ld+json">{{"@type": "NewsArticle", "headline": "Harbour reopens", "articleBody": "{body}"}}</script>'
    found = read_page(f"<html><head>{head}</head><body><h1>Harbour reopens</h1><p>{PARAGRAPHS[0]}</p></body></html>")

    assert found.lines == list(PARAGRAPHS)


def test_paragraphs_missed_by_the_fast_mode_are_found():
    hidden = "".join(f'<div class="comment-body"><p>{one}</p></div>' for one in PARAGRAPHS)
    found = read_page(f"<html><body><h1>Harbour reopens</h1>{hidden}</body></html>")

    assert set(PARAGRAPHS) <= set(found.lines)


def test_a_layout_table_is_not_extracted_as_a_table():
    cells = "<td><a href='/a'>Local</a><br><a href='/b'>Sport</a><br><a href='/c'>Weather</a></td><td>{}</td>"
    story = "<h1>Harbour reopens</h1>" + "".join(f"<p>{one}</p>" for one in PARAGRAPHS)

    assert read_page(f"<html><body><table><tr>{cells.format(story)}</tr></table></body></html>").lines == list(
        PARAGRAPHS
    )


def test_a_data_table_is_kept():
    rows = "".join(f"<tr><td>Pillar {n}</td><td>{n} cracks</td></tr>" for n in range(4))

    assert "Pillar 3" in read_page(page(inside=f"<table>{rows}</table>")).text


@pytest.mark.parametrize(
    "line",
    [
        "Harbour reopens",
        "LOCAL: Harbour reopens",
        "By Mara Quill",
        "2 March 2026",
        "SKARV",
    ],
)
def test_metadata_are_not_repeated_at_the_head_of_the_text(line):
    head = '<meta name="author" content="Mara Quill"><meta property="article:section" content="Local">'

    assert read_page(page(head=head).replace("</h1>", f"</h1><p>{line}</p>")).lines == list(PARAGRAPHS)


def test_a_title_repeated_further_down_is_kept():
    found = read_page(
        page().replace("</div>", "<p>“Harbour reopens” read the poster on the quay that morning.</p></div>", 1)
    )

    assert found.lines[-1].startswith("“Harbour reopens”")


def test_a_text_of_one_line_is_kept_even_if_it_is_the_title():
    assert read_page("<html><head><title>Harbour reopens</title></head><body><p>Harbour reopens</p></body></html>").text


@pytest.mark.newsroom
@needs_newsroom
@pytest.mark.parametrize("layout", LAYOUTS)
class TestSeedPages:
    def test_different_teasers_give_the_same_digest(self, layout):
        assert text_digest(seed(layout, "a").text) == text_digest(seed(layout, "b").text)

    def test_the_text_is_the_story(self, layout):
        assert tokens_f1((SEEDS / "expected.txt").read_text(encoding="utf-8"), seed(layout, "a").text) >= 0.99

    def test_no_teaser_no_caption_no_control_no_title_in_the_text(self, layout):
        truth = json.loads((SEEDS / "expected.json").read_text(encoding="utf-8"))
        unwanted = (truth["title"], truth["caption"], "Keep Reading", *truth["teasers_a"], *truth["teasers_b"])

        assert [one for one in unwanted if one in seed(layout, "a").text + seed(layout, "b").text] == []

    def test_the_dek_is_the_lede(self, layout):
        dek = json.loads((SEEDS / "expected.json").read_text(encoding="utf-8"))["dek"]

        assert seed(layout, "a").metadata.lede == dek.rstrip("\ufffd")

    def test_the_title_is_found(self, layout):
        truth = json.loads((SEEDS / "expected.json").read_text(encoding="utf-8"))

        assert seed(layout, "b").metadata.title == truth["title"]


def seed(layout: str, teasers: str):
    html = (SEEDS / f"{layout}_{teasers}.html").read_text(encoding="utf-8")
    return read_page(html, url="https://www.example-eye.test/russia-pakistan-relations")


def tokens_f1(wanted: str, found: str) -> float:
    return score(Answer(text=wanted), Answer(text=found)).f1


@pytest.mark.newsroom
@needs_newsroom
def test_the_newsroom_reaches_its_scores():
    figures = summarise([score(one.truth, extract_ours(one)) for one in read_pages(NEWSROOM)])

    floors = {"f1": 0.972, "title": 0.80, "author": 0.88, "date": 0.985}
    assert {name: figures[name] for name, floor in floors.items() if figures[name] < floor} == {}
    assert figures["leak"] <= 0.025


@pytest.mark.newsroom
@needs_newsroom
@pytest.mark.parametrize("place", PLACES)
def test_different_teasers_under_a_heading_change_no_text_of_the_newsroom(place):
    changed, tried = count_changes(read_pages(NEWSROOM)[::5], extract_ours, FURNITURE["headed cards"], PLACES[place])

    assert changed == 0
    assert tried >= 15


def test_captions_of_figures_are_kept_if_they_are_the_story():
    figures = "".join(f'<figure><img src="a.jpg"><figcaption>{one}</figcaption></figure>' for one in PARAGRAPHS)
    html = f"<html><head><title>Harbour</title></head><body><main><article><h1>Harbour</h1>{figures}</article></main></body></html>"

    assert read_page(html).lines == list(PARAGRAPHS)


def test_text_is_split_into_lines_as_on_the_page():
    spans = "".join(f"<center>{one}</center>" for one in PARAGRAPHS)
    html = f"<html><head><title>Harbour</title></head><body><main><h1>Harbour</h1>{spans}</main></body></html>"

    assert read_page(html).lines == list(PARAGRAPHS)


BRIEF = (
    "旧港は三週間ぶりに月曜日の朝からフェリーに再び開放される、と港湾局が発表した。",
    "二月に潜水士が九本の柱のうち二本にひびを見つけ、埠頭は閉鎖されていた。",
    "修理費は四百十万円で、三分の二を国が負担する。",
)


@pytest.mark.parametrize("count", [2, 3])
def test_a_brief_in_a_dense_script_is_split_into_lines_as_on_the_page(count):
    story = "".join(f"<p>{one}</p>" for one in BRIEF[:count])
    html = page(language="ja").split("<h1>")[0] + f"<h1>旧港が再開</h1>{story}</div></main></body></html>"

    assert read_page(html).lines == list(BRIEF[:count])


@pytest.mark.parametrize("row", ["<td>2024</td><td>12</td>", "<td>12.5.24</td><td>13.5.24</td>"])
def test_a_row_of_figures_near_the_head_is_not_removed_as_a_date(row):
    table = f"<table><tr><th>Year</th><th>Ferries</th></tr><tr>{row}</tr><tr><td>next</td><td>14</td></tr></table>"
    lines = read_page(page().replace(f"{PARAGRAPHS[0]}</p>", f"{PARAGRAPHS[0]}</p>{table}")).lines

    assert [line.startswith("|") for line in lines[:5]] == [False, True, True, True, False]


def test_the_recall_modes_additions_are_dropped_if_the_story_is_complete():
    line = "Rule {} of the port applies to all who use its ferries and quays, and is read out on board."
    teasers = "".join(f"<div class='teaser'>{line.format(number)}</div>" for number in range(80))
    story = "".join(f"<p>{text}</p>" for text in PARAGRAPHS)

    found = read_page(f"<body><article><h1>Harbour</h1>{story}{teasers}</article></body>")

    assert found.lines == [*PARAGRAPHS]
