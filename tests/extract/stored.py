"""Stored pages for the tests of the stage and its pool, and an extraction function that misbehaves on demand."""

import gc
import os
import signal
import time
from dataclasses import replace

from trafilatura.utils import trim

from tasks.extract.page import extract_page
from tasks.extract.pool import PoolConfig
from tasks.extract.stored_page import ExtractConfig, NamedPage, StoredPage
from tasks.lake.warc import SegmentWriter
from tasks.values.page import Page
from tests.extract.reading import NAMES, NOW, PAGES, URL, expected, page

MIB = 1024 * 1024
CONFIG = PoolConfig(workers=2, time_limit_s=60, memory_size=1536 * MIB)
KEY = "warc/dt=2026-11-24/b1.warc.gz"
HTML_TYPE = "text/html; charset=utf-8"


def segment_of(
    pages: dict[str, bytes], *, fields: str = f"Content-Type: {HTML_TYPE}\r\n"
) -> tuple[bytes, dict[str, StoredPage]]:
    """Return a segment with one response per URL, and the stored pages by URL; capture ids are the URLs."""
    writer = SegmentWriter(KEY, software="presslake/0", created_at=NOW)
    refs = {
        url: writer.add_exchange(
            url=url, request_head=b"", response_head=f"HTTP/1.1 200 OK\r\n{fields}\r\n".encode(), body=body, fetched_at=NOW
        )
        for url, body in pages.items()
    }  # fmt: skip
    content = writer.to_bytes()
    return content, {
        url: StoredPage(capture_id=url, fetched_at=NOW, record=content[ref.offset : ref.offset + ref.length])
        for url, ref in refs.items()
    }


def stored(html: str | bytes = "", *, url: str = URL, fields: str = f"Content-Type: {HTML_TYPE}\r\n") -> StoredPage:
    body = html if isinstance(html, bytes) else (html or page()).encode()
    return segment_of({url: body}, fields=fields)[1][url]


def fixtures() -> list[NamedPage]:
    """Return our fixture pages as stored pages."""
    urls = {name: expected(name)["url"] for name in NAMES}
    return [
        (url, replace(stored((PAGES / f"{name}.html").read_bytes(), url=url), capture_id=name))
        for name, url in urls.items()
    ]


def asked(*deeds: str) -> list[NamedPage]:
    """Return stories for `misbehave`; each capture id has a number and a deed: `0 hang`."""
    one = stored()
    return [
        (f"https://daily.example/{deed}/{number}", replace(one, capture_id=f"{number} {deed}"))
        for number, deed in enumerate(deeds)
    ]


def misbehave(page: StoredPage, config: ExtractConfig) -> Page:
    """Do the deed in the page's id: hang, die, exhaust memory, or return the page with the worker's pid as section."""
    deed = page.capture_id.rpartition(" ")[2]
    if deed == "hang":
        time.sleep(600)
    if deed == "doze":
        time.sleep(1.5)  # longer than the CPU limit, as on a busy machine
    if deed == "spin":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        while True:
            pass
    if deed == "die":
        time.sleep(0.3)  # lets the pool learn which worker has the page
        os.kill(os.getpid(), signal.SIGKILL)
    if deed == "die_at_once":
        os.kill(os.getpid(), signal.SIGKILL)
    if deed == "eat":
        eaten = [bytearray(16 * MIB) for _ in range(10_000)]
        raise AssertionError(f"{len(eaten)} pieces")
    if deed == "fault":
        raise OverflowError("a fault of a library")
    if deed == "unsendable":
        raise Unsendable("harbour", line=3)
    return replace(extract_page(page, config), section=str(os.getpid()))


def tell_state(page: StoredPage, config: ExtractConfig) -> Page:
    """Return the page with its worker's initial state as section: loaded libraries, frozen objects."""
    warm = "warm" if trim.cache_info().currsize else "cold"
    return replace(extract_page(page, config), section=f"{warm} {'frozen' if gc.get_freeze_count() else 'free'}")


class Unsendable(Exception):
    """An error that can be pickled but not unpickled, like those of lxml."""

    def __init__(self, name: str, *, line: int) -> None:
        super().__init__(f"{name} in {line}")
