"""Replays and backfills killed at any instant during sweeps give the same tables as undisturbed ones."""

import json
import os
import random
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tasks.maintain.config import MaintainConfig
from tasks.maintain.maintenance import maintain
from tasks.runtime.resources import close_opened
from tasks.values.rows import Article, Capture
from tests.e2e.chaos_press import lines, pass_time
from tests.replay.archives import archive
from tests.replay.conftest import CLUSTER, Replays
from tests.replay.life import backfill
from tests.verify.conftest import World

pytestmark = pytest.mark.long

KILLS = 100
TEXTS = ("//main//p[position() < 4]", "//p[position() < 4]", None)
UNSTABLE = {"extracted_at", "run_id", "change_seq", "added_seq", "source_tags", *CLUSTER}
"""Columns that depend on timing, and columns that `maintain` updates."""


class Lives:
    """Concurrent processes that may be killed."""

    def __init__(self, process: subprocess.Popen) -> None:
        self._process = process

    def live(self, kind: str, what: str | None = None, seconds: float | None = None) -> int:
        """Run to the end, or for some seconds; returns the exit code, negative for a kill."""
        self.begin(kind, what, seconds)
        return self.end()

    def begin(self, kind: str, what: str | None = None, seconds: float | None = None) -> None:
        self._process.stdin.write(json.dumps([kind, what, seconds]) + "\n")
        self._process.stdin.flush()

    def end(self) -> int:
        return int(self._process.stdout.readline())


@contextmanager
def lives(world):
    with subprocess.Popen(
        [sys.executable, "-m", "tests.replay.life", world.home, world.index_url],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).resolve().parents[2],
    ) as process:
        yield Lives(process)
        process.stdin.close()


class Archives:
    """Archives to take in, one after the other: the next one is made when a backfill has finished."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.made = [archive(folder, 0)]

    @property
    def present(self) -> str:
        return str(self.made[-1])

    def turn(self) -> None:
        self.made.append(archive(self.folder, len(self.made)))


def kill_often(world, archives: Archives, chance: random.Random) -> None:
    """Kill replays and backfills that run concurrently with each other and with sweeps; then let each finish."""
    killed = number = 0
    with lives(world) as replaying, lives(world) as taking_in, lives(world) as sweeping:
        while killed < KILLS:
            number += 1
            if number % 10 == 0:
                pass_time(world.press)
                (world.home / "urls.txt").write_text(lines(world.press))
            sweeping.begin("sweep", seconds=chance.uniform(0.2, 3))
            replaying.begin("replay", chance.choice(TEXTS), lifetime(chance, is_whole=number % 5 == 3))
            ended = taking_in.live("backfill", archives.present, lifetime(chance, is_whole=number % 5 == 0))
            killed += (replaying.end() < 0) + (ended < 0)
            sweeping.end()
            if ended == 0:
                archives.turn()
        assert sweeping.live("sweep") == 0
        assert taking_in.live("backfill", archives.present) == 0
        assert replaying.live("replay") == 0


def lifetime(chance: random.Random, *, is_whole: bool) -> float | None:
    """The seconds after which a process is killed; sometimes None, so that there is new work."""
    return None if is_whole else chance.uniform(0.05, 2.5)


def rows(found, kind, *, archived: bool):
    """Rows of sweeps, or of backfills, by key, without unstable columns."""
    names = [one.name for one in fields(kind) if one.name not in UNSTABLE]
    key = ("article_id", "revision") if kind is Article else ("capture_id",)
    return {
        tuple(getattr(row, name) for name in key): {name: getattr(row, name) for name in names}
        for row in found
        if (row.origin_uri is not None) is archived
    }


def undisturbed(world, archives: Archives, home: Path) -> Replays:
    """Take in the same archives without any disturbance."""
    home.mkdir()
    world.press.catalogue(home / "sources.yaml")
    index_url = f"sqlite:///{home / 'index.db'}"
    for one in archives.made:
        backfill(home, index_url, str(one))
    close_opened()
    return Replays(World(home, index_url, world.index, world.press))


def test_a_hundred_kills_of_replays_and_backfills_during_sweeps_change_no_result(replays, tmp_path):
    world, archives = replays.world, Archives(tmp_path / "in")
    world.press.catalogue(world.home / "sources.yaml")
    (world.home / "urls.txt").write_text(lines(world.press))
    swept = rows(replays.stored(), Article, archived=False)
    first = {site: dict(stories) for site, stories in world.press.stories.items()}
    try:
        kill_often(world, archives, random.Random(16))
        announced = world.press.urls()
    finally:
        world.press.stories.clear()
        world.press.stories.update(first)
        world.press.tick = 0
    alone = undisturbed(world, archives, tmp_path / "alone")
    stored, captures = replays.stored(), list(replays.captures().values())

    assert len(archives.made) > 5
    assert len(stored) == len(replays.articles())
    assert len(replays.stored_captures()) == len(captures)
    now = rows(stored, Article, archived=False)
    assert {key: now.get(key) for key in swept} == swept
    assert announced <= {one.url for one in captures if one.article_id}
    assert rows(stored, Article, archived=True) == rows(alone.stored(), Article, archived=True)
    assert rows(captures, Capture, archived=True) == rows(alone.captures().values(), Capture, archived=True)
    # a kill between PUT and commit leaves orphans
    assert set(world.verify().found) <= {"orphan_file", "orphan_segment"}
    tidy(world)
    assert set(world.verify().found) <= {"orphan_segment"}
    assert list(world.store.list("scratch/")) == []
    assert replays.run().same == replays.run().pages


def tidy(world) -> None:
    """Run maintenance two weeks later, when orphan files and scratch files of killed backfills have expired."""
    now = datetime.now(UTC)
    old = (now - timedelta(days=14)).timestamp()
    for path in (*world.lake.glob("*/dt=*/*.parquet"), *world.lake.glob("scratch/*/*")):
        os.utime(path, (old, old))
    maintain(index=world.index, store=world.store, config=MaintainConfig(), now=now, on_step=lambda *_: None)
