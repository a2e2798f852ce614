"""What the fork server of the extraction pool does once, so that its workers need not each: it imports this module.

Workers start with all of the extractor loaded and used: patterns compiled, settings read. What they share with each
other is frozen, so that no collection of garbage looks at it or copies its memory.
"""

import gc
from datetime import UTC, datetime
from multiprocessing import spawn

from tasks.extract.page import extract_page
from tasks.extract.stored_page import ExtractConfig, StoredPage
from tasks.lake.warc import SegmentWriter
from tasks.runtime import workers  # noqa: F401 - with pebble: 10 ms and 0.7 MB of each worker
from tasks.runtime.allocator import COLLECTOR_THRESHOLDS, keep_little
from tasks.values.url import Url

_AT = datetime(2000, 1, 1, tzinfo=UTC)
_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n"
_LINE = "<p>The harbour café was opened again, after nine months of works, by the mayor of the town.</p>"
_HEAD_OF_PAGE = '<link rel="canonical" href="https://other.example/story"><meta name="date" content="1 Jan 2000">'
_PAGE = f"<html><head>{_HEAD_OF_PAGE}</head><body><article><h1>Harbour</h1>{_LINE * 9}</article></body></html>"
_URL = Url("https://daily.example/story")


def _warm_up() -> None:
    """Read a story."""
    segment = SegmentWriter("warm.warc.gz", software="presslake", created_at=_AT)
    ref = segment.add_exchange(
        url=_URL, request_head=b"", response_head=_HEAD, body=_PAGE.encode("latin-1"), fetched_at=_AT
    )
    record = segment.to_bytes()[ref.offset : ref.offset + ref.length]
    extract_page(StoredPage(capture_id="", fetched_at=_AT, record=record), ExtractConfig())


def _without_main(*_: object) -> None:
    """Do not import the parent's main module, as multiprocessing would in each worker: it may be all of Prefect."""


keep_little(piece=1 << 20, end=6 << 20)  # less would have the system give each page its memory again: 0.5 ms of CPU
_warm_up()
spawn._fixup_main_from_name = spawn._fixup_main_from_path = _without_main  # type: ignore[attr-defined]
gc.collect()
gc.freeze()
gc.set_threshold(*COLLECTOR_THRESHOLDS)  # by default a hundredth part of each page is spent on looks for cycles
