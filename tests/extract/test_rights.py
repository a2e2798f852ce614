"""Rights signals of a page and its headers."""

import pytest

from tasks.extract.rights import Rights, rights_of
from tests.extract.reading import page, read_page


def rights(head="", *headers):
    return rights_of(read_page(page(head=head)).metadata, headers)


def meta(name, content):
    return f'<meta name="{name}" content="{content}">'


def test_a_page_without_signals_has_none():
    assert rights() == Rights(tdm_reserved=None, noarchive=None)


@pytest.mark.parametrize(
    ("head", "header", "expected"),
    [
        ("1", None, True),
        ("0", None, False),
        (None, "1", True),
        (None, "0", False),
        ("0", "1", True),
        ("1", "0", True),
    ],
)
def test_the_stricter_of_meta_and_header_applies(head, header, expected):
    said = [("tdm-reservation", header)] if header else []

    assert rights(meta("tdm-reservation", head) if head else "", *said).tdm_reserved is expected


@pytest.mark.parametrize(
    ("content", "expected"), [("noarchive", True), ("NOCACHE", True), ("index, follow", False), ("noai", False)]
)
def test_no_archive_is_read_from_both_places(content, expected):
    assert rights(meta("robots", content)).noarchive is expected
    assert rights("", ("x-robots-tag", content)).noarchive is expected


def test_directives_for_other_crawlers_are_ignored():
    assert rights("", ("x-robots-tag", "otherbot: noarchive")).noarchive is None


def test_several_header_fields_are_combined():
    assert rights("", ("x-robots-tag", "noindex"), ("x-robots-tag", "noarchive")).noarchive is True


@pytest.mark.parametrize(("reservation", "expected"), [(None, True), ("0", False), ("1", True)])
def test_no_ai_reserves_if_no_other_signal_does(reservation, expected):
    said = [("tdm-reservation", reservation)] if reservation else []

    assert rights("", ("x-robots-tag", "noai, noimageai"), *said).tdm_reserved is expected
