import pytest

from tasks.extract.page import parse_page
from tasks.extract.prune import RULES, prune
from tasks.extract.tree import parse_html, text_of
from tests.extract.reading import PARAGRAPHS, URL, page

BY_NAME = {rule.name: rule for rule in RULES}
LEDE = "What the page says of itself in its description"
CARD = '<article><a href="/{0}"><img src="a.jpg"></a><h3><a href="/{0}">Story number {0}</a></h3><p>Its first lines</p></article>'
CARDS = "".join(CARD.format(n) for n in range(4))


def pruned(html: str, *, rules=RULES, is_news: bool = True, title: str = "Harbour reopens") -> str:
    """Return the text left of a page."""
    tree = parse_page(html, URL)
    prune(tree, title=title, ledes=(LEDE,), is_news=is_news, rules=rules)
    return text_of(tree.find("body"))


def shown(html: str) -> str:
    return text_of(parse_html(html))


@pytest.mark.parametrize("name", BY_NAME)
def test_each_rule_removes_its_target(name):
    rule = BY_NAME[name]

    assert shown(rule.example) not in pruned(page(after=f"<div>{rule.example}</div>"), rules=(rule,))


@pytest.mark.parametrize("name", BY_NAME)
def test_each_rule_keeps_the_story_around_it(name):
    left = pruned(page(inside=BY_NAME[name].example), rules=(BY_NAME[name],))

    assert [one for one in PARAGRAPHS if one not in left] == []


@pytest.mark.parametrize("name", BY_NAME)
def test_without_rules_the_targets_stay(name):
    assert shown(BY_NAME[name].example) in pruned(page(inside=BY_NAME[name].example), rules=())


COUNTER_EXAMPLES = {
    "comments": '<div class="comment-free"><p>Nobody had a comment on the closure.</p></div>',
    "sign_ups": f"<form><p>{PARAGRAPHS[0] * 4}</p><input></form>",  # some sites put the whole page into a form
    "cards": "<div><section><h3>Monday</h3><p>Fog</p></section><section><h3>Tuesday</h3><p>Rain</p></section></div>",
    "picture_cards": '<div><img src="a.jpg"><h3>How the cracks were found</h3><p>Divers went down twice.</p></div>',
    "stop_sections": "<h2>More than ships</h2><p>The harbour is a market as well.</p>",
    "deks": f"<p>{LEDE}</p>",
    "captions": '<p class="caption">A line far from any picture.</p>',
    "credits": "<p>Photographs of the cracks were shown to the council.</p>",
    "read_more_lines": "<p>Read more slowly, the teacher said to the children of the island school.</p>",
    "link_lists": '<ul><li>Nine pillars, of which <a href="/two">two</a> are cracked</li><li>One crane</li></ul>',
    "notes": '<p>See <a href="#part-2">what the divers found</a>.</p><ul><li id="part-2">Two pillars are cracked.</li></ul>',
    "fillers": "<p>Share your boat with a neighbour, the council asked.</p>",
}


@pytest.mark.parametrize("name", BY_NAME)
def test_each_rule_keeps_similar_content(name):
    example = COUNTER_EXAMPLES[name]

    assert shown(example) in pruned(page(inside=example), rules=(BY_NAME[name],))


def test_every_rule_has_a_reason_and_a_unique_name():
    assert all(rule.reason.endswith(".") for rule in RULES)
    assert len(BY_NAME) == len(RULES)


@pytest.mark.parametrize(
    "furniture",
    [
        "<footer><p>Most read today: something else.</p></footer>",
        "<aside><p>Most read today: something else.</p></aside>",
        '<div role="navigation"><p>Most read today: something else.</p></div>',
        '<div role="dialog"><p>Most read today: something else.</p></div>',
        "<div hidden><p>Most read today: something else.</p></div>",
        "<figure><img><figcaption>Most read today: something else.</figcaption></figure>",
    ],
)
def test_elements_named_as_furniture_are_removed(furniture):
    assert "something else" not in pruned(page(inside=furniture))


@pytest.mark.parametrize("tag", ["footer", "aside", "nav", "menu"])
def test_a_story_inside_a_furniture_element_stays(tag):
    assert PARAGRAPHS[0] in pruned(page().replace("<main>", f"<{tag}>").replace("</main>", f"</{tag}>"))


def test_a_hidden_story_stays():
    assert PARAGRAPHS[0] in pruned(page().replace('<div class="story">', '<div class="story" hidden>'))


@pytest.mark.parametrize(
    "heading",
    [
        "More For You",
        "RELATED STORIES",
        "Das könnte Sie auch interessieren",
        "À lire aussi",
        "関連記事",
        "Читайте также",
        "اقرأ أيضا",
    ],
)
def test_cards_under_a_stop_heading_are_removed_with_it(heading):
    left = pruned(page(after=f"<section><h2>{heading}</h2><div>{CARDS}</div></section>"))

    assert "Story number" not in left
    assert heading not in left


def test_a_stop_heading_and_its_cards_are_removed_without_a_common_element():
    assert "Story number" not in pruned(page(after=f"<h2>More For You</h2>{CARDS}"))


def test_the_story_after_an_inserted_block_stays():
    block = "<div><h3>Related</h3><ul><li><a href='/a'>Another story</a></li></ul></div>"
    left = pruned(page(inside=block))

    assert "Another story" not in left
    assert PARAGRAPHS[4] in left


def test_cards_without_a_heading_are_removed_only_on_news_pages():
    html = page(after=f"<div>{CARDS}</div>")

    assert "Story number" not in pruned(html, rules=(BY_NAME["cards"],))
    assert "Story number" in pruned(html, rules=(BY_NAME["cards"],), is_news=False)


def test_cards_before_the_body_are_left_to_other_rules():
    assert "Story number" in pruned(page(before=f"<div>{CARDS}</div>"), rules=(BY_NAME["cards"],))


def test_teasers_longer_than_a_short_story_are_removed():
    short = f"<html><body><h1>Harbour reopens</h1><div><p>{PARAGRAPHS[0]}</p></div><div>{CARDS}</div></body></html>"

    assert pruned(short) == f"Harbour reopens{PARAGRAPHS[0]}"


def test_a_listicle_with_linked_headings_is_a_story():
    things = "".join(f"<div><h3><a href='/{n}'>Camera {n}</a></h3><p>{PARAGRAPHS[n] * 3}</p></div>" for n in range(4))
    left = pruned(f"<html><body><h1>Four cameras</h1><p>{PARAGRAPHS[4]}</p><div>{things}</div></body></html>")

    assert [one for one in PARAGRAPHS if one not in left] == []


def test_pruning_that_would_remove_the_story_is_undone():
    story = "".join(f"<li>{one}</li>" for one in PARAGRAPHS)
    html = f"<html><body><h1>Harbour reopens</h1><section><h2>Latest</h2><ul>{story}</ul></section></body></html>"
    tree = parse_page(html, URL)

    is_heeded = prune(tree, title="Harbour reopens", ledes=(), is_news=True, rules=(FOR_THE_STORY,))

    assert not is_heeded
    assert PARAGRAPHS[0] in text_of(tree)


def test_pruning_of_less_is_kept():
    tree = parse_page(page(inside="<p>Photo: Jane Doe</p>"), URL)

    assert prune(tree, title="Harbour reopens", ledes=(), is_news=True)


def test_certain_furniture_is_removed_even_if_pruning_is_undone():
    comments = "<div id='comments'><p>Endless.</p></div>"
    story = "".join(f"<li>{one}</li>" for one in PARAGRAPHS)
    html = f"<html><body><ul>{story}</ul>{comments}</body></html>"

    assert "Endless" not in pruned(html, rules=(BY_NAME["comments"], FOR_THE_STORY))


def test_a_page_without_a_body_is_left_alone():
    tree = parse_html("<html><frameset><frame src='a.html'></frameset></html>")
    for body in tree.findall("body"):
        tree.remove(body)

    assert prune(tree, title=None, ledes=(), is_news=False)


def _every_list(outline):
    return (element for element in outline.elements if element.tag == "ul")


FOR_THE_STORY = type(RULES[0])(name="lists", reason="A rule that errs.", example="<ul></ul>", find=_every_list)


HEADLINE = "Council backs the new plan for the market"


@pytest.mark.parametrize(
    "inside",
    [
        2 * "<p><a href='/mill'>Mill burns down and nobody saw the miller</a></p>",
        (
            f"<div class='pic'><img src='a.jpg'><p>{PARAGRAPHS[0]} {PARAGRAPHS[1]}</p></div>"
            "<p><a href='/mill'>Mill burns down and nobody saw it</a></p>"
        ),
    ],
)
def test_linked_headlines_are_removed_in_pairs_and_after_a_captioned_picture(inside):
    left = pruned(page(inside=inside), rules=(BY_NAME["read_more_lines"],))

    assert "Mill burns down" not in left


def test_three_consecutive_linked_lines_stay():
    rows = "".join(f"<p><a href='/mill-{at}'>Mill number {at} of the valley of Selby</a></p>" for at in range(3))

    assert "Mill number 1" in pruned(page(inside=rows), rules=(BY_NAME["read_more_lines"],))


def test_a_linked_headline_between_two_paragraphs_is_removed():
    assert HEADLINE not in pruned(page(inside=f'<p><a href="/other"><strong>{HEADLINE}</strong></a></p><div></div>'))


@pytest.mark.parametrize(
    "inside",
    [
        "{}<h3>What the repairs cost</h3>",
        "<ul><li>Nine pillars were looked at</li></ul>{}",
        "{}<div class='ad'>Advert</div>",
        "<figure>The quay in June</figure>{}",
    ],
)
def test_a_linked_headline_beside_a_list_heading_or_box_is_removed(inside):
    assert HEADLINE not in pruned(page(inside=inside.format(f'<p><a href="/other">{HEADLINE}</a></p>')))


@pytest.mark.parametrize(
    "inside",
    [
        f'<h3>The market</h3><p><a href="/other">{HEADLINE}</a></p>',  # what the heading is over
        f'<div>a</div><p><a href="/other">{HEADLINE}</a></p><div>b</div>',  # beside no paragraph
        f'<p><a href="https://elsewhere.example/other">{HEADLINE}</a></p>',  # a source
        f'<p><a href="/other">{HEADLINE}, the mayor said on Friday.</a></p>',  # a sentence
        f'<h3>Read</h3><p><a href="/other">{HEADLINE}</a></p><p>by us</p>',  # one of several things
    ],
)
def test_other_linked_paragraphs_stay(inside):
    assert HEADLINE in pruned(page(inside=inside))


def _stores(count: int) -> str:
    form = '<form action="/install"><button>Install it now</button></form>'
    return "".join(
        f"<article class='app'><h2>Number {at}</h2><p>{text}</p>{form}</article>"
        for at, text in enumerate(PARAGRAPHS[:count])
    )


def test_a_story_in_boxes_with_forms_stays():
    html = f"<html><body><main><h1>Harbour reopens</h1>{_stores(5)}</main></body></html>"

    assert all(one in pruned(html) for one in PARAGRAPHS)


def test_a_single_box_with_a_form_is_removed():
    assert "Number 0" not in pruned(page(inside=_stores(1).replace(PARAGRAPHS[0], "Our letter comes every evening.")))


def test_a_long_section_with_one_linked_heading_stays():
    part = f'<div><p>{" ".join(PARAGRAPHS)}</p><p>{" ".join(PARAGRAPHS)}</p><h3><a href="/seal">The seal</a></h3></div>'
    html = page().replace(f"<p>{PARAGRAPHS[0]}</p>", f"<p>{' '.join(5 * PARAGRAPHS)}</p>")
    whole = html.replace("</main>", f"<div><h4>Featured</h4></div>{part}</main>")

    assert "The seal" in pruned(whole)


def test_a_teaser_after_a_label_is_removed():
    teaser = f'<div><h3><a href="/seal">The seal</a></h3><p>{PARAGRAPHS[1]}</p></div>'

    assert "The seal" not in pruned(page(after=f"<div><h4>Featured</h4></div>{teaser}"))


@pytest.mark.parametrize("name", ["photo__info", "imageDescription", "mediaInfo", "bild_legende"])
def test_a_line_named_as_a_caption_is_removed(name):
    html = page(inside=f'<div><img src="a.jpg"><p class="{name}">The quay in June, seen from Skarv</p></div>')

    assert "The quay in June" not in pruned(html)


@pytest.mark.parametrize("name", ["photographers", "media-partners", "information"])
def test_other_lines_beside_a_picture_stay(name):
    html = page(inside=f'<div><img src="a.jpg"><p class="{name}">The quay in June was closed to ferries.</p></div>')

    assert "The quay in June" in pruned(html)


@pytest.mark.parametrize("kind", ["visually-hidden", "sr-only", "a screen-reader-text", "u-visuallyHidden"])
def test_a_screen_reader_label_is_removed(kind):
    assert "المتن" not in pruned(page(inside=f'<span class="{kind}">المتن</span>'))


@pytest.mark.parametrize(
    "inside",
    [
        '<h3><span>The quay</span><span class="sr-only">: what it cost</span></h3>',
        '<table><tr><td class="sr-only">what it cost</td><td>4</td></tr></table>',
        '<p class="hidden-harbour">what it cost</p>',
    ],
)
def test_screen_reader_text_in_headings_and_tables_stays(inside):
    assert "what it cost" in pruned(page(inside=inside))


LINKS = "".join(f'<li><a href="/{at}">The story of pillar number {at} of the old quay</a></li>' for at in range(6))


def test_paragraphs_after_a_list_under_a_stop_heading_stay():
    inside = f"<div class='block'><p>You may also like</p><ul>{LINKS}</ul><p>{PARAGRAPHS[0]} {PARAGRAPHS[1]}</p></div>"

    left = pruned(page(inside=inside))

    assert f"{PARAGRAPHS[0]} {PARAGRAPHS[1]}" in left
    assert "pillar number 3" not in left


def test_a_box_of_links_with_a_line_or_linked_paragraph_is_removed():
    line = f"<p>All of them are on our pages.</p><p>{PARAGRAPHS[0]} <a href='/9'>{PARAGRAPHS[1]}</a></p>"

    assert "All of them" not in pruned(
        page(inside=f"<div class='block'><p>You may also like</p><ul>{LINKS}</ul>{line}</div>")
    )


@pytest.mark.parametrize(
    ("text", "stays"),
    [
        (f"<p>{PARAGRAPHS[0]}!</p><p>{PARAGRAPHS[1]}!</p>", True),
        (f"<p>{PARAGRAPHS[0]}!</p><p>Photo: AFP</p>", False),
        (f"{PARAGRAPHS[0]}!", False),
    ],
)
def test_several_paragraphs_beside_a_picture_are_no_caption(text, stays):
    inside = f"<div class='row'><img src='a.jpg'><div class='image-text'>{text}</div></div>"

    assert (f"{PARAGRAPHS[0]}!" in pruned(page(inside=inside), rules=(BY_NAME["captions"],))) is stays
