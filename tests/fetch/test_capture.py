"""Bytes take precedence over Content-Type: what a browser would display as a page is one, whatever its label."""

import pytest

from tasks.fetch.capture import is_page
from tasks.values.rows import Outcome
from tasks.web.headers import media_type
from tests.fetch.test_fetching import ALLOW, book, fetched, outcomes_of
from tests.web.loopback import answer, serve

__all__ = ["book"]

TEXT = "<h1>Quay opens</h1>" + "<p>The north quay was opened again to the boats of the town on Friday.</p>" * 20
WHOLE = f"<!doctype html><html><head><title>Quay opens</title></head><body>{TEXT}</body></html>"
XHTML = '<html xmlns="http://www.w3.org/1999/xhtml"><head><title>Quay opens</title></head><body/></html>'

LABELS = [
    None, "", "html", "text/html", "text/htm", "text/plain", "text/xml", "application/xml; charset=utf-8", "application/json",
    "application/x-httpd-php", "application/octet-stream", "application/force-download", "unknown/unknown", "*/*", "image/jpeg",
    "text/html, text/plain",
]  # fmt: skip

PAGES = {
    "a document type": WHOLE.encode(),
    "a document type without a space, as minifiers write it": WHOLE.replace("doctype ", "doctype").encode(),
    "no document type": WHOLE.removeprefix("<!doctype html>").encode(),
    "outer elements left out": f"<title>Quay opens</title>{TEXT}".encode(),
    "its charset first": f"<meta charset=utf-8><title>Quay opens</title>{TEXT}".encode(),
    "a comment of many kB": b"<!-- " + b"served from the cache; " * 2000 + b"-->\n" + WHOLE.encode(),
    "two byte order marks": b"\xef\xbb\xbf\xef\xbb\xbf" + WHOLE.encode(),
    "spaces of an editor": "\u00a0\u200b\r\n".encode() + WHOLE.encode(),
    "UTF-16 with a mark": WHOLE.encode("utf-16"),
    "UTF-16 without a mark": WHOLE.encode("utf-16-le"),
    "UTF-16, high byte first": WHOLE.encode("utf-16-be"),
    "XHTML": f'<?xml version="1.0" encoding="utf-8"?>\n<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0//EN">{XHTML}'.encode(),
    "XHTML with a style sheet": f'<?xml version="1.0"?><?xml-stylesheet href="a>b.xsl"?>{XHTML}'.encode(),
}  # fmt: skip

UNNAMED = [None, "", "html", "text/plain", "application/octet-stream", "unknown/unknown", "*/*"]
FRAGMENTS = {
    "a heading": TEXT.encode(),
    "a script": b"<script>var a = 1</script>" + WHOLE.encode(),
    "a comment that is longer than what is looked at": b"<!--" + b" " * 70_000 + b"-->" + WHOLE.encode(),
    "a warning of the server's": b"<br />\n<b>Warning</b>: mktime() in <b>/a.php</b> on line 3<br />\n"
    + WHOLE.encode(),
}

OTHERS = {
    "PDF": b"%PDF-1.7\n<html>",
    "a picture": b"\x89PNG\r\n\x1a\n<html>",
    "a newer picture": b"RIFF\x10\0\0\0WEBPVP8 <html>",
    "film": b"\0\0\0\x18ftypmp42<html>",
    "sound": b"ID3\x03\0<html>",
    "an archive": b"PK\x03\x04<html>",
    "RSS": b'<?xml version="1.0"?>\n<rss version="2.0"><channel><title>Quay</title></channel></rss>',
    "Atom": b'<!-- made by hand --><feed xmlns="http://www.w3.org/2005/Atom"><title>Quay</title></feed>',
    "Atom with a prefix": b'<atom:feed xmlns:atom="http://www.w3.org/2005/Atom"><title>Quay</title></atom:feed>',
    "a sitemap in UTF-16": '<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"></urlset>'.encode("utf-16"),
    "JSON": b'{"title": "Quay opens", "html": "<html><body><p>The north quay was opened"}',
    "a list in JSON": b'[ {"title": "Quay opens"} ]',
}


def is_page_with(label: str | None, body: bytes) -> bool:
    return is_page(media_type(label), body[:65_536])


@pytest.mark.parametrize("label", LABELS)
@pytest.mark.parametrize("way", PAGES)
def test_html_by_its_first_bytes_is_a_page_under_any_label(way, label):
    assert is_page_with(label, PAGES[way])


@pytest.mark.parametrize("label", UNNAMED)
@pytest.mark.parametrize("way", FRAGMENTS)
def test_html_without_a_prologue_is_a_page_if_unlabelled(way, label):
    assert is_page_with(label, FRAGMENTS[way])


@pytest.mark.parametrize("label", LABELS)
@pytest.mark.parametrize("what", OTHERS)
def test_another_format_by_its_first_bytes_is_no_page_under_any_label(what, label):
    assert not is_page_with(label, OTHERS[what])


@pytest.mark.parametrize("label", ["text/plain", "application/xml", "image/png", None])
def test_plain_text_is_a_page_only_if_labelled_as_html(label):
    assert is_page_with("text/html", b"The north quay was opened again.")
    assert not is_page_with(label, b"The north quay was opened again.")


async def test_a_utf_16_page_labelled_xml_is_a_page_but_a_feed_labelled_html_is_not(book):
    bodies = {
        "/wide": (PAGES["UTF-16 with a mark"], "application/xml"),
        "/bare": (PAGES["its charset first"], "unknown/unknown"),
        "/feed": (OTHERS["RSS"], "text/html"),
    }
    pages = {path: answer(200, body, [("Content-Type", label)]) for path, (body, label) in bodies.items()}
    async with serve({**ALLOW, **pages}) as server:
        batch = await fetched(book, *map(server.url, pages))

    assert outcomes_of(batch) == [(Outcome.OK, None), (Outcome.OK, None), (Outcome.SKIPPED, "not_html")]
