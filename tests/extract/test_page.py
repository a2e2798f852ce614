import gzip
from importlib.metadata import version

import pytest

from tasks.errors import (
    BadContentEncoding,
    CorruptRecord,
    DecompressionBomb,
    EmptyExtraction,
    NotAnArticle,
    TooManyElements,
)
from tasks.extract.page import LONG_PAGE_SIZE, extract_html, extract_page
from tasks.extract.rules import RULE_SET
from tasks.extract.stored_page import ExtractConfig, StoredPage
from tasks.values.rows import PageType
from tests.extract.reading import NAMES, NOW, PAGES, PARAGRAPHS, URL, expected, page
from tests.extract.stored import HTML_TYPE, stored

LATIN = "Content-Type: text/html; charset=iso-8859-1\r\n"
FIELDS = (
    "title", "lede", "language", "section", "image_url", "canonical_url", "syndicated_from", "paywalled", "tdm_reserved",
    "text",
)  # fmt: skip


CONFIG = ExtractConfig()


def read(html: str | bytes = "", config: ExtractConfig = CONFIG, **changes):
    return extract_page(stored(html, **changes), config)


@pytest.mark.parametrize("name", NAMES)
def test_fixture_pages_give_their_expected_values(name):
    try:
        found = read((PAGES / f"{name}.html").read_bytes(), url=expected(name)["url"])
    except NotAnArticle:
        assert "text" not in expected(name)
    else:
        assert found.page_type.value == expected(name)["page_type"]
        told = {field for field in FIELDS if field in expected(name)}
        assert {field: getattr(found, field) for field in told} == {field: expected(name)[field] for field in told}


def test_extractor_names_rules_library_and_path():
    assert read().extractor == f"presslake/{RULE_SET} trafilatura/{version('trafilatura')} fast"


def test_the_content_coding_is_decoded():
    fields = f"Content-Type: {HTML_TYPE}\r\nContent-Encoding: gzip\r\n"

    assert read(gzip.compress(page().encode()), fields=fields).text == "\n".join(PARAGRAPHS)


def test_the_charset_is_the_servers():
    found = read(page().replace("ferries", "fähren").encode("latin-1"), fields=LATIN)

    assert found.charset == "windows-1252"
    assert "fähren" in found.text


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize(
    "broken", ["fähren", "fähren \ufffd", b"f\xc3\xa4hren \xc3\xb6\xc3\xb6 \xff", "fähren \uffff \x01"]
)
def test_a_utf_8_page_is_decoded_as_utf_8(mark, broken):
    written = broken if isinstance(broken, bytes) else broken.encode()
    body = mark + page().encode().replace(b"ferries", written)

    found = read(body)

    assert found == extract_html(body.decode("utf-8-sig", "replace"), URL, fetched_at=NOW)
    assert "fähren" in found.text


def test_words_are_counted():
    assert read().word_count == sum(len(one.replace("4.1", "4 1").split()) for one in PARAGRAPHS)


@pytest.mark.parametrize("body", [b"", b"  \n", b"%PDF-1.7 stream", b"<!-- -->"])
def test_an_empty_body_is_not_an_article(body):
    with pytest.raises(NotAnArticle):
        read(body)


def test_a_short_page_without_text_is_not_an_article():
    with pytest.raises(NotAnArticle):
        read("<html><head><title>Harbour</title></head><body></body></html>")


def test_a_long_page_without_text_is_an_empty_extraction():
    with pytest.raises(EmptyExtraction):
        read(f"<html><head><title>Harbour</title></head><body><script>{'x' * LONG_PAGE_SIZE}</script></body></html>")


def test_a_wall_without_text_keeps_its_label():
    assert read("<html><head><title>Page not found</title></head><body></body></html>").page_type is PageType.SOFT_404


def test_a_page_of_too_many_elements_is_not_extracted():
    with pytest.raises(TooManyElements, match=f"at {URL}"):
        read(page(inside="<i></i>" * 1000), ExtractConfig(max_elements=1000))


def test_a_page_with_the_most_allowed_elements_is_extracted():
    assert read("<p>" + PARAGRAPHS[0], ExtractConfig(max_elements=4)).text == PARAGRAPHS[0]


def test_a_body_too_large_when_decoded_is_not_extracted():
    fields = f"Content-Type: {HTML_TYPE}\r\nContent-Encoding: gzip\r\n"

    with pytest.raises(DecompressionBomb):
        read(gzip.compress(b"x" * 100_000), ExtractConfig(max_decoded_size=10_000), fields=fields)


def test_a_wrongly_declared_coding_does_no_harm():
    fields = f"Content-Type: {HTML_TYPE}\r\nContent-Encoding: gzip\r\n"

    assert read(page(), fields=fields).text == "\n".join(PARAGRAPHS)


def test_an_unknown_coding_is_refused_unless_the_body_is_plain():
    fields = f"Content-Type: {HTML_TYPE}\r\nContent-Encoding: rot13\r\n"

    with pytest.raises(BadContentEncoding):
        read(b"\x9c\x8f" * 2000, fields=fields)

    assert read(page(), fields=fields).text == "\n".join(PARAGRAPHS)


def test_a_damaged_record_is_reported():
    whole = stored()

    with pytest.raises(CorruptRecord):
        extract_page(StoredPage(capture_id="c", fetched_at=NOW, record=whole.record[:-9]), ExtractConfig())


def test_the_same_record_gives_the_same_page():
    assert read() == read()


@pytest.mark.parametrize(
    ("written", "offset_s"), [("2026-10-02T23:30:00+09:00", 32_400), ("2026-10-02T14:30:00Z", 0), ("2026-10-02", None)]
)
def test_the_publishers_utc_offset_is_kept(written, offset_s):
    html = page(head=f'<meta property="article:published_time" content="{written}">')

    assert extract_html(html, URL, fetched_at=NOW).published_at_offset_s == offset_s
