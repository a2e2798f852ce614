import json

import pytest

from tests.extract.reading import read_page

TITLE = "Count night: results as they come"
FIRST = "All four northern wards have declared, and three of them changed hands in the course of the evening."
THIRD = "Turnout was above sixty per cent in the towns along the coast, and lower on each of the smaller islands."
SECOND = "Officials looked for a ballot box from the school at Fenside for half an hour and found it under a chair."


def live(updates, *, shown: str = "", body: str | None = None):
    data = {"@type": "LiveBlogPosting", "headline": TITLE, "liveBlogUpdate": updates, "articleBody": body}
    script = f'<script type="application/ld+json">{json.dumps(data)}</script>'
    return read_page(f"<html><head><title>{TITLE}</title>{script}</head><body><h1>{TITLE}</h1>{shown}</body></html>")


def update(body: str, headline: str | None = None) -> dict:
    return {"@type": "BlogPosting", "headline": headline, "articleBody": body}


def test_hidden_updates_are_the_text():
    found = live([update(FIRST, "Wards declare"), update(SECOND)])

    assert found.lines == ["Wards declare", FIRST, SECOND]
    assert found.path == "jsonld"


def test_updates_follow_the_body():
    assert live([update(SECOND)], body=FIRST).lines == [FIRST, SECOND]


def test_all_updates_are_read_if_the_page_shows_only_the_first():
    assert live([update(FIRST), update(SECOND), update(THIRD)], shown=f"<p>{FIRST}</p>").lines == [
        FIRST, SECOND, THIRD,
    ]  # fmt: skip


def test_a_single_update_in_markup_is_read():
    assert live(update(f"<p>{FIRST}</p><p>{SECOND}</p>")).lines == [FIRST, SECOND]


def test_a_headline_repeated_by_its_update_is_read_once():
    assert live([update(f"{SECOND} {FIRST}", SECOND)]).lines == [f"{SECOND} {FIRST}"]


@pytest.mark.parametrize("updates", [None, [], "none", [None, 1, {"@type": "BlogPosting"}]])
def test_without_updates_the_visible_text_is_used(updates):
    assert live(updates, shown=f"<p>{FIRST}</p><p>{SECOND}</p>").lines == [FIRST, SECOND]
