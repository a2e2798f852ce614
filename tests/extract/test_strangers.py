from collections.abc import Sequence

import pytest

from tests.extract.reading import PARAGRAPHS, read_story

STORY = [*PARAGRAPHS, *(" ".join(reversed(one.split())) for one in PARAGRAPHS)]
"""A story that is long enough to know its words."""


def ended_by(box: str, story: Sequence[str] = STORY) -> list[str]:
    """The lines of a story with something after its last paragraph."""
    return read_story(behind=box, story=story)


@pytest.mark.parametrize(
    "box",
    [
        "<p class='note'>Advertisers pay nothing towards this.</p>",
        "<div class='offices'><p>Gable Street 12</p><p>Nordholm</p></div>",
        "<div><h4>Other merchants</h4></div><section><p>Advertisers pay nothing.</p></section>",
    ],
)
def test_boxes_of_a_rare_make_with_other_words_go(box):
    assert ended_by(box) == STORY


@pytest.mark.parametrize(
    "box",
    [
        "<p class='note'>Ferries to the harbour: Monday.</p>",  # in words of the text
        "<p>Advertisers pay nothing towards this.</p>",  # as the paragraphs are made
        "<ul><li>Advertisers pay nothing towards this</li></ul>",
        "<p class='note'>編集部が確認しました。</p>",  # nobody knows where its words end
        "<p class='note'>12 : 3</p>",
        "<div class='x'><p>The harbour opens on Monday.</p></div><div class='x'><p>Gable Street 12</p></div>",  # of one make
        "<div class='x'><p>The harbour opens on Monday.</p></div><p class='note'>Gable Street 12</p>",  # loose after a box
        f"<p class='note'>{'Advertisers pay nothing towards this. ' * 4}</p>",  # more than a tenth
    ],
)
def test_others_stay(box):
    assert len(ended_by(box)) == len(STORY) + box.count("<p") + box.count("<li")


def test_what_stands_before_something_that_stays_does_too():
    box = "<p class='note'>Advertisers pay nothing.</p><p>The harbour opens on Monday.</p>"
    assert ended_by(box)[-2:] == ["Advertisers pay nothing.", "The harbour opens on Monday."]


def test_only_the_last_of_several_boxes_are_looked_at():
    rows = "".join(f"<p class='n{at}'>Qx{at}zz</p>" for at in range(20))
    assert ended_by(rows)[: len(STORY)] == STORY
    assert len(ended_by(rows)) > len(STORY)


def test_a_short_story_uses_too_few_words_to_know():
    assert len(ended_by("<p class='note'>Advertisers pay nothing.</p>", STORY[:5])) == 6
