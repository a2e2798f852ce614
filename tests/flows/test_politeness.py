"""Concurrent sweeps together respect each host's limits, and no host delays the others."""

import itertools
import json
from pathlib import Path

import pytest

from tests.engine import Presslake
from tests.press import Press, Story, most_in_flight, running_press

pytestmark = pytest.mark.engine

PROCESSES = 4


def _sweep_at_once(presslake: Presslake, press: Press, catalogue: Path) -> list[int]:
    """Run four concurrent sweeps of one host, each with its own articles; return the pages each fetched."""
    presslake.run("migrate")  # create the index first, so that no sweep waits for that
    paths = list(press.stories[0])
    shares = [paths[number::PROCESSES] for number in range(PROCESSES)]
    started = [
        presslake.start(
            "ingest",
            "--catalogue",
            catalogue,
            "--json",
            *(word for path in share for word in ("--url", press.url(0, path))),
        )
        for share in shares
    ]
    ended = [process.communicate(timeout=180) for process in started]
    assert [process.returncode for process in started] == [0] * PROCESSES, ended
    return [json.loads(out.splitlines()[-1])["fetched"] for out, _ in ended]


def test_four_concurrent_sweeps_keep_a_hosts_crawl_delay(presslake, tmp_path):
    with running_press(sites=1, articles=12, network=31) as press:
        catalogue = press.catalogue(tmp_path / "sources.yaml", crawl_delay_s=1.0, max_per_host=1)

        fetched = _sweep_at_once(presslake, press, catalogue)

    came_at = [one.came_at for one in press.log]
    gaps_s = [later - earlier for earlier, later in itertools.pairwise(came_at)]
    assert fetched == [3] * PROCESSES
    assert (press.hits[press.addresses[0], "/robots.txt"], len(press.log)) == (1, 13)
    assert min(gaps_s) >= 0.95
    assert most_in_flight(press.log) == 1


def test_four_concurrent_sweeps_keep_a_hosts_concurrency_limit(presslake, tmp_path):
    with running_press(sites=1, articles=40, network=32) as press:
        press.pauses_s[0] = 0.4
        catalogue = press.catalogue(tmp_path / "sources.yaml", crawl_delay_s=0.0, max_per_host=4)

        fetched = _sweep_at_once(presslake, press, catalogue)

    assert fetched == [10] * PROCESSES
    assert 1 < most_in_flight(press.log) <= 4


def test_a_slow_host_delays_none_of_two_hundred(presslake, tmp_path):
    with running_press(sites=200, articles=1, network=33) as press:
        press.pauses_s[7] = 3.0
        press.stories[7] |= {(more := Story(7, number)).path: more for number in (1, 2)}
        catalogue = press.catalogue(tmp_path / "sources.yaml", max_per_host=1)

        summary = presslake.ingest("--catalogue", catalogue)

    articles = [one for one in press.log if one.path.startswith("/news/")]
    slow_at = sorted(one.came_at for one in articles if one.site == 7)
    others_at = [one.came_at for one in articles if one.site != 7]
    assert (summary["fetched"], summary["pending"]) == (202, 0)
    assert max(others_at) < slow_at[-1]
    assert len(press.log) == 2 * 200 + 202  # robots.txt and feed of each host, and each article, once
