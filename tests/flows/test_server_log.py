"""Finding the first error in a server's log."""

import pytest

from flows.server.log import SHOWN, first_trouble

BANNER = " ___ ___ ___\n| _ \\ _ \\ __|\nView the API reference documentation at http://127.0.0.1:4200/docs\n\n"
AT_THE_END = (
    "Fatal Python error: _enter_buffered_busy: could not acquire lock for <_io.BufferedReader name='<stdin>'> at "
    "interpreter shutdown, possibly due to daemon threads\n"
    "Python runtime state: finalizing (tstate=0x00000000009f3a18)\n\n"
    "Current thread 0x00007f3f1c5c1740 (most recent call first):\n  <no Python frame>\n"
)
STARTUP = (
    "ERROR:    Traceback (most recent call last):\n"
    '  File "/opt/starlette/routing.py", line 694, in lifespan\n    async with self.lifespan_context(app):\n'
    "sqlite3.OperationalError: database is locked\n\n"
    "The above exception was the direct cause of the following exception:\n\n"
    "Traceback (most recent call last):\n"
    '  File "/opt/sqlalchemy/engine/base.py", line 1967, in _exec\n    self.dialect.do_execute(\n'
    "sqlalchemy.exc.OperationalError: (sqlite3.OperationalError) database is locked\n\n"
    "ERROR:    Application startup failed. Exiting.\n"
)
BOXED = (
    "╭───── Traceback (most recent call last) ─────╮\n│ /opt/prefect/cli/server.py:210 in start     │\n"
    "│ ❱ 210     bind(port)                        │\n╰─────────────────────────────────────────────╯\n"
    "PermissionError: [Errno 13] Permission denied\nServer stopped!\n"
)


@pytest.mark.parametrize(
    ("log", "line"),
    [
        (BANNER + AT_THE_END, AT_THE_END.splitlines()[0]),
        (BANNER + STARTUP + AT_THE_END, "sqlite3.OperationalError: database is locked"),
        (BANNER + BOXED + AT_THE_END, "PermissionError: [Errno 13] Permission denied"),
        (
            "Port 4200 is already in use. Please specify another.\n" + AT_THE_END,
            "Port 4200 is already in use. Please specify another.",
        ),
        (
            BANNER + "11:02:03.123 | ERROR   | prefect.server - no space left\nServer stopped!\n",
            "11:02:03.123 | ERROR   | prefect.server - no space left",
        ),
        ("/usr/bin/python: No module named prefect\n", "/usr/bin/python: No module named prefect"),
        (
            "terminate called without an active exception\nFatal Python error: Aborted\n",
            "terminate called without an active exception",
        ),
        ("Starting\nServer stopped!\n", "Server stopped!"),
        ("Traceback (most recent call last):\n  File cut short", "Traceback (most recent call last):"),
        ("", "no output"),
    ],
    ids=["fatal", "chained", "boxed", "port", "logged", "module", "abort", "nothing known", "cut short", "empty"],
)
def test_the_first_error_is_reported(log, line):
    assert first_trouble(log) == line[:SHOWN]
