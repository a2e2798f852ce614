"""`presslake verify` and `presslake reindex`, on the command line, and the flow `verify` on a real Prefect server."""

import pytest

from tests.engine import Presslake
from tests.read_only import read_only
from tests.verify.planting import a_flipped_byte_in_a_response
from tests.verify.planting_index import a_lease_of_an_ended_run


@pytest.fixture
def command(world) -> Presslake:
    nowhere = "http://127.0.0.1:9/api"
    return Presslake(world.home, {"PREFECT_API_URL": nowhere, "PRESSLAKE_INDEX": world.index_url})


@pytest.mark.parametrize(
    "what", [["verify"], ["verify", "--mend"], ["verify", "--undo", "x"], ["maintain"], ["reindex"]]
)
def test_commands_on_a_lake_create_none(tmp_path, what):
    ended = Presslake(tmp_path, {}).run(*what, check=False)

    assert ended.code == 2
    assert "does not exist: choose another with --index" in ended.err or "no lake here" in ended.err
    assert not list(tmp_path.iterdir())


def test_a_missing_lake_is_reported(command, tmp_path):
    ended = command.run("verify", "--lake", str(tmp_path / "other"), check=False)

    assert ended.code == 2
    assert f"{tmp_path}/other: no lake here; " in ended.err
    assert not list(tmp_path.glob("other"))


def test_verify_exits_with_0_if_nothing_is_found(command):
    ended = command.run("verify", "--json")

    told = ended.json()
    assert (told["found"], told["faults"], told["is_well"]) == ({}, [], True)
    assert told["checked"]["segments"] == 3
    assert "segments" in ended.err


def test_verify_exits_with_1_and_reports_what_it_found(command, world):
    place = a_flipped_byte_in_a_response(world)

    ended = command.run("verify", "--json", check=False)

    (fault, *_) = ended.json()["faults"]
    assert ended.code == 1
    assert (fault["kind"], fault["place"], fault["is_mended"]) == ("damaged_record", place, False)
    assert fault["mend"].startswith("by hand")


def test_verify_reads_a_read_only_lake(command, world):
    place = a_flipped_byte_in_a_response(world)
    with read_only(world.lake):
        ended = command.run("verify", "--json", check=False)
        refused = command.run("verify", "--mend", check=False)

    assert (ended.code, {fault["place"] for fault in ended.json()["faults"]}) == (1, {place})
    assert refused.err.startswith(f"presslake: {world.lake}: the lake cannot be written: ")
    assert refused.code == 2


def test_verify_shows_what_it_mended(command, world):
    url_key = a_lease_of_an_ended_run(world)

    ended = command.run("verify", "--mend")

    assert "stale_lease: 1 (1 mended)" in ended.out
    assert url_key in ended.out
    assert "1 fault, 1 mended, none left." in ended.out


def test_a_sample_limits_the_segments_read(command):
    assert command.run("verify", "--sample", "1", "--json").json()["checked"]["segments"] == 1


def test_reindex_then_verify_finds_nothing(command):
    new = "sqlite:///new.db"

    built = command.run("reindex", "--index", new, "--json").json()

    assert built == {"revisions": 42, "articles": 39, "captures": 48, "urls": 42, "expired": 0, "policies": 3}
    assert command.run("verify", "--index", new, "--json").json()["found"] == {}


def test_reindex_refuses_an_index_that_is_in_use(command):
    ended = command.run("reindex", check=False)

    assert ended.code == 2
    assert "is not empty" in ended.err
    assert len(ended.err.strip().splitlines()) == 1


@pytest.mark.engine
def test_the_flow_fails_if_faults_are_left(world, prefect_api_url):
    a_lease_of_an_ended_run(world)
    script = (
        "from flows.verify import verify; from tasks.verify.config import VerifyConfig; import json\n"
        "states = [verify(VerifyConfig(mend=mend), return_state=True) for mend in (False, True, False)]\n"
        "print(json.dumps([[state.name, state.message] for state in states]))"
    )
    presslake = Presslake(world.home, {"PREFECT_API_URL": prefect_api_url, "PRESSLAKE_INDEX": world.index_url})

    ended = presslake.execute(script)

    assert ended.code == 0, ended
    assert ended.json() == [
        ["Failed", "1 fault."],
        ["Completed", "1 fault, 1 mended, none left."],
        ["Completed", "Nothing found."],
    ]
