"""Callbacks of our code that block an event loop are recorded with their functions; others are not."""

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
WATCHED = """
import asyncio, json, sys, time
from dataclasses import asdict
from benchmarks.loops import watch

async def holds(cpu_s):
    await asyncio.sleep(0)
    ends_s = time.thread_time() + cpu_s
    while time.thread_time() < ends_s:
        pass

async def main():
    await asyncio.gather(holds(0.15), holds(0.0))

watched = watch(tuple(sys.argv[1:]))
asyncio.run(main())
print(json.dumps(asdict(watched)))
"""


def watched(*ours: str):
    """Return the record of a loop that one callback blocks for 0.15 s. Runs in its own process, which stays watched."""
    words = [sys.executable, "-c", WATCHED, *ours]
    return json.loads(subprocess.run(words, cwd=ROOT, capture_output=True, check=True, timeout=60).stdout)


def test_a_blocking_callback_is_recorded():
    seen = watched("<string>")

    assert [frames for _, frames in seen["long"]] == [["<string>:holds"]]
    assert seen["longest_s"] >= 0.15
    assert seen["callbacks"] > 3


def test_callbacks_of_other_code_are_not_recorded():
    assert watched("/nowhere") == {"callbacks": 0, "longest_s": 0.0, "long": []}
