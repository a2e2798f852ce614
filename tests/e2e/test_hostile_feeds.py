"""All hostile feeds polled at once: each yields what can be read of it, or one reason, and nothing else."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from tests.e2e.hostile_feeds import MIB, polls

ROOT = Path(__file__).parents[2]
POLLS = {name: replace(poll, body=b"") for name, poll in polls("", "").items()}


@pytest.fixture(scope="module")
def polled(tmp_path_factory):
    """Poll them in a process of its own, so that its memory can be told."""
    index_url = f"sqlite:///{tmp_path_factory.mktemp('feeds') / 'index.db'}"
    done = subprocess.run(
        [sys.executable, "-m", "tests.e2e.hostile_feeds", index_url],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        check=True,
        timeout=150,
    )
    return json.loads(done.stdout)


@pytest.mark.parametrize("name", POLLS)
def test_a_feed_yields_what_can_be_read_of_it(polled, name):
    assert POLLS[name].least <= polled["counts"].get(name, 0) <= POLLS[name].most


@pytest.mark.parametrize("name", POLLS)
def test_a_feed_that_is_none_has_its_reason(polled, name):
    assert polled["reasons"].get(name) == POLLS[name].reason


@pytest.mark.parametrize("name", POLLS)
def test_a_feed_is_asked_for_once(polled, name):
    assert polled["asked"][name] == 2  # robots.txt and itself


def test_nothing_leaks_into_a_title(polled):
    assert not polled["has_leaked"]
    assert polled["longest_title"] < 10_000


def test_the_inside_was_not_touched(polled):
    assert polled["inside"] == 0


def test_memory_is_bounded(polled):
    assert polled["peak_size"] < 600 * MIB
