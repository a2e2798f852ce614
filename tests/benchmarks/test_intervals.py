from dataclasses import replace

import pytest

from benchmarks.intervals import area_under_curve, differences
from benchmarks.scoring import Answer, score

GOOD = score(Answer(text="a b c d e f"), Answer(text="a b c d e f"))
POOR = replace(GOOD, precision=0.5, recall=0.5)


def test_equal_scores_give_an_interval_of_zero_width():
    found = differences([GOOD, POOR], [GOOD, POOR], ["a", "b"])["f1"]

    assert (found.low, found.difference, found.high) == (0.0, 0.0, 0.0)


def test_a_difference_on_every_site_is_significant():
    found = differences([GOOD] * 8, [POOR] * 8, list("abcdefgh"))["f1"]

    assert (found.low, found.high) == (0.5, 0.5)


def test_a_difference_on_one_large_site_is_not_significant():
    found = differences([GOOD] * 8, [POOR] * 4 + [GOOD] * 4, list("aaaabcde"))["precision"]

    assert found.low == 0.0
    assert found.difference == 0.25


def test_missing_scores_are_left_out():
    assert differences([GOOD, POOR], [POOR, GOOD], ["a", "b"])["title"].difference == 0.0


@pytest.mark.parametrize(
    ("figures", "area"),
    [([0.1, 0.9], 1.0), ([0.9, 0.1], 0.0), ([0.5, 0.5], 0.5)],
)
def test_the_area_is_the_share_of_pairs_in_which_the_bad_page_is_lower(figures, area):
    assert area_under_curve(figures, is_bad=[True, False]) == area


def test_there_is_no_area_without_both_kinds():
    assert area_under_curve([0.1, 0.9], is_bad=[False, False]) is None
