"""An article's markdown: rendered, it equals the text, and it keeps the page's markup."""

import gzip
import json
import time
import unicodedata
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml.html import document_fromstring
from markdown_it import MarkdownIt
from markdown_it.token import Token

from tasks.extract.blocks import blocks_of
from tasks.extract.markup import markdown_of
from tasks.extract.page import extract_html, extract_page
from tasks.extract.stored_page import ExtractConfig
from tests.extract.reading import PAGES
from tests.extract.stored import segment_of
from tests.newsroom import NEWSROOM, needs_newsroom

URL = "https://daily.example/news/1.html"
MARKDOWN = MarkdownIt("commonmark", {"html": False}).enable("table")


def rendered(markdown: str) -> str:
    """Render markdown as plain text in the form of `text`: a dash before items, bars between cells."""
    return "\n".join(_lines(MARKDOWN.parse(markdown)))


def _lines(tokens: list[Token]) -> Iterator[str]:
    cells: list[str] | None = None
    mark = ""
    for token in tokens:
        if token.type == "list_item_open":
            mark = "- "
        elif token.type == "tr_open":
            cells = []
        elif token.type == "tr_close":
            yield f"| {' | '.join(filter(None, cells or []))} |"
            cells = None
        elif token.type == "inline" and cells is not None:
            cells.append(_plain(token))
        elif token.type == "inline":
            yield mark + _plain(token)
            mark = ""
        else:
            assert token.type not in {"html_block", "code_block", "fence", "hr"}, token


def _plain(inline: Token) -> str:
    assert not any(one.type in {"html_inline", "image", "code_inline"} for one in inline.children)
    return "".join("\n" if one.type in {"softbreak", "hardbreak"} else one.content for one in inline.children)


def without_space(text: str) -> str:
    return unicodedata.normalize("NFC", "".join(text.split()))


def marked(html: str, text: str) -> str:
    return markdown_of(text, blocks_of(document_fromstring(f"<html><body>{html}</body></html>", base_url=URL)))


@pytest.mark.parametrize(
    ("html", "text", "markdown"),
    [
        ("<p>A <b>bold</b> word.</p>", "A bold word.", "A **bold** word."),
        ("<p>An <em>old</em> word.</p>", "An old word.", "An *old* word."),
        ("<p><strong><i>Both</i></strong></p>", "Both", "***Both***"),
        ("<p>See <a href='/a?x=1'>this</a>.</p>", "See this.", "See [this](https://daily.example/a?x=1)."),
        ("<p>See <a href='b'>th<b>i</b>s</a>.</p>", "See this.", "See [this](https://daily.example/news/b)."),
        ("<p>See <a href='javascript:x()'>this</a>.</p>", "See this.", "See this."),
        ("<p>See <a href='mailto:a@b.c'>this</a>.</p>", "See this.", "See this."),
        ("<p>See <a href='/a (b)'>this</a>.</p>", "See this.", "See [this](https://daily.example/a%20%28b%29)."),
        ("<p>See <a>this</a>.</p>", "See this.", "See this."),
        ("<h2>What is known</h2>", "What is known", "## What is known"),
        ("<h3>C #</h3>", "C #", "### C \\#"),
        ("<blockquote><p>One.</p><p>Two.</p></blockquote>", "One.\nTwo.", "> One.\n>\n> Two."),
        ("<ul><li>One</li><li>Two</li></ul>", "- One\n- Two", "- One\n- Two"),
        ("<ol><li>One</li><li>Two</li></ol><p>Z</p>", "- One\n- Two\nZ", "1. One\n2. Two\n\nZ"),
        ("<ul><li>One</li></ul><ul><li>Two</li></ul>", "- One\n- Two", "- One\n\n- Two"),
        ("<ul><li>See <a href='/a'>this</a></li></ul>", "- See this", "- See [this](https://daily.example/a)"),
        ("", "| A | B |\n| 1 | 2 |", "| A | B |\n| --- | --- |\n| 1 | 2 |"),
        ("", "| A |\n| 1 | 2 |", "| A |  |\n| --- | --- |\n| 1 | 2 |"),
        ("<p>One<br><b>two</b></p>", "One\ntwo", "One\n\n**two**"),
        ("<div>loose <b>one</b><p>A paragraph</p>and <b>two</b></div>", "loose one\nA paragraph\nand two",
         "loose **one**\n\nA paragraph\n\nand **two**"),
        ("<p>a <b>b</b><b>c</b></p>", "a bc", "a **bc**"),
        ("<p>x<b>(y)</b>z</p>", "x(y)z", "x(y)z"),
        ("<p>東京は<b>「港」</b>だ</p>", "東京は「港」だ", "東京は「港」だ"),
        ("<p>an<b>other</b> word</p>", "another word", "an**other** word"),
        ("<p>other words than <b>these</b> are in the text</p>", "nothing of it", "nothing of it"),
        ("", "", ""),
    ],
)  # fmt: skip
def test_markdown_keeps_the_pages_markup(html, text, markdown):
    assert marked(html, text) == markdown
    assert without_space(rendered(markdown)) == without_space(text)


@pytest.mark.parametrize(
    "line",
    [
        "# no heading", "1. no list", "2) no list", "- no list", "+ no list", "* no list", "=== no rule", "--- no rule", "> no quote",
        "<b>no</b> <script>alert(1)</script>", "&lt; &amp; &#60;", "[no](javascript:x) ![no](x)", "[no]: /link", "`no` code", "~~~ no fence",
        "a_b_c *no* **no** __no__", "C:\\path\\*", "<https://no.example>", "ends with \\", "1986\\. x", "|a|b|", "=", "-", "...",
    ],
)  # fmt: skip
@pytest.mark.parametrize("tag", ["p", "h2", "li", "blockquote"])
def test_text_that_looks_like_markup_is_escaped(line, tag):
    page = document_fromstring("<html><body></body></html>", base_url=URL)
    block = page.makeelement(tag)
    block.text = line
    page.find("body").append(block)
    text = f"- {line}" if tag == "li" else line

    made = markdown_of(text, blocks_of(page))

    assert without_space(rendered(made)) == without_space(text)
    assert "<" not in made.removeprefix("> ")


pieces = st.lists(
    st.tuples(
        st.sampled_from(["", "b", "i", "strong", "em", "a", "span"]),
        st.text("ab .,*_[]()#-+=>&<\\`~!|1京「」é\u0301\u200d", max_size=6),
    ),
    max_size=6,
)


@given(pieces)
def test_any_line_renders_as_itself(made):
    page = document_fromstring("<html><body><p></p></body></html>", base_url=URL)
    paragraph = page.find("body/p")
    for tag, text in made:
        one = paragraph.makeelement(tag or "span", {"href": "/x"} if tag == "a" else {})
        one.text = text
        paragraph.append(one)
    blocks = blocks_of(page)
    text = "\n".join(block.text for block in blocks)

    assert without_space(rendered(markdown_of(text, blocks))) == without_space(text)


@pytest.mark.parametrize("path", sorted(PAGES.glob("*.html")), ids=lambda path: path.stem)
def test_the_markdown_of_fixture_pages_renders_as_their_text(path):
    try:
        page = extract_html(path.read_bytes(), URL)
    except Exception as error:  # noqa: BLE001 - not an article: no markdown
        pytest.skip(f"no article: {type(error).__name__}")

    assert without_space(rendered(page.markdown or "")) == without_space(page.text)


@pytest.mark.newsroom
@needs_newsroom
@pytest.mark.parametrize("fold", range(4))
def test_the_markdown_of_real_pages_renders_as_their_text(fold):
    truth = NEWSROOM / "pages/truth.jsonl"
    wrong = []
    for number, row in enumerate(map(json.loads, truth.read_text(encoding="utf-8").split("\n")[:-1])):
        if number % 4 != fold:
            continue
        page = extract_html(gzip.decompress((truth.parent / row["html_path"]).read_bytes()), row["url"])
        if without_space(rendered(page.markdown or "")) != without_space(page.text):
            wrong.append(row["url"])

    assert wrong == []


def stored_page():
    _, stored = segment_of({URL: (PAGES / "breaks_fr.html").read_bytes()})
    return stored[URL]


@pytest.mark.parametrize("is_wanted", [True, False])
def test_markdown_can_be_switched_off(is_wanted):
    page = extract_page(stored_page(), ExtractConfig(has_markdown=is_wanted))

    assert (page.markdown is not None) is is_wanted
    assert page.text


@pytest.mark.parametrize("html", ["<p>Again and again.</p>", "Again and <b>again</b>.<br>"])
def test_a_repeated_line_costs_linear_time(html):
    many = 20_000
    blocks = blocks_of(document_fromstring(f"<html><body><div>{html * many}</div></body></html>", base_url=URL))
    before = time.process_time()

    made = markdown_of("\n".join(["Again and again."] * many), blocks)

    assert made.count("gain") == 2 * many
    assert time.process_time() - before < 5
