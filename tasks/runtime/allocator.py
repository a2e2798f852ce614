"""Reduce the memory of a process: return free memory to the system, tune the garbage collector, avoid loading NumPy.

Not pure: it changes the process.
"""

import ctypes
import gc
import os
import sys
from contextlib import suppress
from importlib.abc import MetaPathFinder
from pathlib import Path
from resource import getpagesize

COLLECTOR_THRESHOLDS = 20_000, 20, 50
"""Thresholds of Python's garbage collector in a sweep: with the defaults, a tenth of the CPU goes into scanning
long-lived objects."""

_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENAS = -1, -3, -8  # parameters of mallopt, mallopt(3)
_KEPT, _MOST_ARENAS = 256 * 1024, 1  # bytes; malloc arenas, by default eight per processor


def limit_retained_memory(*, piece: int = _KEPT, end: int = _KEPT) -> None:
    """Make malloc return blocks of this size (bytes), and free memory at the heap's end, to the system at once, in forked children too.

    By default glibc raises both thresholds to the largest block ever freed, up to 32 MB, so that a process that read
    one page of 10 MB keeps that much for ever. Nothing happens if the C library has no such setting.
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
"""Optional modules of libraries that no sweep uses: httpx's command line and the highlighting of alembic's templates, each
with Pygments, 4 MB, and Arrow's file systems, 4 MB with the AWS SDK, since objects go through our port."""


_DELTA_RS = "narenas:1,dirty_decay_ms:0"
"""Options of delta-rs's allocator, jemalloc: one arena instead of four per processor, and free memory is returned at
once. Its threads rarely run again to return it later: 17 MB after 56 batches."""


class _Without(MetaPathFinder):
    """Makes a module appear not installed.

    None in sys.modules would do for Arrow, but psycopg takes it for a module.
    """

    def __init__(self, name: str) -> None:
        self._name = name

    def find_spec(self, fullname: str, path: object = None, target: object = None) -> None:  # noqa: ARG002 - the protocol's
        if fullname == self._name:
            raise ModuleNotFoundError(f"this command runs without {fullname}", name=fullname)


def configure_sweep_memory() -> None:
    """Configure a process that only sweeps, before it has threads and libraries.

    Python's garbage collector is disabled until the session of the sweep begins, which collects once: scanning the
    imports again and again would cost 0.33 s of each start.
    """
    gc.disable()
    limit_retained_memory()
    os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")  # Arrow's own pool keeps freed memory
    os.environ.setdefault("_RJEM_MALLOC_CONF", _DELTA_RS)
    do_without_numpy()
    for name in _UNUSED:
        _do_without(name)


def do_without_numpy() -> None:
    """Hide NumPy from commands that do not need it, as if it were not installed.

    Presslake does not depend on it. Arrow loads it if it can, and pandas at the first instant that it converts to
    Python: 15 MB and several times the work of `trace` itself (docs/adr/0033). A program that imported it before keeps
    it.
    """
    _do_without("numpy")


def _do_without(name: str) -> None:
    if name not in sys.modules:
        sys.meta_path.insert(0, _Without(name))


def release_memory() -> None:
    """Run a full garbage collection, and return free memory to the system.

    A sweep calls it after each batch: automatic collections are too rare for cycles that hold pages, and glibc by
    itself only returns memory at the heap's end.
    """
    gc.collect()
    trim()


def collect_young() -> None:
    """Collect the young generations: each closed connection leaves a cycle, and automatic collections are rare."""
    gc.collect(1)


def trim() -> None:
    """Return free memory to the system, including holes between blocks in use; takes some 1.5 ms."""
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)


class HeapTrimmer:
    """Trims the heap when the process has grown by more than `most` bytes since the last trim.

    A worker that checks after each page holds 10 MB less than one that does not. At 4 MB it holds 1.6 MB less than at
    6, but has 383 page faults per page instead of 183: 0.5 ms of CPU.
    """

    def __init__(self, most: int = 6 << 20) -> None:
        self._most = most
        self._least: int | None = None

    def trim(self) -> None:
        """Trim the heap if the process has grown."""
        size = _resident_size()
        if self._least is None:
            self._least = size
        elif size - self._least > self._most:
            trim()
            self._least = _resident_size()


def _resident_size() -> int:
    """Return the resident memory of this process in bytes; 0 if unknown."""
    with suppress(OSError), Path("/proc/self/statm").open("rb") as shown:
        return int(shown.read().split()[1]) * PAGE_SIZE
    return 0
