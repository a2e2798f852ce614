from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.deduplicate.resemblance import Relation, article_time, compare, find_furniture, measure_replacement
from tasks.values.text.shape import MOST_COMPARED
from tasks.values.text.sketch import make_shape

SEEN = datetime(2026, 3, 1, 12, tzinfo=UTC)


def counted(first, last):
    return [f"w{chr(97 + place % 26)}{chr(97 + place // 26)}" for place in range(first, last)]


def relation(one, other):
    found = compare(make_shape(one), make_shape(other))
    return found and found.relation


@pytest.mark.parametrize(
    ("other", "expected"),
    [
        (counted(0, 200), Relation.NEAR_DUPLICATE),
        (counted(50, 200), Relation.NEAR_DUPLICATE),
        (counted(50, 205), Relation.NEAR_DUPLICATE),
        (counted(50, 250), None),
        (counted(100, 300), None),
        (counted(300, 500), None),
        (counted(0, 100), Relation.NEAR_DUPLICATE),
        (counted(0, 99), Relation.EXCERPT),
        (counted(0, 401), Relation.EXCERPT),
    ],
)
def test_two_texts_are_near_duplicate_excerpt_or_unrelated(other, expected):
    assert relation(counted(0, 200), other) is expected


@pytest.mark.parametrize(
    ("ours", "theirs", "are_one"),
    [
        ("1.5 20 300", "1.5 20 300", True),
        ("1.5 20 300", "1.6 21 301", False),
        ("1 2 3 4 5", "1 2 3 4 9", True),
        ("1 2 3 4 5", "1 2 3 8 9", False),
        ("1 2", "1 2 3 4 5 6 7", True),
        ("1", "2", True),
        ("", "1 2 3 4", True),
    ],
)
def test_the_same_wording_with_different_figures_is_a_different_story(ours, theirs, are_one):
    text = counted(0, 200)

    assert (relation([*text, *ours.split()], [*text, *theirs.split()]) is not None) is are_one


@given(st.integers(0, 300), st.integers(60, 300), st.integers(60, 300))
def test_resemblance_is_symmetrical(offset, ours, theirs):
    one, other = make_shape(counted(0, ours)), make_shape(counted(offset, offset + theirs))

    assert compare(one, other) == compare(other, one)


@given(st.integers(60, 400))
def test_a_texts_resemblance_to_itself_is_1(size):
    found = compare(make_shape(counted(0, size)), make_shape(counted(0, size)))

    assert (found.relation, found.score) == (Relation.NEAR_DUPLICATE, 1.0)


@pytest.mark.parametrize(
    ("published_at", "is_believed"),
    [
        (SEEN - timedelta(days=2), True),
        (SEEN - timedelta(days=9000), True),
        (SEEN + timedelta(hours=23), True),
        (SEEN + timedelta(hours=25), False),
        (datetime(1970, 1, 1, tzinfo=UTC), False),
        (None, False),
    ],
)
def test_an_implausible_date_is_not_believed(published_at, is_believed):
    assert article_time(published_at, SEEN) == (published_at if is_believed else SEEN)


def test_shingles_shared_with_several_unrelated_texts_are_furniture():
    notice = counted(0, 60)
    text = make_shape([*counted(100, 200), *notice])
    strangers = [make_shape([*counted(200 + 70 * place, 270 + 70 * place), *notice]) for place in range(3)]

    assert find_furniture(text, strangers) == make_shape(notice).shingles
    assert find_furniture(text, strangers[:2]) == frozenset()


def test_a_text_of_furniture_only_is_not_compared():
    shape = make_shape(counted(0, 200))

    assert compare(shape, shape, furniture=shape.shingles) is None


LETTERS = "abcdefghij"


def exchanged(number, *, with_figures=0, length=100):
    """Return a text, and a copy with `number` words replaced, figures first."""
    text, other = counted(0, length), counted(0, length)
    for place in range(number):
        own, theirs = (
            (f"{place}7", f"{place}8") if place < with_figures else (f"one{LETTERS[place]}", f"other{LETTERS[place]}")
        )
        text[place * 9], other[place * 9] = own, theirs
    return text, other


@pytest.mark.parametrize(
    ("number", "figures", "are_one"),
    [(0, 0, True), (1, 0, True), (3, 0, True), (6, 0, False), (9, 0, False), (1, 1, True), (2, 1, False), (3, 1, False), (2, 2, False)],
)  # fmt: skip
def test_replaced_words_make_a_different_story_and_figures_sooner(number, figures, are_one):
    one, other = exchanged(number, with_figures=figures)

    assert (relation(one, other) is not None) is are_one


@pytest.mark.parametrize("more", [["more"], counted(200, 215), counted(200, 280)])
def test_added_text_makes_no_different_story(more):
    one, _ = exchanged(0)

    assert relation(one, [*one, *more]) is not None
    assert relation(one[:80], [*one, *more]) is not None


def test_a_replaced_name_counts_as_two_words():
    one, other = exchanged(3)
    plain = compare(make_shape(one), make_shape(other))
    named = compare(make_shape(one, {"onea", "oneb", "onec"}), make_shape(other, {"othera", "otherb", "otherc"}))

    assert (plain is not None, named is not None) == (True, False)


@given(st.integers(0, 9), st.integers(0, 9))
def test_counting_replaced_words_is_symmetrical(number, figures):
    one, other = map(make_shape, exchanged(number, with_figures=figures))

    assert measure_replacement(one, other) == measure_replacement(other, one)


def test_shapes_of_algorithm_1_are_compared_as_before():
    one, other = (replace(make_shape(text), packed_vocabulary=b"", packed_names=b"") for text in exchanged(3))

    assert compare(one, other) is not None


def test_a_template_is_learnt_from_its_unrelated_pages():
    template = counted(0, 80)
    pages = [make_shape([*template, *(f"own{letter}{other}" for other in "abcdefghij")]) for letter in "klmnop"]

    assert all(compare(pages[0], other) is None for other in pages[1:])
    assert find_furniture(pages[0], pages[1:]) == make_shape(template).shingles


def spelled(*spans):
    """Return distinct words without figures, one for each number of the spans."""
    return ["".join(LETTERS[int(digit)] for digit in str(number)) for span in spans for number in range(*span)]


LONG = (100_000, 160_000)


@pytest.mark.parametrize(
    ("other", "is_found"),
    [
        ([LONG], True),
        ([(100_000, 148_000)], True),
        ([LONG, (200_000, 210_000)], True),
        ([(100_000, 130_000), (200_000, 230_000)], False),
        ([(200_000, 260_000)], False),
    ],
)
def test_long_texts_are_compared_by_a_sample_with_the_same_result(other, is_found):
    one, two = make_shape(spelled(LONG)), make_shape(spelled(*other))

    assert (compare(one, two) is not None) is is_found
    assert compare(one, two) == compare(two, one)
    assert len(one.sample(one.bound)) == MOST_COMPARED


def test_an_excerpt_of_a_long_text_is_found_by_the_longer_texts_sample():
    found = compare(make_shape(spelled(LONG)), make_shape(spelled((120_000, 126_000))))

    assert found.relation is Relation.EXCERPT
    assert found.score > 0.95
