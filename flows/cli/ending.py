"""How every command ends: run Python's exit handlers, flush the output, then `os._exit`.

The interpreter is not finalized. Threads of libraries outlive it, and one that then calls Python - Arrow's, reading through a
Python file object - aborts the process with SIGABRT after all was done and printed (docs/adr/0019).
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
    """Run a command and end this process with the exit code that Python would use."""
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
    """Run the cleanups that the interpreter runs before it finalizes, flush the output, and end this process.

    The exit code becomes 1 if the output could not be written.
    """
    try:
        if not is_given_up():  # else Prefect's threads would wait for a server that does not answer
            threading._shutdown()  # type: ignore[attr-defined] # joins threads and shuts executors down
            atexit._run_exitfuncs()
    finally:
        is_written = [_is_flushed(stream) for stream in (sys.stdout, sys.stderr)]
        os._exit(code or (0 if all(is_written) else FAILED))


def _is_flushed(stream: TextIO | None) -> bool:
    try:
        if stream is not None and not stream.closed:
            stream.flush()
    except OSError:  # the reader has closed the pipe, or the disk is full
        return False
    return True


def _exit_code(given: object) -> int:
    if given is None:
        return 0
    if isinstance(given, int):
        return given & 0xFF
    print(given, file=sys.stderr)  # noqa: T201 - as Python does with `sys.exit("why")`
    return FAILED
