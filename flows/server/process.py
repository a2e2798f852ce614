"""The local server's process: run `prefect server start` until standard input closes or a signal arrives."""

import gc
import os
import signal
import sys
import threading
import time

GRACE_S = 5
STDIN = 0


def main() -> None:
    """Serve on the port in the first argument."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    port = sys.argv[1]
    gc.disable()  # collecting takes an eighth of the imports' time and frees nothing
    import prefect.server.api.server  # noqa: F401, PLC0415 - after the thread starts, which watches for the parent's death

    gc.freeze()
    gc.enable()
    _prepare_database()
    _prefect("server", "start", "--host", "127.0.0.1", "--port", port)


def _prepare_database() -> None:
    import prefect  # noqa: PLC0415
    from prefect.settings import get_current_settings  # noqa: PLC0415

    from flows.server.template import prepare_database  # noqa: PLC0415

    url = get_current_settings().server.database.connection_url
    if url is not None:
        prepare_database(url.get_secret_value(), version=prefect.__version__, migrate=_migrate)


def _migrate() -> None:
    try:
        _prefect("server", "database", "upgrade", "--yes")
    except SystemExit as end:
        if end.code:
            raise


def _prefect(*words: str) -> None:
    from prefect.cli import app  # noqa: PLC0415

    sys.argv = ["prefect", *words]
    app()


def _end_with_parent() -> None:
    # not sys.stdin: a thread blocked in it holds its lock, which the interpreter needs to exit
    while os.read(STDIN, 1):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(GRACE_S)
    os._exit(0)


if __name__ == "__main__":
    main()
