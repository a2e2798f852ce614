import pytest

from tasks.extract.container import Line
from tasks.extract.repeats import without_repeats
from tests.extract.reading import PARAGRAPHS


def kept(*lines: str) -> list[str]:
    return [line.text for line in without_repeats([Line(text=line, at=None) for line in lines])]


@pytest.mark.parametrize("size", [2, 3, 5])
def test_paragraphs_repeated_at_the_end_are_removed(size):
    assert kept(*PARAGRAPHS, *PARAGRAPHS[-size:]) == list(PARAGRAPHS)


@pytest.mark.parametrize(
    "lines",
    [
        (*PARAGRAPHS, PARAGRAPHS[0]),  # one may be quoted
        (*PARAGRAPHS, "Row, row.", "Row the ferry home."),
        (PARAGRAPHS[0], *PARAGRAPHS[1:3], PARAGRAPHS[3], *PARAGRAPHS[1:3], PARAGRAPHS[4]),  # two items with like words
    ],
)
def test_smaller_repetitions_stay(lines):
    assert kept(*lines) == list(lines)
