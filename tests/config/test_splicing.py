"""Adding sources to a catalogue's text leaves every other byte unchanged."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.config.catalogue import Source
from tasks.config.loading import catalogue_of
from tasks.config.marked_yaml import parse_marked
from tasks.config.splicing import read_existing, with_sources, write_catalogue
from tasks.errors import CatalogueError

PATH = Path("sources.yaml")
NEW = (
    Source(
        id="new-one", name="The New One: no. 1", home_url="https://new.example/", feeds=("https://new.example/rss",)
    ),
    Source(id="new-two", feeds=("https://two.example/rss",), tags=("no", "local"), country="NO"),
)
COMMENTED = """\
# What we follow. Ask Ann before you add to it.
defaults:
  crawl_delay_s: 2.0      # as agreed
sources:
  - id: daily   # the first
    feeds: ["https://daily.example/rss"]
    # its sports section is another's
  - {id: weekly, feeds: [https://weekly.example/rss]}   # short
    # nothing else of it
# --- to be looked at ---
#  - id: monthly
"""
STYLES = {
    "comments": COMMENTED,
    "no indentation": "sources:\n- id: a\n  feeds:\n  - https://a.example/rss\n",
    "wide indentation": "sources:\n      -   id: a\n          feeds: [https://a.example/rss]\n",
    "sources first": "sources:\n  - id: a\n\n# what holds for all\ndefaults:\n  crawl_delay_s: 3.0\n",
    "empty lines between": "sources:\n\n  - id: a\n\n  - id: b\n\n\n# the end\n",
    "no newline at the end": "sources:\n  - id: a",
    "windows": "# eins\r\nsources:\r\n  - id: a\r\n    name: A\r\n# zwei\r\n",
    "in brackets": "sources: [{id: a}, {id: b, name: 'B, or b'}]  # all\ndefaults: {}\n",
    "in brackets with a last comma": "sources: [\n  {id: a},\n  {id: b},\n]\n",
    "byte order mark": "\ufeffsources:\n  - id: a\n",
    "a block of text": "sources:\n  - id: a\n    notes: |\n      one\n      # no comment\n\n      two\n",
    "an anchor": "defaults:\n  poll: &slow {min_s: 3600, max_s: 7200}\nsources:\n  - id: a\n    poll: *slow\n",
    "ends marked": "---\nsources:\n  - id: a\n...\n",
    "other letters": "# Zeitungen für Ömer 新聞\nsources: [{id: a, name: 'Süddeutsche 新聞 🗞'}] # ä\n",
}


@pytest.mark.parametrize("text", STYLES.values(), ids=STYLES.keys())
def test_existing_text_stays_in_order(text):
    spliced = with_sources(text, PATH, NEW)

    left = iter(spliced)
    assert all(character in left for character in text)  # every character, in order
    assert catalogue_of(parse_marked(spliced.removeprefix("\ufeff"), PATH)).sources[-2:] == NEW


@pytest.mark.parametrize("text", STYLES.values(), ids=STYLES.keys())
def test_every_existing_line_stays(text):
    before = [line.removesuffix("]  # all").removesuffix("}] # ä") for line in text.splitlines()]

    spliced = with_sources(text, PATH, NEW)

    assert [line for line in before if line not in spliced] == []
    assert ("\r\n" in text) == ("\r\n" in spliced)
    assert spliced.count("\r") == (spliced.count("\n") if "\r" in text else 0)


def test_a_source_is_inserted_after_the_last_ones_comments_and_before_the_next_comment():
    lines = with_sources(COMMENTED, PATH, NEW[:1]).splitlines()

    assert lines[7:14] == [
        "  - {id: weekly, feeds: [https://weekly.example/rss]}   # short",
        "    # nothing else of it",
        "  - id: new-one",
        "    name: 'The New One: no. 1'",
        "    home_url: https://new.example/",
        "    feeds:",
        "      - https://new.example/rss",
    ]
    assert lines[14:] == ["# --- to be looked at ---", "#  - id: monthly"]


def test_new_sources_have_the_spacing_of_existing_ones():
    spliced = with_sources(STYLES["empty lines between"], PATH, NEW)

    assert "  - id: b\n\n  - id: new-one\n" in spliced
    assert "\n\n  - id: new-two\n" in spliced


@pytest.mark.parametrize(
    "text",
    [
        "", "# only a comment\n", "# no end of line", "sources:\n", "sources: []\n", "sources: []  # none yet\n",
        "sources:   # none yet\ndefaults:\n  crawl_delay_s: 3.0\n", "defaults:\n  crawl_delay_s: 3.0\n",
        "sources: ~\n", "---\n", "defaults: {}\nsources:",
    ],
)  # fmt: skip
def test_a_first_source_is_added_to_an_empty_list(text):
    spliced = with_sources(text, PATH, NEW)

    assert catalogue_of(parse_marked(spliced, PATH)).sources == NEW
    assert [line for line in text.splitlines() if line.startswith("#") and line not in spliced] == []
    assert ("# none yet" in spliced) == ("# none yet" in text)


def test_a_catalogue_with_a_mistake_is_not_changed(tmp_path):
    path = tmp_path / "sources.yaml"
    path.write_text("sources:\n  - id: a\n    nam: A\n")

    with pytest.raises(CatalogueError, match="did you mean name"):
        write_catalogue(path, NEW)

    assert path.read_text() == "sources:\n  - id: a\n    nam: A\n"


def test_without_a_place_to_insert_entries_are_printed_and_nothing_is_written(tmp_path):
    path = tmp_path / "sources.yaml"
    path.write_text("{sources: }\n")

    with pytest.raises(CatalogueError, match="add them yourself:\n  - id: new-one\n"):
        write_catalogue(path, NEW)

    assert path.read_text() == "{sources: }\n"


def test_a_missing_file_is_created_and_an_existing_one_keeps_its_mode(tmp_path):
    path = tmp_path / "sources.yaml"
    write_catalogue(path, NEW[:1])
    path.chmod(0o640)

    write_catalogue(path, NEW[1:])

    assert read_existing(path).sources == NEW
    assert path.stat().st_mode & 0o777 == 0o640
    assert [one.name for one in tmp_path.iterdir()] == ["sources.yaml"]


def test_a_symlink_to_a_catalogue_stays_a_symlink(tmp_path):
    (tmp_path / "real.yaml").write_text("sources:\n  - id: a\n")
    (tmp_path / "sources.yaml").symlink_to("real.yaml")

    write_catalogue(tmp_path / "sources.yaml", NEW)

    assert (tmp_path / "sources.yaml").is_symlink()
    assert len(read_existing(tmp_path / "real.yaml").sources) == 3


@given(name=st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), min_size=1, max_size=40))
def test_any_name_round_trips(name):
    source = Source(id="a", name=name)

    assert catalogue_of(parse_marked(with_sources("", PATH, [source]), PATH)).sources == (source,)


@pytest.mark.parametrize(
    "name", ["no", "1e3", "0x1f", "12", "~", "null", "true", "1:30", "- a", "a: b", "#x", "2026-01-01", ".5"]
)
def test_a_name_that_looks_like_another_yaml_type_stays_text(name):
    assert with_sources("", PATH, [Source(id="a", name=name)])
