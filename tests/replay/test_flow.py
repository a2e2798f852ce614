"""The flow `replay`, through Prefect: its report is an artifact, and its form defaults to a dry run."""

import pytest

from tests.engine import Presslake

SCRIPT = """
import json
from prefect.artifacts import Artifact
from flows.replay import replay
from tasks.replay.config import ReplayConfig
state = replay(ReplayConfig(sources=("site-0",)), return_state=True)
form = replay.parameters.definitions["ReplayConfig"]["properties"]
print(json.dumps([state.name, state.message, Artifact.get("replay-report").data, form["dry_run"]["default"]]))
"""


@pytest.mark.engine
def test_a_replay_ends_with_its_counts_and_an_artifact(world, prefect_api_url):
    world.press.catalogue(world.home / "sources.yaml")
    presslake = Presslake(world.home, {"PREFECT_API_URL": prefect_api_url, "PRESSLAKE_INDEX": world.index_url})

    ended = presslake.execute(SCRIPT)

    assert ended.code == 0, ended
    name, message, report, is_dry_run = ended.json()
    assert (name, is_dry_run) == ("Completed", True)
    assert message.startswith("Would be: ")
    assert report.startswith(message)
