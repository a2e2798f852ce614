"""The enriching example, served as documented: Prefect runs it after each sweep."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from deltalake import DeltaTable

from tests.engine import Presslake
from tests.press import Press, Story, running_press

pytestmark = [pytest.mark.engine, pytest.mark.long]

ROOT = Path(__file__).parents[2]
NAME = "enrich/after-each-sweep"


@pytest.fixture
def table(presslake: Presslake, api: httpx.Client) -> Iterator[Path]:
    """The table that the served flow fills; its deployment is deleted afterwards."""
    table = presslake.home / "enriched"
    served = subprocess.Popen(
        [sys.executable, "-m", "examples.enrich", presslake.lake, table, "--serve"],
        cwd=ROOT,
        env={**os.environ, **presslake.environment},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        deployment = _await(lambda: _deployment(api), "the deployment")
        yield table
        api.delete(f"/deployments/{deployment['id']}").raise_for_status()
    finally:
        os.killpg(served.pid, signal.SIGTERM)
        served.wait(60)


def _deployment(api: httpx.Client) -> dict | None:
    answer = api.get(f"/deployments/name/{NAME}")
    return answer.json() if answer.status_code == 200 else None


def _await(seen, what: str):
    deadline = time.monotonic() + 180
    while not (value := seen()):
        assert time.monotonic() < deadline, what
        time.sleep(0.5)
    return value


def _keys(table: Path) -> set[str]:
    if not DeltaTable.is_deltatable(str(table)):
        return set()
    return {row["article_id"] for row in DeltaTable(str(table)).to_pyarrow_table().to_pylist()}


def _publish(press: Press, story: Story) -> None:
    press.stories[0][story.path] = story


def test_prefect_runs_it_after_each_sweep(presslake: Presslake, table: Path):
    with running_press(sites=1, articles=3) as press:
        catalogue = press.catalogue(presslake.home / "sources.yaml")
        presslake.ingest("--catalogue", catalogue)
        first = _keys(presslake.lake / "articles")
        assert len(first) == 3
        _await(lambda: _keys(table) == first, "the first three are enriched")

        _publish(press, Story(0, 3))
        presslake.ingest("--catalogue", catalogue)
        assert len(_keys(presslake.lake / "articles") - first) == 1
        _await(lambda: _keys(table) == _keys(presslake.lake / "articles"), "the fourth is enriched")
