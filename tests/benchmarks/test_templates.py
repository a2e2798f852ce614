"""Pages of one template are not copies of each other; edited versions of a story are."""

import pytest

from benchmarks.families import FAMILIES
from benchmarks.templates import edited_pairs, pages_of, template_pairs
from tasks.deduplicate.resemblance import compare
from tasks.values.text.fingerprint import fingerprint_of


def resemble(one, other):
    ours, theirs = fingerprint_of(one.text), fingerprint_of(other.text)
    return ours.digest == theirs.digest or compare(ours.shape, theirs.shape) is not None


def test_there_are_enough_pairs_and_families():
    assert len(template_pairs()) >= 100
    assert len(FAMILIES) >= 20
    assert all(len({page.text for page in pages_of(family)}) == 4 for family in FAMILIES)


def test_pages_of_one_template_are_not_copies():
    merged = [(one.name, other.name) for one, other in template_pairs() if resemble(one, other)]

    assert merged == []


@pytest.mark.parametrize(("one", "other"), edited_pairs(), ids=lambda sample: sample.name)
def test_an_edited_story_is_a_copy(one, other):
    assert resemble(one, other)
