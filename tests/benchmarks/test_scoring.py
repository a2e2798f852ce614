import importlib.util

import pytest

from benchmarks.extraction import FIXTURES, NEWSROOM, extract_ours, extract_stock, read_pages
from benchmarks.scoring import Answer, leak, overlap, rouge_l, score, split_names, summarise, tokenise
from tests.newsroom import needs_newsroom

STORY = "The harbour reopened on Monday after three weeks of repairs.\nShips are back."


def test_the_true_text_scores_1():
    truth = Answer(text=STORY, title="Harbour reopens", authors=("Mara Quill",), published_on="2026-03-02")
    figures = summarise([score(truth, truth)])

    assert {name: value for name, value in figures.items() if value != 1} == {"leak": 0.0}


def test_an_empty_text_scores_0():
    figures = summarise([score(Answer(text=STORY, title="Harbour reopens"), Answer(text=""))])

    assert set(figures.values()) == {0.0}


def test_order_case_and_prefix_of_author_names_do_not_matter():
    assert split_names(["By Mara Quill and TOM HALE"]) == split_names(["Tom Hale", "Mara Quill"])


def test_a_foreign_line_counts_by_its_share_of_tokens():
    assert leak(tokenise(STORY), f"{STORY}\nDerby ends without a goal") == pytest.approx(5 / 18)


def test_repeated_text_lowers_only_precision():
    assert overlap(tokenise("a b c d e"), tokenise("a b c d e a b c d e")) == (pytest.approx(2 / 7), 1.0)


def test_wrong_order_lowers_rouge_l():
    assert rouge_l(list("abcdef"), list("defabc")) == 0.5


def test_scripts_without_spaces_have_one_token_per_character():
    assert tokenise("港は3年ぶり") == ["港", "は", "3", "年", "ぶ", "り"]


def test_our_fixture_pages_are_extracted_completely():
    pages = read_pages(FIXTURES)

    assert summarise([score(page.truth, extract_ours(page)) for page in pages])["f1"] == 1


@pytest.mark.newsroom
@needs_newsroom
def test_our_scores_equal_those_of_the_newsrooms_scorer():
    spec = importlib.util.spec_from_file_location("newsroom_score", NEWSROOM.parent / "score.py")
    theirs = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(theirs)

    for page in read_pages(NEWSROOM)[::10]:
        found = extract_stock(page)
        ours = score(page.truth, found)
        true, got = theirs.toks(page.truth.text), theirs.toks(found.text)
        assert (ours.precision, ours.recall) == theirs.prf(true, got)
        assert ours.rouge_l == theirs.rouge_l(true, got)
        assert ours.leak == theirs.leak(true, found.text)
