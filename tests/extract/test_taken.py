from datetime import UTC, datetime

from tasks.extract.article import extract_text
from tasks.extract.metadata import read_metadata
from tasks.extract.page import parse_page
from tests.extract.reading import URL, page


def taken(html: str) -> dict[str, int]:
    tree = parse_page(html, URL)
    metadata = read_metadata(tree, now=datetime(2026, 11, 24, tzinfo=UTC))
    return {one.rule: one.size for one in extract_text(tree, metadata).taken}


def test_each_rule_reports_how_much_it_removed():
    html = page(
        inside="<p>Photo: Jane Doe</p>",
        after="<div id='comments'>Endless.</div>",
    )

    assert taken(html) == {"credits": 15, "comments": 8}


def test_a_plain_page_loses_nothing():
    assert taken(page()) == {}
