"""Expensive pages: each within its bounds of CPU and memory, which are generous and catch quadratic behaviour.

Sizes are at most those that a worker accepts: 5 MB decoded and 50,000 elements (`ExtractConfig`).
"""

import resource
from dataclasses import dataclass
from functools import cache

import pytest

from tasks.extract.tree import parse_html
from tests.extract.reading import PARAGRAPHS, Read, read_page
from tests.work import calls_of

MAX_GROWTH_MB = 500
PARTS = [4, pytest.param(1, marks=pytest.mark.long)]
STORY = "<h1>Harbour reopens</h1>" + "".join(f"<p>{one}</p>" for one in PARAGRAPHS)


def whole(inside: str = "", *, head: str = "") -> str:
    return f"<html><head><title>Harbour reopens</title>{head}</head><body>{STORY}{inside}</body></html>"


def ld(text: str) -> str:
    return f'<script type="application/ld+json">{text}</script>'


PAGES = {
    "depth 300": lambda part: "<html><body>" + "<div>" * 300 + STORY,
    "script of 11 MB": lambda part: whole(head="<script>" + "x=1;" * (2_750_000 // part) + "</script>"),
    "authors in no JSON-LD": lambda part: whole(head=ld("{" + '"author"' * (25_000 // part))),
    "JSON-LD of 5,000 articles": lambda part: whole(head=ld("[" + ",".join(['{"@type":"NewsArticle","headline":"a b c"}'] * (50_000 // part)) + "]")),
    "links": lambda part: whole("".join(f"<a href='/s/{n}'>Story {n}</a> " for n in range(45_000 // part))),
    "list of links": lambda part: whole("<ul>" + "".join(f"<li><a href='/s/{n}'>Story {n}</a></li>" for n in range(24_000 // part)) + "</ul>"),
    "table": lambda part: whole("<table>" + "".join(f"<tr><td>{n}</td><td>Town {n}</td></tr>" for n in range(16_000 // part)) + "</table>"),
    "table of the whole page": lambda part: f"<body><table><tr><td>{STORY}</td></tr>" + "<tr><td><a>a</a><a>b</a><a>c</a></td></tr>" * (9_000 // part),
    "flat divs": lambda part: whole("<div>x</div>" * (45_000 // part)),
    "cards": lambda part: whole("".join(f"<div><h3><a href='/s/{n}'>Story {n}</a></h3><p>So</p></div>" for n in range(11_000 // part))),
    "stop headings": lambda part: whole("<h2>Related</h2><a href='/x'>Some story here</a>" * (20_000 // part)),
    "captions": lambda part: whole("<div class='caption'>x</div>" * (40_000 // part) + "<img>"),
    "forms": lambda part: whole("<form>x</form>" * (45_000 // part)),
    "spans": lambda part: whole("<p>" + "<span>w </span>" * (45_000 // part) + "</p>"),
    "times": lambda part: whole("<time>12 March 2024</time>" * (45_000 // part)),
    "headings": lambda part: whole("<h1>Harbour reopens</h1>" * (45_000 // part)),
    "nested headings": lambda part: whole("<h2><a href='/x'>Some story here" * (20_000 // part)),
    "nested tables": lambda part: whole("<table><tr><td>" * (15_000 // part)),
    "nested comments": lambda part: whole("<div class='comments'>x" * (20_000 // part)),
    "nested footers": lambda part: whole("<footer>x" * (20_000 // part)),
    "metas": lambda part: whole(head="<meta name='author' content='Mara Quill'>" * (45_000 // part)),
    "long metas": lambda part: whole(head=f"<meta name='author' content='{'A B, ' * (400_000 // part)}'><meta name='keywords' content='{'k, ' * (400_000 // part)}'>"),
    "long title": lambda part: whole(head="<title>" + "Harbour | " * (200_000 // part) + "</title>"),
    "long class": lambda part: whole(f"<div class='{'comment-' * (300_000 // part)}'>x</div><div class='{'photo-' * (300_000 // part)}'>y</div>"),
    "long line": lambda part: whole("<p>" + "word " * (900_000 // part) + "</p>"),
    "breaks": lambda part: whole("<div>" + "Some text of a line<br>" * (45_000 // part) + "</div>"),
    "long articleBody": lambda part: whole(head=ld('{"@type":"NewsArticle","headline":"Harbour reopens","articleBody":"' + "<p>abc def " * (150_000 // part) + '"}')),
    "attributes": lambda part: f"<body {' '.join(f'a{n}=1' for n in range(40_000 // part))}>{STORY}<div {' '.join(f'b{n}' for n in range(40_000 // part))}>x</div>",
    "entities": lambda part: whole("<p>" + "&lt;" * (1_000_000 // part) + "</p>"),
}  # fmt: skip


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("name", PAGES)
def test_a_hostile_page_is_extracted_within_its_bounds(name, part):
    read = read_hostile(name, part)

    assert read.calls < read.may_call
    assert read.growth_mb < MAX_GROWTH_MB


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize(
    "name",
    [
        "depth 300",
        "script of 11 MB",
        "authors in no JSON-LD",
        "JSON-LD of 5,000 articles",
        "list of links",
        "long metas",
        "long title",
        "attributes",
        "nested comments",
    ],
)
def test_a_hostile_pages_story_is_found(name, part):
    read = read_hostile(name, part)

    assert [one for one in PARAGRAPHS if one not in read.found.text] == []


@dataclass(frozen=True, kw_only=True)
class HostileRead:
    """A page's result, its cost, and its bound."""

    found: Read
    growth_mb: float
    calls: int
    may_call: int


@cache
def read_hostile(name: str, part: int) -> HostileRead:
    html = PAGES[name](part)
    found: list[Read] = []
    peak = peak_mb()
    calls = calls_of(lambda: found.append(read_page(html)))
    return HostileRead(found=found[0], growth_mb=peak_mb() - peak, calls=calls, may_call=bound(html))


def bound(html: str) -> int:
    """Return the allowed number of function calls: a constant, plus some for each character."""
    return 50_000 + 8 * len(html)


@pytest.mark.parametrize(
    "html",
    [
        "<html><body></body></html>",
        "<html><head><title>a</title></head><frameset><frame src='a.html'><frame src='b.html'></frameset></html>",
        "<div>" * 100_000,
        "<div>" * 100_000 + STORY,
        "<b>" * 100_000,
    ],
    ids=[
        "empty body",
        "frames only",
        "nothing in depth 100,000",
        "a story in depth 100,000",
        "depth of inline elements",
    ],
)
def test_a_page_without_text_gives_none(html):
    assert read_page(html).text == ""


def test_nul_bytes_do_not_truncate_the_text():
    story = "".join(f"<p>{one}</p>".replace("o", "o\x00") for one in PARAGRAPHS)

    assert read_page(f"<html><body>{story}</body></html>").lines == list(PARAGRAPHS)


NO_PAGES = {
    "UTF-16 read as Latin-1": STORY.encode("utf-16-le").decode("latin-1"),
    "noise": "".join(chr(n % 0x250 + 32) for n in range(300_000)),
    "angles": "<" * 500_000,
}


@pytest.mark.parametrize("html", NO_PAGES.values(), ids=NO_PAGES)
def test_payloads_that_are_not_pages_do_no_harm(html):
    assert calls_of(lambda: read_page(html)) < bound(html)


def test_a_pdf_served_as_html_is_not_parsed():
    assert (
        parse_html("%PDF-1.4\n%âãÏÓ\n" + "1 0 obj << /Length 5 >> stream abcd BT endstream endobj\n" * 20_000) is None
    )


def peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
