"""Kill one sweep and keep another running, with shorter heartbeats: only the dead run is marked as crashed.

`make stuck-runs` takes about five minutes. Heartbeats come every 30 s instead of 180, and a run is marked after 90 s without
one instead of 600: three heartbeats in both cases.
"""

import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import httpx

from flows.server.defaults import set_prefect_defaults
from flows.server.local import local_server
from tests.engine import Presslake
from tests.press import Press, running_press
from tests.workers import api_client

HEARTBEAT_S, STUCK_AFTER_S = 30, 90
DELAY_S, PAGES = 5.0, 60
"""The press of the surviving run: one sweep takes five minutes, or ten heartbeats."""

DEFINITIONS = Path(__file__).parents[2] / "deploy/automations"


def main() -> int:
    """Run both sweeps, and return the exit code."""
    for name in [name for name in os.environ if name.startswith(("PREFECT_", "PRESSLAKE_"))]:
        del os.environ[name]
    os.environ |= {"PREFECT_HOME": tempfile.mkdtemp(), "PREFECT_FLOWS_HEARTBEAT_FREQUENCY": str(HEARTBEAT_S)}
    set_prefect_defaults(is_quiet=True)
    with (
        local_server(has_ui=False) as url,
        running_press(sites=1, articles=PAGES, network=77) as first,
        running_press(sites=1, articles=PAGES, network=78) as second,
        api_client(url) as api,
    ):
        homes = [Presslake(Path(tempfile.mkdtemp()), {"PREFECT_API_URL": url}) for _ in range(2)]
        options = (
            "--definitions",
            DEFINITIONS,
            "--webhook",
            "http://127.0.0.1:9/",
            "--stuck-after",
            str(STUCK_AFTER_S),
        )
        homes[0].run("automations", "apply", *options)
        dies, lives = (_begun(home, press) for home, press in zip(homes, (first, second), strict=True))
        _await_hits(first, second)
        time.sleep(1.5 * HEARTBEAT_S)
        dies.kill()
        dies.communicate()
        crashed_after_s = _await_crash(api)
        _say(
            f"killed, and marked as crashed {crashed_after_s:.0f} s later (within {STUCK_AFTER_S} s of its last heartbeat)"
        )
        lives.communicate(timeout=900)
        names = sorted(run["state"]["name"] for run in _runs(api))
    _say(f"the states at the end: {names}; the run that lived took {PAGES * DELAY_S:.0f} s or more")
    is_right = names == ["Completed", "Crashed"] and lives.returncode == 0
    _say("as it should be" if is_right else "WRONG")
    return 0 if is_right else 1


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def _begun(home: Presslake, press: Press) -> Any:
    catalogue = press.catalogue(home.home / "sources.yaml", crawl_delay_s=DELAY_S)
    return home.start("ingest", "--catalogue", catalogue, PRESSLAKE_HOST_BUDGET_S="600")


def _await_hits(*presses: Press) -> None:
    deadline = time.monotonic() + 180
    while any(sum(press.hits.values()) < 4 for press in presses):
        assert time.monotonic() < deadline, "the sweeps do not begin"
        time.sleep(0.5)


def _await_crash(api: httpx.Client) -> float:
    killed_at = time.monotonic()
    while not any(run["state"]["name"] == "Crashed" for run in _runs(api)):
        assert time.monotonic() < killed_at + STUCK_AFTER_S + 120, "the dead run is not marked as crashed"
        time.sleep(1)
    return time.monotonic() - killed_at


def _runs(api: httpx.Client) -> list[dict[str, Any]]:
    return api.post("/flow_runs/filter", json={}).json()


if __name__ == "__main__":
    sys.exit(main())
