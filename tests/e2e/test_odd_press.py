"""A sweep of odd outlets completes, each URL has exactly one outcome, and the good outlet loses nothing."""

from collections import Counter
from dataclasses import dataclass
from typing import Any

import pytest
from deltalake import DeltaTable
from sqlalchemy import select

from tasks.index.database import open_index
from tasks.index.schema import feeds
from tests.e2e.odd_press import OUTLETS, OddPress, running_odd_press
from tests.engine import Presslake
from tests.postgres import fresh_database

pytestmark = pytest.mark.engine


@dataclass
class Swept:
    """One sweep: its summary, verify's report, the captures, and each feed's reason by URL."""

    press: OddPress
    summary: dict[str, Any]
    found: dict[str, int]
    captures: list[dict[str, Any]]
    titles: list[str]
    feeds: dict[str, str | None]


@pytest.fixture(scope="module", params=["postgresql", pytest.param("sqlite", marks=pytest.mark.long)])
def swept(request, prefect_api_url, tmp_path_factory):
    home = tmp_path_factory.mktemp("odd")
    presslake = Presslake(home, {"PREFECT_API_URL": prefect_api_url, "PRESSLAKE_TIMEOUT_S": "8"})
    if request.param == "sqlite":
        return _sweep(presslake)
    with fresh_database(request.getfixturevalue("postgres_server")) as url:
        return _sweep(Presslake(home, {**presslake.environment, "PRESSLAKE_INDEX": url}))


def _sweep(presslake: Presslake) -> Swept:
    catalogue = presslake.home / "sources.yaml"
    with running_odd_press() as press:
        catalogue.write_text(press.catalogue())
        summary = presslake.run("ingest", "--catalogue", catalogue, "--json", timeout=600).json()
    found = presslake.run("verify", "--json").json()["found"]
    captures = DeltaTable(str(presslake.lake / "captures")).to_pyarrow_table().to_pylist()
    titles = DeltaTable(str(presslake.lake / "articles")).to_pyarrow_table(columns=["title"])["title"].to_pylist()
    with open_index(presslake.variables["PRESSLAKE_INDEX"]) as index, index.read() as tx:
        reasons = dict(tx.execute(select(feeds.c.feed_url, feeds.c.reason)).tuples().all())
    return Swept(press=press, summary=summary, found=found, captures=captures, titles=titles, feeds=reasons)


@pytest.mark.parametrize("name", OUTLETS)
def test_an_odd_outlet_has_its_expected_results(swept, name):
    source = f"outlet-{list(OUTLETS).index(name)}"
    came_to = {
        one["url"].removeprefix(swept.press.url(name)): one["novelty"] or one["reason"]
        for one in swept.captures
        if one["source_id"] == source
    }

    assert came_to == OUTLETS[name].comes_to
    assert swept.feeds[swept.press.url(name, "/feed.xml")] == OUTLETS[name].feed


def test_every_url_has_one_outcome(swept):
    assert Counter(one["url_key"] for one in swept.captures).most_common(1)[0][1] == 1


def test_all_urls_are_counted_and_none_is_pending(swept):
    outcomes = Counter(one["outcome"] for one in swept.captures)

    assert swept.summary["articles"]["new"] == Counter(one["novelty"] for one in swept.captures)["new"]
    assert swept.summary["pending"] == 0
    assert outcomes["quarantined"] == swept.summary["quarantined"] == 0


def test_verify_finds_nothing(swept):
    assert swept.found == {}


def test_titles_have_no_control_characters(swept):
    assert len(swept.titles) == swept.summary["articles"]["new"]
    assert [title for title in swept.titles if not title.isprintable()] == []
