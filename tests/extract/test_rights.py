"""What a page and its headers say of the rights to it."""

import pytest

from tasks.extract.rights import Rights, rights_of
from tests.extract.reading import page, read_page


def rights(head="", *headers):
    return rights_of(read_page(page(head=head)).metadata, headers)


def meta(name, content):
    return f'<meta name="{name}" content="{content}">'


def test_a_page_that_says_nothing_says_nothing():
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
def test_of_meta_and_header_the_stricter_counts(head, header, expected):
    said = [("tdm-reservation", header)] if header else []

    assert rights(meta("tdm-reservation", head) if head else "", *said).tdm_reserved is expected


@pytest.mark.parametrize(
    ("content", "expected"), [("noarchive", True), ("NOCACHE", True), ("index, follow", False), ("noai", False)]
)
def test_no_archive_is_told_from_both_places(content, expected):
    assert rights(meta("robots", content)).noarchive is expected
    assert rights("", ("x-robots-tag", content)).noarchive is expected


def test_what_is_said_to_another_crawler_is_not_said_to_us():
    assert rights("", ("x-robots-tag", "otherbot: noarchive")).noarchive is None


def test_several_fields_count_together():
    assert rights("", ("x-robots-tag", "noindex"), ("x-robots-tag", "noarchive")).noarchive is True


@pytest.mark.parametrize(("reservation", "expected"), [(None, True), ("0", False), ("1", True)])
def test_no_ai_reserves_where_nothing_else_speaks_of_it(reservation, expected):
    said = [("tdm-reservation", reservation)] if reservation else []

    assert rights("", ("x-robots-tag", "noai, noimageai"), *said).tdm_reserved is expected
