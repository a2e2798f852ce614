"""The one end of every command: Python's own cleanups run, what was printed goes out, and the process ends there.

The interpreter is not taken down. Threads of libraries outlive it, and one that wants Python then - Arrow's, which read
through a file object of Python's - takes the process down with SIGABRT, after all was done and printed (docs/adr/0019).
"""

import atexit
import os
import sys
import threading
from collections.abc import Callable
from typing import NoReturn, TextIO

from flows.server.unsent import is_given_up

FAILED = 1


def run_to_the_end(command: Callable[[], object]) -> NoReturn:
    """Run a command and end this process, with the exit code that Python would give it."""
    code = 0
    try:
        command()
    except SystemExit as end:
        code = _exit_code(end.code)
    finally:
        error = sys.exception()
        if error is not None:
            sys.excepthook(type(error), error, error.__traceback__)
        end_process(FAILED if error is not None else code)


def end_process(code: int) -> NoReturn:
    """Clean up as the interpreter would before it takes itself down, and end this process."""
    try:
        if not is_given_up():  # Prefect's threads would wait for a server that is away
            threading._shutdown()  # type: ignore[attr-defined] # what joins threads and closes executors
            atexit._run_exitfuncs()
    finally:
        is_written = [_is_flushed(stream) for stream in (sys.stdout, sys.stderr)]
        os._exit(code or (0 if all(is_written) else FAILED))


def _is_flushed(stream: TextIO | None) -> bool:
    try:
        if stream is not None and not stream.closed:
            stream.flush()
    except OSError:  # nobody reads any more, or a disk is full
        return False
    return True


def _exit_code(given: object) -> int:
    if given is None:
        return 0
    if isinstance(given, int):
        return given & 0xFF
    print(given, file=sys.stderr)  # noqa: T201 - as Python does with `sys.exit("why")`
    return FAILED
