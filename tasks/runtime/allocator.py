"""What a process keeps and loads: memory that is free goes back to the system, NumPy stays out. Not pure: it changes the process."""

import ctypes
import gc
import os
import sys
from contextlib import suppress
from importlib.abc import MetaPathFinder
from pathlib import Path
from resource import getpagesize

COLLECTOR_THRESHOLDS = 20_000, 20, 50
"""When Python's collector comes by in a process that sweeps: by its own, a tenth of a sweep's CPU and of its imports' is spent
on objects that stay."""

_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENAS = -1, -3, -8  # parameters of mallopt, mallopt(3)
_KEPT, _MOST_ARENAS = 256 * 1024, 1  # bytes; heaps, by default eight a processor, of which each keeps what it had


def keep_little(*, piece: int = _KEPT, end: int = _KEPT) -> None:
    """Return pieces of this size (bytes), and what is free at the heap's end, to the system at once; forked children do so, too.

    By default glibc raises both thresholds to the largest piece that was ever freed, up to 32 MB: a process that read one page of
    10 MB keeps as much for ever. Nothing happens where the C library has no such setting.
    """
    with suppress(OSError, AttributeError):
        mallopt = ctypes.CDLL(None).mallopt
        for parameter, value in ((_MMAP_THRESHOLD, piece), (_TRIM_THRESHOLD, end), (_ARENAS, _MOST_ARENAS)):
            mallopt(parameter, value)


PAGE_SIZE = getpagesize()

_UNUSED = (
    "httpx._main",
    "mako.ext.pygmentplugin",
    "pyarrow._s3fs",
    "pyarrow._gcsfs",
    "pyarrow._azurefs",
    "pyarrow._hdfs",
)
"""What libraries load if they can, and no sweep uses: httpx's command line and the colours of alembic's templates, each with all
of Pygments, 4 MB, and Arrow's own ways to S3 and others, 4 MB with the AWS SDK; objects go through the port."""


_DELTA_RS = "narenas:1,dirty_decay_ms:0"
"""How delta-rs's own allocator, jemalloc, is set: it has one heap instead of four a processor, and returns what is free at once.
Its threads seldom run again to return what they freed: 17 MB after 56 batches."""


class _Without(MetaPathFinder):
    """Says that a module is not installed. None in sys.modules would do for Arrow; psycopg takes a name there for a module."""

    def __init__(self, name: str) -> None:
        self._name = name

    def find_spec(self, fullname: str, path: object = None, target: object = None) -> None:  # noqa: ARG002 - the protocol's
        if fullname == self._name:
            raise ModuleNotFoundError(f"this command does without {fullname}", name=fullname)


def spare_memory() -> None:
    """Set a process that does nothing but sweep, before it has threads and libraries.

    Python's collector rests until the session of its sweep begins, which looks once at what was imported: it would look again and
    again, .33 s of each start.
    """
    gc.disable()
    keep_little()
    os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")  # its own keeps what was freed
    os.environ.setdefault("_RJEM_MALLOC_CONF", _DELTA_RS)
    do_without_numpy()
    for name in _UNUSED:
        _do_without(name)


def do_without_numpy() -> None:
    """Let a command that neither sweeps with NumPy nor hands it to anybody run as where it is not installed.

    Presslake does not depend on it. Arrow loads it if it can, and pandas at the first instant that it gives to Python: 15 MB
    and several times what `trace` does by itself (docs/adr/0033). A program that imported it before keeps it.
    """
    _do_without("numpy")


def _do_without(name: str) -> None:
    if name not in sys.modules:
        sys.meta_path.insert(0, _Without(name))


def give_back() -> None:
    """Free what nothing refers to any more, cycles too, and return what is free to the system.

    A sweep calls it after each batch: Python's collector comes by too seldom for cycles that hold pages, and glibc gives
    back by itself only what is free at a heap's end.
    """
    gc.collect()
    trim()


def free_young() -> None:
    """Free cycles among the objects of late: each connection that was closed has left one, and the collector comes by seldom."""
    gc.collect(1)


def trim() -> None:
    """Return what is free to the system, also between pieces that are in use: some 1.5 ms."""
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)


class Slack:
    """Gives back what is free where this process has grown by more than `most` (bytes) since it last did so.

    A worker that looks after each page holds 10 MB less than one that does not. At 4 MB it holds 1.6 MB less than at 6, and the
    system gives it 383 pieces of memory a page again instead of 183: 0.5 ms of CPU.
    """

    def __init__(self, most: int = 6 << 20) -> None:
        self._most = most
        self._least: int | None = None

    def trim(self) -> None:
        """Give back, if the process has grown."""
        size = _resident_size()
        if self._least is None:
            self._least = size
        elif size - self._least > self._most:
            trim()
            self._least = _resident_size()


def _resident_size() -> int:
    """Return the bytes of memory that this process has; 0 where the system does not say so."""
    with suppress(OSError), Path("/proc/self/statm").open("rb") as shown:
        return int(shown.read().split()[1]) * PAGE_SIZE
    return 0
