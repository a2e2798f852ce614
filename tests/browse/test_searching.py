"""The search page: words, filters and snippets; hostile queries are inert."""

import pytest

from tasks.browse.library import open_library
from tasks.browse.searching import search_of
from tasks.errors import ConfigError
from tasks.search.searching import bring_up_to_date
from tests.browse.filling import EVIL
from tests.browse.press import PRINTS
from tests.browse.test_pages import Read


@pytest.fixture(scope="module")
def finder(settings, make_client, tmp_path_factory):
    searched = settings.model_copy(update={"search_index": tmp_path_factory.mktemp("search") / "index"})
    bring_up_to_date(searched, on_step=lambda *_: None)
    return make_client(library=open_library(searched, search=search_of(searched)))


def test_matched_words_are_marked(finder):
    html = finder.get("/search?q=rudder+berths").text
    page = Read(html)

    assert "<mark>" in html
    assert {f"/articles/{one.article_id}" for one in PRINTS if "rudder" in one.text} <= set(page.links())
    assert page.text.count("4 articles") >= 1


@pytest.mark.parametrize(
    ("query", "number"),
    [
        ("q=rudder&source=herald", 1),
        ("q=rudder&language=de", 0),
        ("q=Wasserturm", 1),
        ("q=rudder&order=newest", 4),
        ("q=zzzz", 0),
    ],
)
def test_a_search_can_be_filtered(finder, query, number):
    found = Read(finder.get(f"/search?{query}").text)

    assert len([one for one in found.links() if one.startswith("/articles/")]) == number


@pytest.mark.parametrize("query", [EVIL, '"', "(", "a OR", "-", "*", "%", "\u202e", "x" * 5000])
def test_a_query_is_shown_as_text_and_never_fails(finder, query):
    answer = finder.get("/search", params={"q": query})

    assert answer.status_code == 200
    assert "<script" not in answer.text


def test_without_a_search_index_the_page_explains_how_and_creates_none(settings, make_client, tmp_path):
    searched = settings.model_copy(update={"search_index": tmp_path / "index"})
    finder = make_client(library=open_library(searched, search=search_of(searched)))

    assert "presslake search" in finder.get("/search?q=harbour").text
    assert not (tmp_path / "index").exists()


def test_every_page_has_the_search_box_if_search_is_configured(finder, client):
    assert 'role="search"' in finder.get("/").text
    assert 'role="search"' not in client.get("/").text


def test_a_read_only_search_index_is_searched_as_is(settings, make_client, tmp_path, monkeypatch):
    searched = settings.model_copy(update={"search_index": tmp_path / "index"})
    bring_up_to_date(searched, on_step=lambda *_: None)
    finder = make_client(library=open_library(searched, search=search_of(searched)))

    def is_full(*_args, **_more):
        raise ConfigError("the folder cannot be written")

    monkeypatch.setattr("tasks.search.searching.catch_up", is_full)

    assert "<mark>" in finder.get("/search?q=rudder").text
