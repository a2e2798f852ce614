"""Warm up the fork server of the extraction pool, which imports this module once for all workers.

Workers start with the extractor loaded and used: regexes compiled, settings read. Shared objects are frozen, so that
the garbage collector neither scans them nor causes copies of their memory.
"""

import gc
from datetime import UTC, datetime
from multiprocessing import spawn

from tasks.extract.page import extract_page
from tasks.extract.stored_page import ExtractConfig, StoredPage
from tasks.lake.warc import SegmentWriter
from tasks.runtime import workers  # noqa: F401 - includes pebble: saves 10 ms and 0.7 MB per worker
from tasks.runtime.allocator import COLLECTOR_THRESHOLDS, limit_retained_memory
from tasks.values.url import Url

_AT = datetime(2000, 1, 1, tzinfo=UTC)
_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n"
_LINE = "<p>The harbour café was opened again, after nine months of works, by the mayor of the town.</p>"
_HEAD_OF_PAGE = '<link rel="canonical" href="https://other.example/story"><meta name="date" content="1 Jan 2000">'
_PAGE = f"<html><head>{_HEAD_OF_PAGE}</head><body><article><h1>Harbour</h1>{_LINE * 9}</article></body></html>"
_URL = Url("https://daily.example/story")


def _warm_up() -> None:
    """Extract an example story."""
    segment = SegmentWriter("warm.warc.gz", software="presslake", created_at=_AT)
    ref = segment.add_exchange(
        url=_URL, request_head=b"", response_head=_HEAD, body=_PAGE.encode("latin-1"), fetched_at=_AT
    )
    record = segment.to_bytes()[ref.offset : ref.offset + ref.length]
    extract_page(StoredPage(capture_id="", fetched_at=_AT, record=record), ExtractConfig())


def _without_main(*_: object) -> None:
    """Keep multiprocessing from importing the parent's main module in each worker: it may import Prefect."""


limit_retained_memory(piece=1 << 20, end=6 << 20)  # with less, each page would fault its memory in again: 0.5 ms of CPU
_warm_up()
spawn._fixup_main_from_name = spawn._fixup_main_from_path = _without_main  # type: ignore[attr-defined]
gc.collect()
gc.freeze()
# with the defaults, one percent of each page's time goes into searching for cycles
gc.set_threshold(*COLLECTOR_THRESHOLDS)
