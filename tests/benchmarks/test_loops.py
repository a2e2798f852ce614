"""What holds an event loop is seen, with the functions that it is in, and what is not ours is not."""

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
    """Return what was watched of a loop that one callback holds for 0.15 s; a process of its own, since it stays watched."""
    words = [sys.executable, "-c", WATCHED, *ours]
    return json.loads(subprocess.run(words, cwd=ROOT, capture_output=True, check=True, timeout=60).stdout)


def test_a_callback_that_holds_its_loop_is_seen():
    seen = watched("<string>")

    assert [frames for _, frames in seen["long"]] == [["<string>:holds"]]
    assert seen["longest_s"] >= 0.15
    assert seen["callbacks"] > 3


def test_what_is_not_ours_is_not_seen():
    assert watched("/nowhere") == {"callbacks": 0, "longest_s": 0.0, "long": []}
