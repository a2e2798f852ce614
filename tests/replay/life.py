"""Lives of a replay or of a sweep in processes of their own, which may be killed at any instant: forked, so that each is quick.

As a program it reads lines from standard input: `replay OPTIONS SECONDS` or `sweep`, and answers with the exit code.
"""

import json
import os
import signal
import sys
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from tasks.config.loading import load_catalogue
from tasks.config.options import ExtractOptions
from tasks.errors import PresslakeError
from tasks.index.database import open_index
from tasks.lake.objects.stores import DirectoryStore
from tasks.replay.config import ReplayConfig
from tasks.replay.replaying import ReplayContext, replay
from tests.e2e.chaos_worker import InlineExtractor, Life, work


def live(home: Path, index_url: str, kind: str, text: str | None) -> None:
    """Replay with these options for all sources, or sweep once."""
    if kind == "sweep":
        work(
            Life(
                lake=str(home / "lake"),
                index=index_url,
                catalogue=str(home / "sources.yaml"),
                urls=str(home / "urls.txt"),
            )
        )
        return
    catalogue = load_catalogue(home / "sources.yaml")
    with open_index(index_url) as index:
        context = ReplayContext(
            index=index,
            store=DirectoryStore(home / "lake"),
            pool=InlineExtractor(),
            workers=1,
            sources={name: replace(one, extract=ExtractOptions(text=text)) for name, one in catalogue.rules().items()},
            revisit_after=(),
        )
        replay(ReplayConfig(dry_run=False), context, on_step=lambda *_: None)


def main() -> None:
    home, index_url = Path(sys.argv[1]), sys.argv[2]
    for line in sys.stdin:
        kind, text, seconds = json.loads(line)
        child = os.fork()
        if child == 0:
            code = 1
            with suppress(PresslakeError):
                live(home, index_url, kind, text)
                code = 0
            os._exit(code)
        code = _await(child, seconds)
        sys.stdout.write(f"{code}\n")
        sys.stdout.flush()


def _await(child: int, seconds: float | None) -> int:
    """Return the exit code of a life, which is killed after so many seconds."""
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
