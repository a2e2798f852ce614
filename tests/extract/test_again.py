"""Stored pages are extracted again from their segment; missing and damaged ones are left out."""

import pytest

from tasks.config.options import ExtractOptions
from tasks.extract.again import extract_again
from tasks.extract.page import extract_page
from tasks.extract.stored_page import ExtractConfig
from tasks.lake.objects.stores import DirectoryStore
from tasks.lake.warc import SegmentWriter
from tests.rows import FETCHED_AT, make_article

KEY = "warc/dt=2026-03-01/b1.warc.gz"
URL = "https://daily.example/a"
PARAGRAPHS = "".join(
    f"<p>The ferry number {n} left the harbour at noon, and nobody on the quay waved.</p>" for n in range(9)
)
HTML = f"<html lang=en><head><title>Ferry late</title></head><body><article><h1>Ferry late</h1>{PARAGRAPHS}<p id=x>The end.</p></article></body></html>"
RENDERED = HTML.replace("Ferry late", "Ferry very late")


class InPlace:
    """Extracts in this process."""

    def extract(self, pages):
        return [(one.capture_id, extract_page(one, ExtractConfig())) for _, one in pages]


@pytest.fixture
def stored(tmp_path):
    """A lake with one stored page and its rendition, and the page's row."""
    store = DirectoryStore(tmp_path)
    segment = SegmentWriter(KEY, software="presslake/0", created_at=FETCHED_AT)
    ref = segment.add_exchange(
        url=URL,
        request_head=b"GET /a HTTP/1.1\r\n\r\n",
        response_head=b"HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\n\r\n",
        body=HTML.encode(),
        fetched_at=FETCHED_AT,
    )
    segment.add_conversion(
        url="https://daily.example/other", refers_to=ref.record_id, html=b"<p>No.</p>", rendered_at=FETCHED_AT
    )
    segment.add_conversion(url=URL, refers_to=ref.record_id, html=RENDERED.encode(), rendered_at=FETCHED_AT)
    store.put(KEY, segment.to_bytes())
    return store, make_article(warc_key=KEY, warc_offset=ref.offset, warc_length=ref.length)


def again(store, row, **more):
    return extract_again([row], pool=InPlace(), store=store, options={}, **more)


def test_a_stored_page_is_extracted_again(stored):
    (page,) = again(*stored).values()

    assert page.title == "Ferry late"
    assert page.text.endswith("The end.")


def test_the_rendition_is_read_if_the_source_renders_pages(stored):
    (page,) = again(*stored, rendered={"daily"}).values()

    assert page.title == "Ferry very late"


def test_the_sources_selectors_apply(stored):
    store, row = stored

    found = extract_again([row], pool=InPlace(), store=store, options={"daily": ExtractOptions(text="//*[@id='x']")})

    assert found["a1"].text == "The end."


@pytest.mark.parametrize("harm", ["gone", "damaged", "beside"])
def test_unreadable_pages_are_left_out(stored, harm):
    store, row = stored
    if harm == "gone":
        store.delete(KEY)
    if harm == "damaged":
        store.put(KEY, store.get(KEY)[: row.warc_offset + 20])
    if harm == "beside":
        row = make_article(warc_key=KEY, warc_offset=1, warc_length=50)

    assert again(store, row) == {}
