"""All hostile feeds are polled concurrently: each yields its readable entries, or one reason."""

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
    """Poll the feeds in a separate process, so that its memory can be measured."""
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
def test_a_hostile_feed_yields_its_readable_entries(polled, name):
    assert POLLS[name].least <= polled["counts"].get(name, 0) <= POLLS[name].most


@pytest.mark.parametrize("name", POLLS)
def test_a_document_that_is_not_a_feed_has_its_reason(polled, name):
    assert polled["reasons"].get(name) == POLLS[name].reason


@pytest.mark.parametrize("name", POLLS)
def test_a_feed_is_requested_once(polled, name):
    assert polled["asked"][name] == 2  # robots.txt and itself


def test_titles_are_bounded_and_leak_nothing(polled):
    assert not polled["has_leaked"]
    assert polled["longest_title"] < 10_000


def test_no_internal_address_was_requested(polled):
    assert polled["inside"] == 0


def test_memory_stays_bounded(polled):
    assert polled["peak_size"] < 600 * MIB
