"""The page about the crawler has the facts of catalogue and settings, and names no source."""

import json

import pytest

from tasks.config.catalogue import Catalogue
from tasks.config.settings import Settings
from tasks.politeness.robots import parse_robots
from tasks.report.identity import identity_of
from tests.engine import Presslake

CATALOGUE = {
    "defaults": {"user_agent": "Gazetteer/1.0 (+https://bot.gazetteer.example/)", "purpose": ["archive", "search"]},
    "sources": [
        {"id": "secret-source", "feeds": ["https://daily.example/rss"], "obey": "exclude", "crawl_delay_s": 5},
        {"id": "other", "feeds": ["https://other.example/rss"], "user_agent": "Mozilla/5.0 (compatible; Otherbot; me@bot.example)"},
    ],
}  # fmt: skip


@pytest.fixture
def identity():
    return identity_of(Catalogue.model_validate(CATALOGUE), Settings(contact="people@gazetteer.example"))


def test_it_contains_the_facts_of_catalogue_and_settings(identity):
    assert identity.agents[0] == ("Gazetteer", "Gazetteer/1.0 (+https://bot.gazetteer.example/)")
    assert identity.contacts == ("people@gazetteer.example", "https://bot.gazetteer.example/", "me@bot.example")
    assert (identity.purposes, identity.obeys) == (("archive", "search"), ("record", "exclude"))
    assert (identity.crawl_delay_s, identity.max_per_host, identity.is_rendering) == ((1.0, 5.0), 1, False)


def test_its_robots_txt_blocks_each_of_its_agents(identity):
    policy = parse_robots(identity.robots_txt.encode())

    assert [policy.allows("https://a.example/x", user_agent=agent) for _, agent in identity.agents] == [False, False]
    assert policy.allows("https://a.example/x", user_agent="Googlebot")


def test_the_page_is_escaped_and_names_no_source(identity):
    html = identity.to_html()

    assert "secret-source" not in html
    assert "daily.example" not in html
    assert "<h1>Gazetteer</h1>" in html
    hostile = identity_of(
        Catalogue.model_validate(CATALOGUE | {"defaults": {"user_agent": "A<script>/1"}}), Settings(contact="<b>&")
    )
    assert "<script>" not in hostile.to_html()
    assert "<b>" not in hostile.to_html()


def test_the_command_writes_the_page(tmp_path):
    (tmp_path / "sources.yaml").write_text(json.dumps(CATALOGUE))
    command = Presslake(tmp_path, {"PRESSLAKE_CONTACT": "people@gazetteer.example"})

    said = command.run("identity", "--json").json()
    command.run("identity", "--out", tmp_path / "bot.html")

    assert said["contacts"][0] == "people@gazetteer.example"
    assert "people@gazetteer.example" in (tmp_path / "bot.html").read_text()
    assert not (tmp_path / "presslake.db").exists()
