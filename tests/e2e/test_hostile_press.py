"""All hostile outlets are fetched concurrently: each ends with one counted reason, and the good ones lose nothing."""

import json
import subprocess
import sys
import urllib.request
from itertools import pairwise
from pathlib import Path

import pytest

from tests.e2e.hostile_press import GOOD, GOOD_DELAY_S, GOOD_PAGES, INSIDE, MIB, SAYS, WIRE_SIZE, outlets

ROOT = Path(__file__).parents[2]
PRESS = outlets(0)
KERNEL_SIZE = sum(int(Path(f"/proc/sys/net/ipv4/{name}").read_text().split()[2]) for name in ("tcp_rmem", "tcp_wmem"))
"""Bytes sent but never read that the kernel may buffer at both ends: it grows its buffers up to these sizes (tcp(7))."""


@pytest.fixture(scope="module")
def reading(tmp_path_factory):
    """Fetch the press in a separate process; return its results, and what the press received."""
    index_url = f"sqlite:///{tmp_path_factory.mktemp('hostile') / 'index.db'}"
    press = subprocess.Popen(
        [sys.executable, "-m", "tests.e2e.hostile_press"], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    try:
        port = int(press.stdout.readline())
        reader = subprocess.run(
            [sys.executable, "-m", "tests.e2e.hostile_reader", index_url, str(port)],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            check=True,
            timeout=120,
        )
        direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with direct.open(f"http://{SAYS}:{port}/", timeout=20) as said:
            seen = json.load(said)
    finally:
        press.communicate(timeout=20)
    return {**json.loads(reader.stdout), "seen": seen}


@pytest.mark.parametrize("name", PRESS)
def test_every_page_ends_with_its_reason(reading, name):
    outlet = PRESS[name]
    reasons = [reading["reasons"][f"{name}{path}"] for path in outlet.pages]

    assert sorted(reasons) == sorted(outlet.reasons)


@pytest.mark.parametrize("name", PRESS)
def test_no_response_is_read_past_the_cap(reading, name):
    assert reading["seen"][name]["sent_size"] < WIRE_SIZE + KERNEL_SIZE


@pytest.mark.parametrize("name", PRESS)
def test_no_outlet_gets_concurrent_requests(reading, name):
    assert reading["seen"][name]["most_in_flight"] <= 1


@pytest.mark.parametrize("name", GOOD)
def test_a_good_outlet_is_fetched_completely_at_its_pace(reading, name):
    seen = reading["seen"][name]
    gaps = [later - earlier for earlier, later in pairwise(seen["instants"])]

    assert seen["paths"][0] == "/robots.txt"
    assert sorted(seen["paths"][1:]) == [f"/{number}" for number in range(GOOD_PAGES)]
    assert min(gaps) >= 0.95 * GOOD_DELAY_S


def test_no_internal_address_was_requested(reading):
    assert INSIDE not in reading["seen"]


def test_no_header_was_injected(reading):
    assert not any("x-injected" in seen["names"] for seen in reading["seen"].values())


def test_a_busy_outlet_gets_no_more_requests(reading):
    for name in ("busy-seconds", "busy-date"):
        assert len(reading["seen"][name]["paths"]) == 2  # robots.txt and one page


def test_memory_stays_small(reading):
    assert reading["peak_size"] < 300 * MIB


def test_outlets_do_not_wait_for_each_other(reading):
    instants = [reading["seen"][name]["instants"] for name in GOOD]

    assert max(one[0] for one in instants) < min(one[-1] for one in instants)
