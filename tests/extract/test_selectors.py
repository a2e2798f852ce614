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


def test_the_rules_that_can_be_named_are_those_there_are():
    assert {rule.value for rule in PruneRule} == {rule.name for rule in RULES}


def test_a_rule_is_switched_off_for_a_source():
    html = page(inside="<p>Photo: Jane Doe of the Port Courier</p>")

    assert "Jane Doe" not in read(html).text
    assert "Jane Doe" in read(html, prune_without=(PruneRule.CREDITS,)).text


def test_the_other_rules_are_heeded_still():
    html = page(inside=f"<p>Photo: Jane Doe of the Port Courier</p>{CAPTION}")

    assert "June" not in read(html, prune_without=(PruneRule.CREDITS,)).text


def test_without_pruning_all_of_it_stays():
    html = page(inside="<p>Photo: Jane Doe of the Port Courier</p><p>Read more: <a href='/x'>Another story</a></p>")

    assert {"Photo: Jane Doe of the Port Courier", "Read more: Another story"} <= set(
        read(html, is_pruned=False).text.split("\n")
    )


def test_what_is_to_be_kept_is_kept_with_all_in_it():
    html = page(inside="<div class='credits'><p>Photo: Jane Doe of the Port Courier</p></div><p>Photo: Tom Hale</p>")
    found = read(html, keep=("//div[@class='credits']",))

    assert "Jane Doe" in found.text
    assert "Tom Hale" not in found.text


def test_what_holds_it_is_kept():
    nested = page(inside=f"<div role='search'>{BOX}</div>")

    assert "A first sum" not in read(nested).text
    assert "A first sum" in read(nested, keep=("//aside",)).text


def test_the_text_stands_where_the_source_says():
    html = page(after=f"<div id='margin'>{BOX}<p>And a second line in it, which is longer than a label.</p></div>")
    found = read(html, text="//div[@id='margin']/p | //aside/p")

    assert found.text.split("\n") == [
        "A first sum in the margin: the repairs cost four million in all.",
        "And a second line in it, which is longer than a label.",
    ]
    assert found.extractor.endswith(" selected")


def test_furniture_inside_of_it_goes():
    found = read(page(inside="<p>Photo: Jane Doe</p>"), text="//div[@class='story']")

    assert found.text.split("\n") == list(PARAGRAPHS)


def test_a_text_that_is_not_where_it_should_be_is_looked_for():
    found = read(page(), text="//div[@class='gone']")

    assert (found.text.split("\n"), found.extractor.split()[-1]) == (list(PARAGRAPHS), "fast")


@pytest.mark.parametrize("path", ["//h2[@class='head']", "//meta[@name='head']", "//meta[@name='head']/@content"])
def test_the_title_stands_where_the_source_says(path):
    html = page(head="<meta name='head' content='Ferries sail'>", before="<h2 class='head'> Ferries  sail</h2>")

    assert read(html, title=path).title == "Ferries sail"


@pytest.mark.parametrize(
    "path", ["//time", "//time/@datetime", "//p[@class='on']", "//p[@class='on']/text()", "string(//time/@datetime)"]
)
def test_the_date_stands_where_the_source_says(path):
    html = page(
        head="<meta property='article:published_time' content='2020-01-01'>",
        after="<time datetime='2026-03-02'>yesterday</time><p class='on'>2026-03-02</p>",
    )

    assert read(html, date=path).published_at.date().isoformat() == "2026-03-02"


@pytest.mark.parametrize("options", [{"title": "//h6"}, {"date": "//h1"}, {"title": "//@nothing", "date": "//h6"}])
def test_what_is_not_there_is_looked_for(options):
    assert read(page(), **options) == read(page())


def test_of_elements_within_each_other_the_outer_is_selected():
    tree = parse_html("<div id=a><div id=b></div></div><div id=c></div>")

    assert [one.get("id") for one in select_elements(tree, ("//div", "//div[@id='c']"))] == ["a", "c"]
