"""Import and export of OPML."""

import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml

from tasks.config.catalogue import Source
from tasks.config.loading import load_catalogue
from tasks.config.splicing import with_sources
from tasks.errors import CatalogueError
from tasks.feeds.opml import read_opml, sources_of, write_opml

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)

LIST = b"""<?xml version="1.0" encoding="UTF-8"?>
<opml version="1.0"><head><title>Mine</title></head><body>
<outline text="Dailies" title="Dailies">
 <outline type="rss" text="Daily &amp; Sunday" xmlUrl="https://daily.example/rss?a=1&b=2" htmlUrl="https://daily.example/"/>
 <outline type="rss" text="Daily Sport" xmlUrl="https://daily.example/sport.rss" htmlUrl="https://daily.example"/>
</outline>
<outline text="Weekly" xmlurl="feed://weekly.example/atom"/>
<outline text="Twice" xmlUrl="https://daily.example/sport.rss"/>
<outline text="Nowhere" xmlUrl="file:///etc/passwd"/><outline text="Relative" xmlUrl="rss.xml"/><outline text="Empty"/>
</body></opml>"""


def test_feeds_at_any_depth_are_read_once():
    assert [(one.title, one.feed_url) for one in read_opml(LIST, name="mine.opml")[0]] == [
        ("Daily & Sunday", "https://daily.example/rss?a=1&b=2"),
        ("Daily Sport", "https://daily.example/sport.rss"),
        ("Weekly", "http://weekly.example/atom"),
    ]


def test_folders_become_tags_outermost_first():
    body = b"<opml><outline text='News'><outline text='Local'><outline text='A' xmlUrl='https://a.example/rss'/></outline></outline></opml>"

    (source,) = sources_of(read_opml(body, name="x")[0])

    assert source.tags == ("News", "Local")


def test_skipped_entries_are_reported_with_title_and_reason():
    left_out = read_opml(LIST, name="mine.opml")[1]

    assert [(one.title, one.address) for one in left_out] == [
        ("Nowhere", "file:///etc/passwd"),
        ("Relative", "rss.xml"),
    ]
    assert left_out[0].reason == "forbidden_scheme"


def test_feeds_of_one_home_page_are_one_source():
    sources = sources_of(read_opml(LIST, name="mine.opml")[0], known_ids=["weekly"])

    assert [(source.id, len(source.feeds), source.home_url) for source in sources] == [
        ("daily-sunday", 2, "https://daily.example/"),
        ("weekly-2", 1, None),
    ]


def test_imported_sources_are_a_valid_catalogue(tmp_path):
    path = tmp_path / "sources.yaml"
    sources = sources_of(read_opml(LIST, name="mine.opml")[0])
    path.write_text(with_sources("", path, sources), encoding="utf-8")

    assert load_catalogue(path).sources == sources


def test_the_catalogue_has_only_what_the_list_states():
    written = yaml.safe_load(with_sources("", Path("x"), sources_of(read_opml(LIST, name="mine.opml")[0])))

    assert set(written["sources"][1]) == {"id", "name", "feeds"}


def test_a_catalogues_feeds_round_trip():
    sources = [
        Source(
            id="daily",
            name="Daily & Sunday",
            home_url="https://daily.example/",
            feeds=("https://daily.example/a?x=1&y=2", "https://daily.example/b"),
        ),
        Source(id="maps", name="Maps", sitemaps=("https://maps.example/sitemap.xml",)),
        Source(id="odd", name="O\x01dd", feeds=("https://odd.example/rss",)),
    ]

    back = sources_of(read_opml(write_opml(sources, title="Presslake", now=NOW), name="out.opml")[0])

    assert [(one.name, one.home_url, one.feeds) for one in back] == [
        ("Daily & Sunday", "https://daily.example/", sources[0].feeds),
        ("O dd", None, sources[2].feeds),
    ]


@pytest.mark.parametrize(
    "body",
    [
        b"<opml><body><outline text='A' xmlUrl='https://a.example/rss'><outline>",
        b"junk <opml version='2.0'><outline text='A & B' xmlUrl='https://a.example/rss'></b></opml>",
    ],
)
def test_a_broken_list_is_read_as_far_as_possible(body):
    assert [one.feed_url for one in read_opml(body, name="x")[0]] == ["https://a.example/rss"]


@pytest.mark.parametrize("body", [b"", b"words", b"<rss></rss>", b"<html></html>", b"\x00\x01"])
def test_a_file_that_is_not_opml_is_refused_by_name(body):
    with pytest.raises(CatalogueError, match=r"^mine\.opml: "):
        read_opml(body, name="mine.opml")


def test_no_entity_is_expanded():
    body = b'<!DOCTYPE opml [<!ENTITY x "https://evil.example/">]><opml><outline xmlUrl="&x;rss"/></opml>'

    assert read_opml(body, name="x")[0] == ()


def test_a_hostile_list_takes_at_most_seconds():
    began = time.process_time()

    read_opml(b"<opml>" + b"<outline>" * 200_000, name="x")
    read_opml(b"<opml>" + b"<outline xmlUrl='https://a.example/x'/>" * 100_000, name="x")
    read_opml(b"<opml>" + b"<outline text='a' xmlUrl='https://a.example/x'>" * 100_000, name="x")

    assert time.process_time() - began < 10
