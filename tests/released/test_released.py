"""Every released version's lake, index and outbox are opened, swept, verified, maintained and reindexed by today's code."""

import hashlib
import os
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import create_engine, text

from tasks.index.database import HEAD
from tests.engine import Presslake
from tests.postgres import fresh_database
from tests.released.specimen import RELEASED, Row, Specimen, read_rows, serving

WAITING = {"unpublished_batch": 1}
"""The faults of a specimen: its version was killed before it published a batch."""

MAINTAINED = {"cluster_id", "is_representative", "cluster_size", "cluster_earliest"}
"""The columns of an article's row that are updated."""


@pytest.fixture
def command(specimen: Specimen) -> Presslake:
    """The command, with the copy as working folder and without server."""
    nowhere = {"PREFECT_API_URL": "http://127.0.0.1:9/api", "PREFECT_HOME": str(specimen.home / "prefect")}
    return Presslake(specimen.home, {**nowhere, "PRESSLAKE_INDEX": specimen.index_url})


@pytest.fixture
def online(command: Presslake, prefect_api_url: str) -> Presslake:
    """The command with the session's server, run in a process that has already imported Prefect."""
    server = {"PREFECT_API_URL": prefect_api_url, "PREFECT_HOME": os.environ["PREFECT_HOME"]}
    return replace(command, environment={**command.environment, **server})


def test_its_tables_have_the_rows_counted_at_the_release(version):
    lake, expected = RELEASED / version / "lake", _expected(version)

    captures, articles = read_rows(lake / "captures"), read_rows(lake / "articles")

    assert _counted(captures, articles) == {name: expected["lake"][name] for name in _counted(captures, articles)}
    assert _texts(articles) == _as_tuples(expected["lake"]["texts"])
    assert len(list((lake / "quarantine").rglob("*.json"))) == expected["lake"]["quarantined"]


def test_its_size_is_small_enough_for_a_repository(version):
    assert sum(path.stat().st_size for path in (RELEASED / version).rglob("*") if path.is_file()) < 1_000_000


@pytest.mark.engine
def test_a_sweep_publishes_waiting_batches_and_loses_nothing(specimen, command, online):
    expected = specimen.expected

    with serving(specimen.version):
        swept = online.ingest()

    articles, captures = specimen.rows("articles"), specimen.rows("captures")
    new = _texts(articles) - _as_tuples(expected["lake"]["texts"]) - _as_tuples(expected["waiting"]["texts"])
    assert [(url, revision) for url, _, revision, _ in new] == [(expected["next"]["url"], 1)]
    assert len(articles) == expected["lake"]["revisions"] + len(expected["waiting"]["texts"]) + 1
    assert (swept["articles"]["new"], swept["articles"]["revision"]) == (1, 0)
    assert _is_kept(specimen, "articles", ignoring=MAINTAINED)
    assert _is_kept(specimen, "captures")
    assert _waiting(captures, expected) == sorted(expected["waiting"]["captures"], key=str)
    assert _outbox(specimen) == 0
    assert command.run("verify", "--json").json()["found"] == {}


@pytest.mark.engine
def test_a_second_sweep_makes_conditional_requests_and_adds_no_article(specimen, online):
    with serving(specimen.version):
        online.ingest()
        known = _texts(specimen.rows("articles"))
        again = online.ingest("--refetch")

    assert again["not_modified"] >= len({article_id for _, article_id, _, _ in known})
    assert _texts(specimen.rows("articles")) == known


def test_read_only_commands_do_not_migrate_the_index(command):
    before = command.run("status", check=False)

    migrated, again = command.run("migrate"), command.run("migrate")

    assert (before.code, before.out) == (2, "")
    assert "presslake migrate" in before.err
    assert migrated.err == again.err
    assert f"is at schema {HEAD}." in migrated.err
    assert command.run("status", "--json").json()["unpublished"] == 1
    assert command.run("verify", "--json", check=False).json()["found"] == WAITING


def test_its_pages_are_extracted_again_once_by_newer_rules_and_trace_shows_the_differences(specimen, command):
    first = command.run("replay", "--older", "--json").json()
    again = command.run("replay", "--older", "--json").json()
    (changed, *_) = [one for one in first["differences"] if one["result"] == "changed"]
    traced = command.run("trace", changed["url"])

    assert first["pages"] > 10
    assert (again["pages"], again["changed"]) == (first["failed"], 0)
    assert "read again" in traced.out
    assert len(specimen.rows("articles")) >= len(specimen.rows_as_released("articles"))


@pytest.mark.engine
def test_a_correction_of_a_stored_article_is_detected_and_changed_teasers_are_not(specimen, command, online):
    corrected = "/news/flood-wall-to-be-raised.html"

    def change(url: str, body: str) -> str:
        teasers = (
            '<section><h2>More For You</h2><ul><li><a href="/news/1.html">Lynx seen at the pass</a></li></ul></section>'
        )
        body = body.replace("</main>", f"</main>{teasers}")
        return body.replace("wall to be raised", "wall not to be raised") if url.endswith(corrected) else body

    with serving(specimen.version):
        online.ingest()
    known = _texts(specimen.rows("articles"))
    with serving(specimen.version, change=change):
        swept = online.ingest("--refetch")
        again = online.ingest("--refetch")

    assert (swept["articles"]["revision"], again["articles"]["revision"]) == (1, 0)
    assert swept["articles"]["unchanged"] >= 10
    (row,) = (row for row in specimen.rows("articles") if row["changes"])
    assert (row["url"].endswith(corrected), row["revision"], row["changes"]) == (True, 2, ["title"])
    assert len(_texts(specimen.rows("articles")) - known) == 1
    assert command.run("verify", "--json").json()["found"] == {}


def test_verify_finds_only_the_waiting_batch(command):
    found = command.run("verify", "--json", check=False).json()["found"]

    assert found == WAITING


def test_a_repair_publishes_the_waiting_batch(specimen, command):
    expected = specimen.expected

    mended = command.run("verify", "--mend", "--json").json()

    assert (mended["found"], mended["mended"]) == (WAITING, 1)
    assert _texts(specimen.rows("articles")) == _all_texts(expected)
    assert _waiting(specimen.rows("captures"), expected) == sorted(expected["waiting"]["captures"], key=str)
    assert _outbox(specimen) == 0
    assert command.run("verify", "--json").json()["found"] == {}


def test_maintenance_keeps_every_text_and_leaves_no_fault(specimen, command):
    expected = specimen.expected
    command.run("verify", "--mend")

    command.run("maintain", "--json")

    assert _texts(specimen.rows("articles")) == _all_texts(expected)
    assert _is_kept(specimen, "articles", ignoring=MAINTAINED)
    assert _is_kept(specimen, "captures")
    assert command.run("verify", "--json").json()["found"] == {}
    assert "Nothing to do." in command.run("maintain").out


def test_maintenance_loses_nothing_of_the_waiting_batch(specimen, command):
    command.run("maintain", "--json")
    command.run("verify", "--mend")

    assert _texts(specimen.rows("articles")) == _all_texts(specimen.expected)
    assert command.run("verify", "--json").json()["found"] == {}


def test_an_index_rebuilt_from_its_lake_is_complete(specimen, command, request):
    expected = specimen.expected
    command.run("verify", "--mend")
    with _empty_index(specimen, request) as new:
        built = command.run("reindex", "--index", new, "--json").json()
        verified = command.run("verify", "--index", new, "--json").json()

    captures = specimen.rows("captures")
    assert built == {
        "revisions": len(_all_texts(expected)),
        "articles": len({article_id for _, article_id, _, _ in _all_texts(expected)}),
        "captures": expected["lake"]["captures"] + len(expected["waiting"]["captures"]),
        "urls": len({row["url_key"] for row in captures}),
        "expired": 0,
        "policies": 0,
    }
    assert verified["found"] == {}


def test_both_revisions_of_an_article_are_traced(specimen, command):
    revised = next(url for url, _, revision, _ in _as_tuples(specimen.expected["lake"]["texts"]) if revision == 2)

    command.run("migrate")
    traced = command.run("trace", revised, "--json").json()

    assert [row["revision"] for row in traced["revisions"]] == [1, 2]
    assert len(traced["changes"]) == 1


def _expected(version: str) -> dict[str, Any]:
    return Specimen(version, RELEASED / version, "").expected


def _counted(captures: list[Row], articles: list[Row]) -> dict[str, Any]:
    return {
        "articles": len({row["article_id"] for row in articles}),
        "revisions": len(articles),
        "captures": len(captures),
        "outcomes": Counter(row["outcome"] for row in captures),
        "reasons": Counter(row["reason"] for row in captures if row["reason"]),
        "novelties": Counter(row["novelty"] for row in captures if row["novelty"]),
    }


def _texts(articles: list[Row]) -> set[tuple]:
    return {
        (row["url"], row["article_id"], row["revision"], hashlib.sha256(row["text"].encode()).hexdigest())
        for row in articles
    }


def _as_tuples(rows: list[list[Any]]) -> set[tuple]:
    return {tuple(row) for row in rows}


def _all_texts(expected: dict[str, Any]) -> set[tuple]:
    return _as_tuples(expected["lake"]["texts"]) | _as_tuples(expected["waiting"]["texts"])


def _is_kept(specimen: Specimen, table: str, *, ignoring: frozenset[str] | set[str] = frozenset()) -> bool:
    """Whether every row is as in the release, in the columns of that time."""
    before = specimen.rows_as_released(table)
    names = before[0].keys() - ignoring
    now = Counter(_row(row, names) for row in specimen.rows(table))
    return Counter(_row(row, names) for row in before) <= now


def _row(row: Row, names: set[str]) -> str:
    return repr(sorted((name, row[name]) for name in names))


def _waiting(captures: list[Row], expected: dict[str, Any]) -> list[list[Any]]:
    """Return the rows of the waiting batch, the only one of its run."""
    rows = [row for row in captures if row["run_id"] == expected["waiting"]["run_id"]]
    return sorted(([row["url"], row["outcome"], row["reason"], row["novelty"]] for row in rows), key=str)


@contextmanager
def _empty_index(specimen: Specimen, request: pytest.FixtureRequest) -> Iterator[str]:
    """Yield the URL of an index that does not exist yet, of the specimen's kind."""
    if specimen.index_url.startswith("sqlite"):
        yield f"sqlite:///{specimen.home / 'new.sqlite'}"
    else:
        with fresh_database(request.getfixturevalue("postgres_server")) as url:
            yield url


def _outbox(specimen: Specimen) -> int:
    engine = create_engine(specimen.index_url)
    try:
        with engine.connect() as connection:
            return connection.execute(text("SELECT count(*) FROM outbox")).scalar_one()
    finally:
        engine.dispose()
