from importlib.metadata import version

import pytest
from trafilatura import bare_extraction
from trafilatura.settings import Extractor

from tasks.extract.quick import KNOWN_VERSION, quick_text
from tasks.extract.tree import INVISIBLE, parse_html, remove
from tests.extract.reading import NAMES, PAGES, PARAGRAPHS, page

FAST = Extractor(output_format="python", fast=True, comments=False)
RECALL = Extractor(output_format="python", fast=True, comments=False, recall=True)
STORY = "".join(f"<p>{text}</p>" for text in PARAGRAPHS * 3)
LINKS = "".join(f"<li><a href='/{n}'>Another story of the day, number {n}</a></li>" for n in range(6))
FRAMES = {
    "named": f"<div class='post-content'>{STORY}</div>",
    "marked": f"<div itemprop='articleBody'>{STORY}</div>",
    "an article": f"<article>{STORY}</article>",
    "a story": f"<section id='story'>{STORY}</section>",
    "a role": f"<div role='article'>{STORY}</div>",
    "full text": f"<div class='FullText'>{STORY}</div>",
    "content": f"<div class='page-content'>{STORY}</div>",
    "main": f"<main>{STORY}</main>",
    "main by role": f"<div role='main'>{STORY}</div>",
    "the second": f"<aside><article>{STORY}</article></aside><article>{STORY[:400]}</p>{STORY}</article>",
    "in a form": f"<form><div class='entry-content'>{STORY}</div></form>",
    "after a small form": f"<form><article>Search the archive</article></form><article>{STORY}</article>",
    "among comments": f"<div class='comments'><article>{STORY}</article></div><article>{STORY}</article>",
}
PARTS = {
    "a menu": f"<div><ul>{LINKS}</ul></div>",
    "links in paragraphs": "<p><a href='/a'>One</a></p><p>See <a href='/b'>the other, which is longer</a> first.</p>",
    "links that go with those beside them": f"<div><p>First.</p><ul>{LINKS}</ul><div><a href='/c'>The other story</a></div></div>",
    "a short line with a link": "<p>The <a href='/quay'>quay by the old mole</a> is open again since this morning.</p>",
    "a paragraph with a link": f"<p>{PARAGRAPHS[0]} <a href='/mole'>The mole</a> was not.</p>",
    "a paragraph of links": f"<p>{', '.join(f'<a href=/{n}>Story of the day, number {n}</a>' for n in range(9))}</p>",
    "shares": "<div class='share-buttons'><p>Share this with everyone whom you know and like</p></div>",
    "an author": "<div id='author-box'><p>Jane Doe writes about harbours and what is in them.</p></div>",
    "hidden": "<p style='display:none'>Nobody sees this line, which is long enough to be one.</p>",
    "hidden for readers": "<p aria-hidden='true'>Nobody hears this line, which is long enough to be one.</p>",
    "a message": "<p class='a-message'>This is a message from the harbour's own office, and not the story.</p>",
    "a caption": "<p class='wp-caption-text'>The harbour in June, seen from the old mole.</p>",
    "a caption in a box of shares": "<div class='social-links'><p class='caption'>Seen from the old mole.</p></div>after it",
    "a teaser": "<p class='Teaser'>The next story begins with these words and goes on elsewhere.</p>",
    "by cookie": "<p id='x' class='cookie-note'>A line about cookies that is a line about baking them.</p>",
    "odd names": "<p :class='x' x-on:click='y' @z='1'>A paragraph with attributes that no tree can be given.</p>",
    "a list": "<p>The boats are:</p><ul><li>Mara</li><li>Tern<ul><li>her tender</li></ul></li></ul>and so on",
    "a table": "<table><tr><th>Boat</th><th>Tons</th></tr><tr><td>Mara</td><td>12</td></tr></table>",
    "a table of links": f"<table><tr><td><ul>{LINKS}</ul></td></tr></table>",
    "a quote": "<blockquote><p>We are open again.</p><p>Come and see.</p></blockquote>after it",
    "breaks": "One line of the story<br>and another<br><br>and a third, with <b>bold</b> and <i>italic</i>.",
    "code": "<pre><code>if harbour:\n    open()</code></pre>",
    "a heading last": "<h2>What comes next</h2>",
    "twice": f"<p>{PARAGRAPHS[0]}</p><p>{PARAGRAPHS[0]}</p>",
    "boxes": "<div>A line that stands in a box of its own</div><div><span>and one in a span</span></div>",
    "a form": "<form><p>Your address</p><input name='a'></form>",
    "a large form": f"<form>{STORY * 4}</form>",
    "a figure": "<figure><img src='a.jpg'><figcaption>The port</figcaption></figure>",
    "details": "<details><summary>More</summary><p>What is behind it.</p></details>",
    "more by scrolling": f"<div class='infinite-scroll'><p>{PARAGRAPHS[1]}</p></div>",
    "comments": "<div id='comments'><p>I do not agree with any of this, and never will.</p></div>",
}


def asked(html, options=FAST):
    """Return the result of our steps, and that of the library's full extraction."""
    trees = [parse_html(html), parse_html(html)]
    for tree in trees:
        remove(list(tree.iter(*INVISIBLE)))
    found = bare_extraction(trees[1], options=options)
    quick = quick_text(trees[0], options)
    return quick.text if quick is not None and quick.is_sure else None, found.text if found is not None else ""


def test_the_steps_match_the_installed_version():
    assert version("trafilatura") == KNOWN_VERSION


@pytest.mark.parametrize("name", NAMES)
def test_fixture_pages_give_the_full_extractions_text(name):
    quick, whole = asked((PAGES / f"{name}.html").read_text(encoding="utf-8", errors="replace"))

    assert quick in (None, whole)


@pytest.mark.parametrize("frame", FRAMES.values(), ids=FRAMES)
def test_each_kind_of_frame_gives_the_full_extractions_text(frame):
    quick, whole = asked(f"<html><body><div>{frame}</div></body></html>")

    assert quick == whole


@pytest.mark.parametrize("part", PARTS.values(), ids=PARTS)
@pytest.mark.parametrize("text", [STORY, f"<p>{PARAGRAPHS[0]}</p><div>{PARAGRAPHS[1]}</div>"], ids=["long", "short"])
def test_parts_of_a_story_give_the_full_extractions_text(text, part):
    half = text.index("</p>") + 4
    for html in (page(inside=part), f"<body><article>{text[:half]}{part}{text[half:]}{part}</article>{part}</body>"):
        quick, whole = asked(html)

        assert quick in (None, whole)


@pytest.mark.parametrize("part", PARTS.values(), ids=PARTS)
def test_recall_mode_gives_the_full_extractions_text(part):
    quick, whole = asked(f"<body><article>{STORY}{part}{STORY}{part}</article></body>", RECALL)

    assert quick in (None, whole)
    assert ("The next story begins" in whole) == ("The next story begins" in part)


def test_most_stories_need_only_the_steps():
    quick = [asked(f"<body><article>{STORY}{part}</article></body>")[0] for part in PARTS.values()]

    assert sum(text is not None for text in quick) >= 0.8 * len(quick)


SHORT = f"{STORY[:400]}</p>"
MUCH = f"{'<div>Other text. </div>' * 900}"
ITEMS = "".join(f"<li>{text}</li>" for text in PARAGRAPHS)
GAINING = {
    "teasers": f"<body><article>{SHORT}{PARTS['a teaser']}</article>{MUCH}</body>",
    "a list in a table": f"<body><article>{SHORT}<table><tr><td><ul><li>Mara<li>Tern</ul></td></tr></table></article>{MUCH}</body>",
    "no frame": f"<body><div>{SHORT}</div>{MUCH}</body>",
    "no paragraph": f"<body><article><h2>Harbour</h2><ul>{ITEMS}</ul><h2>Ferries</h2><ul>{ITEMS}</ul></article>{MUCH}</body>",
}


@pytest.mark.parametrize("html", GAINING.values(), ids=GAINING)
def test_pages_that_a_lenient_pass_may_change_are_uncertain(html):
    assert not quick_text(parse_html(html), FAST).is_sure


@pytest.mark.parametrize("part", PARTS.values(), ids=PARTS)
def test_a_small_part_of_the_page_gives_the_full_extractions_text_if_certain(part):
    quick, whole = asked(f"<body><article>{SHORT}{part}</article>{MUCH}</body>")

    assert quick in (None, whole)


def test_a_small_part_of_the_page_rarely_needs_the_full_extraction():
    pages = [f"<body><article>{SHORT}{part}</article>{MUCH}</body>" for part in PARTS.values()]

    assert sum(asked(page)[0] is not None for page in pages) >= 0.8 * len(pages)


FEW = f"<p>{PARAGRAPHS[0][:90]}</p><p>{PARAGRAPHS[1][:90]}</p>"
BESIDE = {
    "nothing": "",
    "a story elsewhere": f"<section>{STORY}</section>",
    "the same again": f"<div>{FEW}</div>",
}
MUCH_BESIDE = {
    "boxes": MUCH,
    "the story in one run": f"<div class='box'>{STORY.replace('<p>', '').replace('</p>', '<br>')}</div>",
    "comments": f"<div class='comments'>{STORY}</div>",
}


@pytest.mark.parametrize("beside", BESIDE.values(), ids=BESIDE)
@pytest.mark.parametrize("frame", ["article", "main", "div"])
def test_a_short_text_with_the_rest_of_its_page_gives_the_full_extractions_text(frame, beside):
    quick, whole = asked(f"<body><{frame}>{FEW}</{frame}>{beside}</body>")

    assert quick == whole


@pytest.mark.parametrize("part", PARTS.values(), ids=PARTS)
def test_parts_of_a_short_text_give_the_full_extractions_text(part):
    quick, whole = asked(f"<body><article>{FEW}{part}</article><div>{STORY}</div></body>")

    assert quick in (None, whole)


@pytest.mark.parametrize("beside", MUCH_BESIDE.values(), ids=MUCH_BESIDE)
def test_a_short_text_on_a_long_page_is_left_to_the_full_extraction(beside):
    assert quick_text(parse_html(f"<body><article>{FEW}</article>{beside}</body>"), FAST) is None


def test_a_story_before_appended_ones_gives_the_full_extractions_text():
    more = f"<div class='infinite-scroll'><article><h2>Another</h2>{STORY}</article></div>"

    quick, whole = asked(f"<body><main><h1>Harbour</h1><article>{STORY}</article>{more}</main></body>")

    assert quick == whole


@pytest.mark.parametrize("part", PARTS.values(), ids=PARTS)
def test_a_story_outside_frames_gives_the_full_extractions_text(part):
    quick, whole = asked(f"<body><div>{STORY}</div>{part}</body>")

    assert quick in (None, whole)
    assert asked(f"<body>{STORY}</body>") == (asked(f"<body>{STORY}</body>")[1],) * 2


def test_a_frame_of_one_paragraph_gives_way_to_the_next_kind_of_frame():
    quick, whole = asked(f"<body><main><div class='story-body'><p>{PARAGRAPHS[0]}</p></div>{STORY}</main></body>")

    assert quick == whole
    assert PARAGRAPHS[-1] in quick
