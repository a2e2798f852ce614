"""`presslake replay`, on the command line."""

import pytest
from deltalake import DeltaTable

from tests.engine import Presslake
from tests.press import running_press

SHORTER = '{selectors: {text: "//main//p[position() < 4]"}}'


@pytest.fixture
def command(world) -> Presslake:
    world.press.catalogue(world.home / "sources.yaml")
    return Presslake(world.home, {"PREFECT_API_URL": "http://127.0.0.1:9/api", "PRESSLAKE_INDEX": world.index_url})


def with_options(command, options: str) -> None:
    of_source(command, f"extract: {options}")


def of_source(command, line: str) -> None:
    path = command.home / "sources.yaml"
    path.write_text(path.read_text().replace("  - id: site-1\n", f"  - id: site-1\n    {line}\n"))


def rows(presslake: Presslake) -> list[dict]:
    """The rows of `articles` without the columns on when, and by which decision, they were written."""
    found = DeltaTable(presslake.lake / "articles").to_pyarrow_table().drop_columns(["extracted_at", "change_seq"])
    return sorted(found.to_pylist(), key=lambda row: (row["article_id"], row["revision"]))


def test_a_dry_run_shows_differences_and_a_replay_applies_them(command):
    with_options(command, SHORTER)
    would = command.run("replay", "--dry-run", "--source", "site-1", "--json").json()
    before = command.run("verify", "--json").json()
    done = command.run("replay", "--source", "site-1", "--json")
    again = command.run("replay", "--source", "site-1").out

    assert (would["dry_run"], would["rows_changed"]) == (True, 0)
    assert would["changed"] == done.json()["changed"] > 8
    assert {"pages", "same", "changed", "gained", "lost", "failed", "seconds"} <= done.json().keys()
    assert "extracting pages" in done.err
    assert f"{would['pages']} pages extracted again: {would['pages']} same" in again
    assert before["found"] == command.run("verify", "--json").json()["found"] == {}


def test_a_single_page_is_shown_with_its_diff(command, world):
    with_options(command, SHORTER)
    url = next(url for url in sorted(world.press.urls()) if url.startswith(world.press.url(1, "/")))

    shown = command.run("replay", "--url", url, "--dry-run").out

    assert url in shown
    assert "--- stored" in shown


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (("--since", "yesterday"), "--since: should be a day, such as 2026-03-01"),
        (("--since", "2026-03-02", "--until", "2026-03-01"), "--since: since 2026-03-02 is after until 2026-03-01"),
        (("--url", "ftp://a.example/x"), "--url: not a URL that can be fetched: 'ftp://a.example/x'"),
        (("--outcome", "lost"), "--outcome: "),
    ],
)
def test_an_invalid_option_is_reported_in_one_line(command, words, line):
    ended = command.run("replay", *words, check=False)

    assert (ended.code, ended.out) == (2, "")
    assert line in ended.err


def test_an_empty_selection_is_reported(command):
    ended = command.run("replay", "--source", "nobody")

    assert "No stored page matches the selection." in ended.err


@pytest.mark.engine
def test_after_a_replay_with_options_and_one_without_every_row_is_as_the_sweep_wrote_it(presslake):
    with running_press(sites=2, articles=6, network=57) as press:
        press.catalogue(presslake.home / "sources.yaml")
        of_source(presslake, "tags: [local]")
        presslake.ingest("--catalogue", "sources.yaml")
    before, plain = rows(presslake), (presslake.home / "sources.yaml").read_text()

    with_options(presslake, SHORTER)
    there = presslake.run("replay", "--json").json()
    between, changed = presslake.run("verify", "--json").json()["found"], rows(presslake)
    (presslake.home / "sources.yaml").write_text(plain)
    back = presslake.run("replay", "--json").json()

    assert {row["source_id"] for row in before} == {"site-0", "site-1"}
    assert ["local"] in [row["source_tags"] for row in before]
    assert there["changed"] == back["changed"] == 6
    assert [row["text"] for row in changed] != [row["text"] for row in before]
    assert between == presslake.run("verify", "--json").json()["found"] == {}
    assert rows(presslake) == before
