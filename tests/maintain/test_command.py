"""The command `presslake maintain`."""

import pytest

from tests.engine import Presslake


@pytest.fixture
def command(world) -> Presslake:
    return Presslake(world.home, {"PREFECT_API_URL": "http://127.0.0.1:9/api", "PRESSLAKE_INDEX": world.index_url})


def test_maintain_does_what_its_dry_run_lists(command):
    would = command.run("maintain", "--dry-run")
    done = command.run("maintain", "--json")

    assert "Would be: " in would.out
    assert "rows updated with their cluster" in would.out
    assert done.json()["cluster_rows"] > 0
    assert "looking for rows of changed clusters" in done.err
    assert "Nothing to do." in command.run("maintain").out
    assert command.run("verify", "--json").json()["found"] == {}


@pytest.mark.parametrize(
    ("option", "days"), [("--keep-days", "6"), ("--keep-days", "3651"), ("--shapes-days", "36501")]
)
def test_days_out_of_bounds_are_wrong_usage(command, option, days):
    ended = command.run("maintain", option, days, check=False)

    assert (ended.code, ended.out) == (2, "")
    assert f"Invalid value for '{option}'" in ended.err


def test_an_existing_search_index_is_updated_and_none_is_created(command):
    command.run("maintain")
    made = list(command.home.rglob("presslake-search"))
    found = command.run("search", "*", "--json").json()["total"]
    (state,) = command.home.rglob("state.json")
    state.unlink()
    first = command.run("maintain", "--json").json()["articles_indexed"]
    state.write_text('{"format": 0}')

    again = command.run("maintain", "--json").json()["articles_indexed"]

    assert (made, first, again) == ([], 0, found)
