import pytest

from tests.extract.reading import PARAGRAPHS, page, read_page

NEXT = (
    "A lighthouse keeper of Norrhavn has counted the ships that passed his window for forty years, without a gap.",
    "The books fill a shelf of three metres, and the museum of the town will show them from May until September.",
    "Each ship has a line of its own, with the wind of the hour and the name of the captain where he knew it.",
)
TAKEN = (
    "諏訪の灯台守が四十年にわたって窓の外を通る船を数え続けてきたことが分かり、記録は博物館に収められることになった。",
    "帳面は三メートルの棚を埋めており、五月から九月まで町の博物館で誰でも無料で見ることができると館長は話している。",
    "それぞれの船には一行が与えられ、その時刻の風向きと、分かる場合には船長の名前も丁寧な字で書き込まれている。",
)


def story(paragraphs, heading: str, *, tag: str = "article", attributes: str = 'class="post"') -> str:
    text = "".join(f"<p>{one}</p>" for one in paragraphs)
    return f"<{tag} {attributes}>{heading}<div class='body'>{text}</div></{tag}>"


OWN = "<h1>Harbour reopens</h1>"


def scrolled(*stories: str) -> str:
    head = '<title>Harbour reopens - Port Courier</title><meta property="og:title" content="Harbour reopens">'
    return f"<html><head>{head}</head><body><main><div class='stream'>{''.join(stories)}</div></main></body></html>"


BRIEF = (
    "火曜日の夜に村の製粉所が全焼し、粉屋は飼い犬に助け出された、と消防が正午に発表した。",
    "けが人はいなかったが、一年分の小麦粉が火と水で失われたという。",
)


@pytest.mark.parametrize(
    "below",
    [
        story(NEXT, "<h1>The keeper who counts</h1>"),
        story(BRIEF, "<h1>製粉所が全焼</h1>"),
        story(NEXT * 2, "<header><h1><a href='/keeper'>The keeper who counts</a></h1></header>"),
        story(TAKEN, "<h1>船を数える灯台守</h1>"),
    ],
)
def test_an_appended_article_is_cut_off(below):
    assert read_page(scrolled(story(PARAGRAPHS, OWN), below, below)).lines == list(PARAGRAPHS)


@pytest.mark.parametrize(
    "below",
    [
        story(NEXT * 2, "<h2><a href='/keeper'>The keeper who counts</a></h2>", tag="div"),
        story(NEXT * 2, "<h2>The keeper who counts</h2>", tag="div", attributes='class="post" data-url="/keeper"'),
        story(NEXT * 2, "<h1>The keeper who counts</h1><time>3 May 2024</time>", tag="section"),
    ],
)
def test_an_appended_article_in_another_element_is_cut_off(below):
    tag = "section" if below.startswith("<section") else "div"

    assert read_page(scrolled(story(PARAGRAPHS, OWN, tag=tag), below)).lines == list(PARAGRAPHS)


@pytest.mark.parametrize(
    "part",
    [
        story(NEXT, "<h2>What the divers found</h2>", tag="section"),
        story(NEXT, "<h1>What the divers found</h1>", tag="section"),
        story(NEXT, "<h1>Harbour reopens</h1>"),
    ],
)
def test_a_part_of_the_story_stays(part):
    tag = "article" if part.startswith("<article") else "section"

    assert NEXT[2] in read_page(scrolled(story(PARAGRAPHS, OWN, tag=tag), part)).lines


def test_content_before_the_first_text_is_not_cut_off():
    assert PARAGRAPHS[4] in read_page(page(before="<article class='post'><h1>Port Courier</h1></article>")).lines
