from collections.abc import Sequence

import pytest

from tests.extract.reading import PARAGRAPHS, read_story

STORY = [*PARAGRAPHS, *(" ".join(reversed(one.split())) for one in PARAGRAPHS)]
"""A story long enough to establish its vocabulary."""


def ended_by(box: str, story: Sequence[str] = STORY) -> list[str]:
    """Return the lines of a story with a box after its last paragraph."""
    return read_story(behind=box, story=story)


@pytest.mark.parametrize(
    "box",
    [
        "<p class='note'>Advertisers pay nothing towards this.</p>",
        "<div class='offices'><p>Gable Street 12</p><p>Nordholm</p></div>",
        "<div><h4>Other merchants</h4></div><section><p>Advertisers pay nothing.</p></section>",
    ],
)
def test_unusual_boxes_with_other_vocabulary_are_removed(box):
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
def test_other_boxes_stay(box):
    assert len(ended_by(box)) == len(STORY) + box.count("<p") + box.count("<li")


def test_boxes_before_one_that_stays_also_stay():
    box = "<p class='note'>Advertisers pay nothing.</p><p>The harbour opens on Monday.</p>"
    assert ended_by(box)[-2:] == ["Advertisers pay nothing.", "The harbour opens on Monday."]


def test_only_the_last_boxes_are_checked():
    rows = "".join(f"<p class='n{at}'>Qx{at}zz</p>" for at in range(20))
    assert ended_by(rows)[: len(STORY)] == STORY
    assert len(ended_by(rows)) > len(STORY)


def test_a_short_story_has_too_small_a_vocabulary():
    assert len(ended_by("<p class='note'>Advertisers pay nothing.</p>", STORY[:5])) == 6
