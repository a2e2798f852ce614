import pytest

from tasks.extract.page import extract_page
from tasks.extract.quality import Placement, paragraph_mass, quality_of
from tasks.extract.stored_page import ExtractConfig
from tasks.extract.tree import parse_html
from tests.extract.reading import PARAGRAPHS, page
from tests.extract.stored import stored

TREE = parse_html("".join(f"<p>{one}</p>" for one in PARAGRAPHS) + "<a href='/x'>Another story of the island</a>")
WHOLE = "\n".join(PARAGRAPHS)


def quality(text, tree, *, path):
    return quality_of(text, tree, path=path, mass=paragraph_mass(tree))


def test_a_plain_story_has_the_best_quality():
    assert extract_page(stored(page()), ExtractConfig()).quality == 1.0


def test_a_text_of_all_paragraphs_has_the_best_quality():
    assert quality(WHOLE, TREE, path="fast") == 1.0


def test_missing_paragraphs_lower_the_quality():
    assert quality(PARAGRAPHS[0], TREE, path="fast") == pytest.approx(len(PARAGRAPHS[0]) / len(WHOLE), abs=0.01)


def test_lines_of_links_lower_the_quality():
    text = f"{WHOLE}\nAnother story of the island"

    assert quality(text, TREE, path="fast") == pytest.approx(1 - 27 / len(text), abs=0.01)


@pytest.mark.parametrize("path", ["readability", "paragraphs"])
def test_fallback_paths_lower_the_quality(path):
    assert quality(WHOLE, TREE, path=path) == 0.6


def test_a_page_without_paragraphs_is_not_penalised():
    assert quality("A line.", parse_html("<div>A line.</div>"), path="fast") == 1.0


def test_an_empty_text_has_the_worst_quality():
    assert quality("", TREE, path="fast") == 0.0


def test_a_text_of_one_link_has_almost_no_quality():
    assert 0.0 <= quality("Another story of the island", TREE, path="fast") < 0.01


@pytest.mark.parametrize("signs", [Placement(together=0.4), Placement(found_again=0.4), Placement(of_page=0.3)])
def test_a_scattered_text_or_a_small_part_of_the_page_has_lower_quality(signs):
    assert quality_of(WHOLE, TREE, path="fast", mass=len(WHOLE), signs=signs) < 0.9


def test_short_lines_lower_the_quality():
    rows = "\n".join(f"Ferry {n} to Skarv" for n in range(60))

    assert quality(rows, TREE, path="fast") < 0.6


def test_a_story_in_a_script_without_spaces_has_the_best_quality():
    story = "".join(
        f"<p>{one}</p>" for one in ("港湾局は月曜日の朝から北の埠頭を再び渡し船に開放すると発表した。" * 2,) * 12
    )

    assert (
        extract_page(stored(f"<html><body><h1>北の埠頭が再開</h1>{story}</body></html>"), ExtractConfig()).quality > 0.9
    )
