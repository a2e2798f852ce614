"""Notifications about sources: silence, a new layout and refusals, each once; nothing about healthy ones."""

import json
import random
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from tasks.index import health
from tasks.index.database import open_index
from tasks.index.drift import SourceDay, add_days
from tasks.index.health import ArrivalDay
from tests.engine import Presslake
from tests.flows.conftest import Webhook
from tests.press import Press, Story, running_press

pytestmark = pytest.mark.engine

DEFINITIONS = Path(__file__).parents[2] / "deploy/automations"
SILENT, DRIFTED, REFUSED, QUIET = "watched-0", "watched-1", "watched-2", "watched-3"
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def press() -> Iterator[Press]:
    with running_press(sites=4, articles=0, network=36) as running:
        yield running


@pytest.fixture
def catalogue(press: Press, tmp_path: Path) -> Path:
    path = press.catalogue(tmp_path / "sources.yaml")
    path.write_text(path.read_text().replace("id: site-", "id: watched-"))
    return path


def _publish(press: Press, site: int, first: int, number: int) -> None:
    press.stories[site] |= {one.path: one for one in (Story(site, first + n) for n in range(number))}


def _remember_past(index_url: str) -> None:
    """Record the past of two sources last heard 12 hours ago: one publishes around the clock, one never at this hour."""
    now, chance = datetime.now(UTC), random.Random(36)
    quiet_hours = {(now - ago * HOUR).hour for ago in range(-1, 13)}
    days = []
    for source_id, hours in ((SILENT, set(range(24))), (QUIET, set(range(24)) - quiet_hours)):
        by_day: dict[object, list[int]] = {}
        last = now
        for ago in range(28 * 24, 11, -1):
            at = now - ago * HOUR
            if at.hour in hours:
                last = at
                by_day.setdefault(at.date(), [0] * 24)[at.hour] += chance.choice((2, 3))
        days += [
            ArrivalDay(
                source_id=source_id,
                day=day,
                hours=tuple(counts),
                newest_at=last if day == last.date() else now - 28 * DAY,
            )
            for day, counts in by_day.items()
        ]
    usual = SourceDay(
        source_id=DRIFTED,
        day=(now - 7 * DAY).date(),
        pages=100,
        titled=100,
        dated=100,
        usual=100,
        log_length=720.0,
    )
    with open_index(index_url) as index, index.write() as tx:
        health.add_arrivals(tx, days)
        add_days(tx, [usual])


def _change_layout(press: Press, site: int, answers: Callable[[str, str], tuple[int, str, bytes]]) -> Callable:
    """Remove title and date from a site's pages."""

    def answer(address: str, path: str) -> tuple[int, str, bytes]:
        story = press.stories[site].get(path)
        if address != press.addresses[site] or story is None:
            return answers(address, path)
        body = "".join(f"<p>{paragraph}</p>" for paragraph in story.paragraphs)
        return 200, "text/html", f"<html><body><div><div>{body}</div></div></body></html>".encode()

    return answer


def _refuse(press: Press, site: int, answers: Callable[[str, str], tuple[int, str, bytes]]) -> Callable:
    """Let a site answer 403 for all its pages."""

    def answer(address: str, path: str) -> tuple[int, str, bytes]:
        if address == press.addresses[site] and path.startswith("/news/"):
            return 403, "text/html", b"<html><body>Forbidden</body></html>"
        return answers(address, path)

    return answer


def _events_of(api: httpx.Client, run_id: str) -> set[tuple[str, str]]:
    """Wait for the event of the run's end; return its events about sources as (event, source)."""
    deadline = time.monotonic() + 240
    while True:
        wanted = {"filter": {"event": {"prefix": ["presslake."]}}, "limit": 50}
        answer = api.post("/events/filter", json=wanted)
        answer.raise_for_status()
        events = [one for one in answer.json()["events"] if one["payload"].get("run_id") == run_id]
        if ended := [one["payload"] for one in events if one["event"] == "presslake.run.finished"]:
            assert ended[0]["change_seq"]["to"] - ended[0]["change_seq"]["from"] == len(ended[0]["batch_ids"])
            return {(one["event"], one["payload"]["source_id"]) for one in events if "source_id" in one["payload"]}
        assert time.monotonic() < deadline, events
        time.sleep(0.5)


def _health_table(api: httpx.Client, run_id: str) -> dict[str, dict[str, str]]:
    wanted = {"flow_runs": {"id": {"any_": [run_id]}}, "artifacts": {"key": {"any_": ["source-health"]}}}
    (artifact,) = api.post("/artifacts/filter", json=wanted).json()
    return {row["source"]: row for row in json.loads(artifact["data"])}


def test_each_problem_is_reported_once_after_its_threshold_and_healthy_sources_are_not(
    presslake: Presslake, press: Press, catalogue: Path, api: httpx.Client, webhook: Webhook
):
    presslake.run("automations", "apply", "--webhook", webhook.url, "--definitions", DEFINITIONS)
    press.answer = _change_layout(press, 1, press.answer)
    _publish(press, 1, 0, 19)  # one less than drift detection needs
    _publish(press, 2, 0, 4)
    before = presslake.ingest("--catalogue", catalogue)["run_id"]

    _remember_past(f"sqlite:///{presslake.home / 'index.db'}")
    _publish(press, 1, 19, 1)
    press.answer = _refuse(press, 2, press.answer)
    _publish(press, 2, 4, 5)
    first = presslake.ingest("--catalogue", catalogue)["run_id"]
    second = presslake.ingest("--catalogue", catalogue)["run_id"]

    table = _health_table(api, first)
    assert (_events_of(api, before), _events_of(api, second)) == (set(), set())
    assert _events_of(api, first) == {
        ("presslake.source.silent", SILENT),
        ("presslake.source.drifted", DRIFTED),
        ("presslake.source.refused", REFUSED),
    }
    assert list(table) == [REFUSED, SILENT, DRIFTED, QUIET]
    assert {source: row["state"] for source, row in table.items()} == {
        REFUSED: "refused", SILENT: "silent", DRIFTED: "drifted", QUIET: "well",
    }  # fmt: skip
    assert table[REFUSED]["why"] == "http_403"
    assert sorted(one["subject"] for one in webhook.await_posts(3, about="watched-")) == [
        f"presslake.source.drifted: {DRIFTED}",
        f"presslake.source.refused: {REFUSED}",
        f"presslake.source.silent: {SILENT}",
    ]
    status = presslake.run("status", "--json").json()
    assert {one["source_id"]: one["state"] for one in status["health"]}[SILENT] == "silent"


def test_a_missing_block_is_one_clear_error_and_nothing_is_applied(presslake, api):
    words = ("--definitions", DEFINITIONS, "--block", "custom-webhook/nobody")
    ended = presslake.run("automations", "apply", *words, check=False)

    assert (ended.code, len(ended.err.splitlines())) == (2, 1)
    assert "--block custom-webhook/nobody: the Prefect server has no such block" in ended.err
    assert api.post("/automations/filter", json={}).json() == []


def test_automations_applied_twice_exist_once_and_only_the_block_has_the_secret(presslake, api, webhook):
    words = ("automations", "apply", "--definitions", DEFINITIONS, "--json")
    planned = presslake.run(*words, "--webhook", webhook.url, "--dry-run").json()
    assert api.post("/automations/filter", json={}).json() == []

    first = presslake.run(*words, "--webhook", webhook.url).json()
    second = presslake.run(*words).json()
    third = presslake.run(*words, "--stuck-after", "900").json()

    there = api.post("/automations/filter", json={}).json()
    assert set(planned.values()) == set(first.values()) == {"created"}
    assert set(second.values()) == {"unchanged"}
    assert [name for name, became in third.items() if became == "updated"] == ["presslake stuck runs"]
    assert sorted(one["name"] for one in there) == sorted(first)
    block = api.get("/block_types/slug/custom-webhook/block_documents/name/presslake").json()
    assert webhook.url not in json.dumps([there, block])
