"""Replays that are killed at any instant, with sweeps beside them: then the tables are as undisturbed ones."""

import json
import random
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.e2e.chaos_press import lines, pass_time

pytestmark = pytest.mark.long

KILLS = 50
TEXTS = ("//main//p[position() < 4]", "//p[position() < 4]", None)


class Lives:
    """Processes that live and die beside this one."""

    def __init__(self, process: subprocess.Popen) -> None:
        self._process = process

    def live(self, kind: str, text: str | None = None, seconds: float | None = None) -> int:
        """Live to the end, or for so many seconds; returns the exit code, negative for a kill."""
        self.begin(kind, text, seconds)
        return self.end()

    def begin(self, kind: str, text: str | None = None, seconds: float | None = None) -> None:
        self._process.stdin.write(json.dumps([kind, text, seconds]) + "\n")
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


def test_after_fifty_kills_with_sweeps_beside_them_all_is_as_it_was(replays):
    world, chance = replays.world, random.Random(16)
    world.press.catalogue(world.home / "sources.yaml")
    (world.home / "urls.txt").write_text(lines(world.press))
    before, killed, number = replays.articles(), 0, 0
    first = {site: dict(stories) for site, stories in world.press.stories.items()}
    try:
        with lives(world) as replaying, lives(world) as sweeping:
            while killed < KILLS:
                number += 1
                if number % 10 == 0:
                    pass_time(world.press)
                    (world.home / "urls.txt").write_text(lines(world.press))
                sweeping.begin("sweep", seconds=chance.uniform(0.2, 3))
                killed += replaying.live("replay", chance.choice(TEXTS), chance.uniform(0.05, 2.5)) < 0
                sweeping.end()
            assert sweeping.live("sweep") == 0
            assert replaying.live("replay") == 0
    finally:
        world.press.stories.clear()
        world.press.stories.update(first)
        world.press.tick = 0
    after = replays.articles()
    columns = (
        "text",
        "title",
        "content_digest",
        "text_digest",
        "fetched_at",
        "first_seen_at",
        "novelty",
        "duplicate_of",
        "changes",
    )

    assert len(replays.stored()) == len(after)
    assert {key: [getattr(after[key], name) for name in columns] for key in before if key in after} == {
        key: [getattr(row, name) for name in columns] for key, row in before.items()
    }
    assert set(world.verify().found) <= {"orphan_file", "orphan_segment"}  # a kill between PUT and commit leaves some
    assert replays.run().same == replays.run().pages
