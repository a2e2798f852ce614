import pytest

from tasks.extract.jsonld import ARTICLE_TYPES, read_jsonld, string, strings, types_of
from tasks.extract.tree import parse_html
from tests.work import calls_of


def graph(*blocks: str):
    scripts = "".join(f'<script type="application/ld+json">{block}</script>' for block in blocks)
    return read_jsonld(parse_html(f"<html><head>{scripts}</head><body>a</body></html>"))


def headlines(*blocks: str) -> list[str]:
    return [node["headline"] for node in graph(*blocks).of_types(ARTICLE_TYPES)]


@pytest.mark.parametrize(
    "block",
    [
        '{"@type": "NewsArticle", "headline": "A"}',
        '[{"@type": "NewsArticle", "headline": "A"}]',
        '{"@graph": [{"@type": "WebPage"}, {"@type": "NewsArticle", "headline": "A"}]}',
        '{"@type": "WebPage", "mainEntity": {"@type": "NewsArticle", "headline": "A"}}',
        '{"@type": ["Thing", "https://schema.org/NewsArticle"], "headline": "A"}',
        '<!-- {"@type": "NewsArticle", "headline": "A"} -->',
        '//<![CDATA[\n{"@type": "NewsArticle", "headline": "A"}\n//]]>',
        '\ufeff{"@type": "NewsArticle", "headline": "A"}',
        '{"@type": "NewsArticle", "headline": "A"};',
        '{"@type": "NewsArticle", "headline": "A"}{"@type": "NewsArticle"}',
        '{"@type": "NewsArticle", "body": "line\nbreak", "headline": "A"}',
    ],
)
def test_an_article_is_found_in_every_form_of_jsonld(block):
    assert headlines(block) == ["A"]


@pytest.mark.parametrize("block", ["", "no json", '{"@type": "NewsArticle", "headline": ', "null", "3", '"text"', "{}"])
def test_an_invalid_block_is_ignored(block):
    assert headlines(block, '{"@type": "NewsArticle", "headline": "B"}') == ["B"]


def test_the_pages_own_node_comes_before_mentioned_ones():
    nested = '{"@type": "NewsArticle", "headline": "A", "hasPart": [{"@type": "NewsArticle", "headline": "B"}]}'

    assert headlines(nested) == ["A", "B"]


def test_references_are_followed_by_id():
    found = graph(
        '{"@graph": [{"@type": "Person", "@id": "#m", "name": "Mara"}, {"@type": "NewsArticle", "author": {"@id": "#m"}}]}'
    )
    article = next(found.of_types(ARTICLE_TYPES))

    assert found.resolve(article["author"])["name"] == "Mara"


def test_a_dangling_reference_stays_as_it_is():
    assert graph().resolve({"@id": "#nobody"}) == {"@id": "#nobody"}


def test_types_lose_their_vocabulary_prefix():
    assert types_of({"@type": ["http://schema.org/NewsArticle", "Thing"]}) == ("NewsArticle", "Thing")


def test_strings_are_cleaned_and_unescaped():
    assert strings(["A &amp; B", 3, None, " ", "C\u200b"]) == ("A & B", "C")
    assert string({"no": "string"}) is None


HOSTILE = {
    "author": "{" + '"author"' * 25_000,
    "nested": '{"@type": "X", "a": [' * 20_000,
    "brackets": "[" * 200_000,
    "braces": '{"a":' * 100_000,
    "many": "[" + ",".join(['{"@type": "NewsArticle", "headline": "x"}'] * 40_000) + "]",
    "quotes": '"' * 500_000,
    "open": "[" + "1," * 900_000,
}


@pytest.mark.parametrize("block", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_block_is_parsed_cheaply(block):
    assert len(graph(block).nodes) <= 5_000
    assert calls_of(lambda: graph(block)) < 300_000
