from dataclasses import replace

import pytest

from tasks.config.options import ExtractOptions, PruneRule
from tasks.extract.page import extract_page
from tasks.extract.prune import RULES
from tasks.extract.selectors import select_elements
from tasks.extract.stored_page import ExtractConfig
from tasks.extract.tree import parse_html
from tasks.values.page import Page
from tests.extract.reading import PARAGRAPHS, page
from tests.extract.stored import stored

CAPTION = '<p><img src="a.jpg"><small class="media-caption">The quay in June, before the cracks were found</small></p>'
BOX = "<aside class='sums'><p>A first sum in the margin: the repairs cost four million in all.</p></aside>"


def read(html: str, **options) -> Page:
    return extract_page(replace(stored(html), options=ExtractOptions(**options)), ExtractConfig())


def test_all_rules_can_be_named():
    assert {rule.value for rule in PruneRule} == {rule.name for rule in RULES}


def test_a_rule_can_be_switched_off_for_a_source():
    html = page(inside="<p>Photo: Jane Doe of the Port Courier</p>")

    assert "Jane Doe" not in read(html).text
    assert "Jane Doe" in read(html, prune_without=(PruneRule.CREDITS,)).text


def test_the_other_rules_still_apply():
    html = page(inside=f"<p>Photo: Jane Doe of the Port Courier</p>{CAPTION}")

    assert "June" not in read(html, prune_without=(PruneRule.CREDITS,)).text


def test_without_pruning_everything_stays():
    html = page(inside="<p>Photo: Jane Doe of the Port Courier</p><p>Read more: <a href='/x'>Another story</a></p>")

    assert {"Photo: Jane Doe of the Port Courier", "Read more: Another story"} <= set(
        read(html, is_pruned=False).text.split("\n")
    )


def test_selected_elements_are_kept_with_their_content():
    html = page(inside="<div class='credits'><p>Photo: Jane Doe of the Port Courier</p></div><p>Photo: Tom Hale</p>")
    found = read(html, keep=("//div[@class='credits']",))

    assert "Jane Doe" in found.text
    assert "Tom Hale" not in found.text


def test_ancestors_of_selected_elements_are_kept():
    nested = page(inside=f"<div role='search'>{BOX}</div>")

    assert "A first sum" not in read(nested).text
    assert "A first sum" in read(nested, keep=("//aside",)).text


def test_the_text_is_selected_by_the_source():
    html = page(after=f"<div id='margin'>{BOX}<p>And a second line in it, which is longer than a label.</p></div>")
    found = read(html, text="//div[@id='margin']/p | //aside/p")

    assert found.text.split("\n") == [
        "A first sum in the margin: the repairs cost four million in all.",
        "And a second line in it, which is longer than a label.",
    ]
    assert found.extractor.endswith(" selected")


def test_furniture_inside_the_selection_is_removed():
    found = read(page(inside="<p>Photo: Jane Doe</p>"), text="//div[@class='story']")

    assert found.text.split("\n") == list(PARAGRAPHS)


def test_extraction_is_used_if_the_text_selector_matches_nothing():
    found = read(page(), text="//div[@class='gone']")

    assert (found.text.split("\n"), found.extractor.split()[-1]) == (list(PARAGRAPHS), "fast")


@pytest.mark.parametrize("path", ["//h2[@class='head']", "//meta[@name='head']", "//meta[@name='head']/@content"])
def test_the_title_is_selected_by_the_source(path):
    html = page(head="<meta name='head' content='Ferries sail'>", before="<h2 class='head'> Ferries  sail</h2>")

    assert read(html, title=path).title == "Ferries sail"


@pytest.mark.parametrize(
    "path", ["//time", "//time/@datetime", "//p[@class='on']", "//p[@class='on']/text()", "string(//time/@datetime)"]
)
def test_the_date_is_selected_by_the_source(path):
    html = page(
        head="<meta property='article:published_time' content='2020-01-01'>",
        after="<time datetime='2026-03-02'>yesterday</time><p class='on'>2026-03-02</p>",
    )

    assert read(html, date=path).published_at.date().isoformat() == "2026-03-02"


@pytest.mark.parametrize("options", [{"title": "//h6"}, {"date": "//h1"}, {"title": "//@nothing", "date": "//h6"}])
def test_metadata_are_used_if_a_selector_matches_nothing(options):
    assert read(page(), **options) == read(page())


def test_of_nested_matches_the_outermost_is_selected():
    tree = parse_html("<div id=a><div id=b></div></div><div id=c></div>")

    assert [one.get("id") for one in select_elements(tree, ("//div", "//div[@id='c']"))] == ["a", "c"]
