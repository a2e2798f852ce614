"""The local server's process: `prefect server start`, until standard input ends or a signal comes."""

import os
import signal
import sys
import threading
import time

GRACE_S = 5
STDIN = 0


def main() -> None:
    """Serve on the port that is the first argument."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    from prefect.cli import app  # noqa: PLC0415 - after the thread: a parent that dies during this import is noticed

    sys.argv = ["prefect", "server", "start", "--host", "127.0.0.1", "--port", sys.argv[1]]
    app()


def _end_with_parent() -> None:
    # not by sys.stdin: a thread that waits in it holds its lock, and the interpreter cannot end without that
    while os.read(STDIN, 1):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(GRACE_S)
    os._exit(0)


if __name__ == "__main__":
    main()
