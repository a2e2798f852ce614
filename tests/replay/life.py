"""Runs of a replay, a backfill or a sweep in separate, forked processes, which may be killed at any instant.

As a program it reads lines of JSON from standard input, `[KIND, WHAT, SECONDS]`, and answers each with an exit code.
WHAT is the XPath that a replay gives all sources, or the archive of a backfill.
"""

import json
import os
import signal
import sys
import time
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from tasks.backfill.config import BackfillConfig
from tasks.backfill.taking import backfill_warc
from tasks.config.loading import load_catalogue
from tasks.config.options import ExtractOptions
from tasks.config.settings import Settings
from tasks.discover.plan import ADHOC
from tasks.errors import PresslakeError
from tasks.index.database import open_index
from tasks.lake.objects.stores import DirectoryStore
from tasks.replay.config import ReplayConfig
from tasks.replay.replaying import ReplayContext, replay
from tests.backfill.conftest import Inline
from tests.e2e.chaos_worker import InlineExtractor, Life, work

UNIT_PAGES = 4


def backfill(home: Path, index_url: str, archive: str) -> None:
    """Backfill one archive."""
    settings = Settings(lake=str(home / "lake"), index=index_url, catalogue=home / "sources.yaml")
    config = BackfillConfig(paths=[archive], unit_pages=UNIT_PAGES)
    run_id = f"backfill-{datetime.now(UTC)}"
    backfill_warc(config, settings, Inline(settings, config), run_id=run_id, on_step=lambda *_: None)


def replay_all(home: Path, index_url: str, text: str | None) -> None:
    """Replay everything, with this text selector for all sources."""
    rules = load_catalogue(home / "sources.yaml").rules()
    rules = {ADHOC: next(iter(rules.values())), **rules}  # the archives' hosts have no owner
    with open_index(index_url) as index:
        context = ReplayContext(
            index=index,
            store=DirectoryStore(home / "lake"),
            pool=InlineExtractor(),
            workers=1,
            sources={name: replace(one, extract=ExtractOptions(text=text)) for name, one in rules.items()},
            revisit_after=(),
        )
        replay(ReplayConfig(dry_run=False), context, on_step=lambda *_: None)


def sweep(home: Path, index_url: str, _: str | None) -> None:
    """Sweep once."""
    catalogue, urls = str(home / "sources.yaml"), str(home / "urls.txt")
    work(Life(lake=str(home / "lake"), index=index_url, catalogue=catalogue, urls=urls))


LIVES = {"backfill": backfill, "replay": replay_all, "sweep": sweep}


def main() -> None:
    home, index_url = Path(sys.argv[1]), sys.argv[2]
    for line in sys.stdin:
        kind, what, seconds = json.loads(line)
        child = os.fork()
        if child == 0:
            code = 1
            with suppress(PresslakeError):
                LIVES[kind](home, index_url, what)
                code = 0
            os._exit(code)
        code = _await(child, seconds)
        sys.stdout.write(f"{code}\n")
        sys.stdout.flush()


def _await(child: int, seconds: float | None) -> int:
    """Return the exit code of a run that is killed after some seconds."""
    until = None if seconds is None else time.monotonic() + seconds
    while True:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            return os.waitstatus_to_exitcode(status)
        if until is not None and time.monotonic() > until:
            os.kill(child, signal.SIGKILL)
            return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        time.sleep(0.005)


if __name__ == "__main__":
    main()
