"""The commands' output fits the terminal: 25 sources, every column filled, at 80 and 120 columns."""

import re

import pytest

from flows.cli.tables import lay_out, measure
from tests.terminal import WIDTHS, pictures, rendered, texts
from tests.terminal_of_others import NUMBERS, source_id, url

KEPT = dict(texts())


@pytest.mark.parametrize("path", KEPT, ids=lambda path: path.name)
def test_output_equals_the_reviewed_files(path):
    assert path.read_text(encoding="utf-8") == KEPT[path], "python -m tests.terminal writes it again: look at it"


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", pictures())
def test_a_line_exceeds_the_width_only_for_a_single_word(name, width):
    long = [line for line in rendered(name, width).splitlines() if measure(line) > width]

    assert [line for line in long if measure(max(line.split(), key=measure)) <= width - 18] == []


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize(
    "name", ["status", "report", "sources-list", "sources-check", "replay", "stories", "search", "ingest-dry-run"]
)
def test_ids_and_urls_are_not_broken(name, width):
    words = set(re.split(r"[\s;]+", rendered(name, width)))

    assert {source_id(n) for n in NUMBERS} <= words
    assert name not in {"sources-check", "search", "ingest-dry-run"} or {url(n) for n in NUMBERS} <= words


def test_rows_that_fit_are_a_table_with_right_aligned_numbers():
    layout = lay_out(("source", "articles"), [("a", 1), ("longer", 1000)], width=80)

    assert layout.lines == ("source  articles", "a              1", "longer     1,000")
    assert layout.head == 1


def test_sentences_are_wrapped_before_falling_back_to_a_list():
    layout = lay_out(("source", "why"), [("a-source-of-its-own", "nothing new for fourteen days")], width=45)

    assert layout.lines == (
        "source               why",
        "a-source-of-its-own  nothing new for fourteen",
        "                     days",
    )


def test_a_list_omits_empty_values():
    layout = lay_out(
        ("source", "feed", "why"), [("a", "https://a.example/" + "x" * 40, ""), ("b", "", "gone")], width=40
    )

    assert layout.lines == ("a", "  feed:", "    https://a.example/" + "x" * 40, "b", "  why: gone")
    assert layout.head == 0


def test_wide_characters_count_twice_and_combining_marks_not_at_all():
    assert (measure("新聞"), measure("e\u0301a"), measure("abc")) == (4, 2, 3)


def test_text_from_the_web_is_one_line_without_escape_sequences():
    (_, line) = lay_out(("title",), [("a\n\x1b[31mb\u202ec",)], width=80).lines

    assert line == "a [31mbc"
