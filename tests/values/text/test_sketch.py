import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tasks.values.text.shape import pack, pack_digests
from tasks.values.text.sketch import ALGORITHM, MAX_SKETCH, MIN_SKETCH, SHINGLE, make_shape, split_unspaced

FIRST = (67531378425467203, 242077776040123374)
words = st.lists(st.text("abcdefgh", min_size=1, max_size=3), min_size=60, max_size=400)


def counted(number):
    return [f"word{place}" for place in range(number)]


@pytest.mark.parametrize(
    ("tokens", "parts"),
    [
        (["harbour", "3.5"], ["harbour", "3.5"]),
        (["東京で地震"], ["東", "京", "で", "地", "震"]),
        (["m7東京abc"], ["m7", "東", "京", "abc"]),
        (["สวัสดี"], ["ส", "ว", "ั", "ส", "ด", "ี"]),
        (["안녕하세요", "세계"], ["안녕하세요", "세계"]),
        ([], []),
    ],
)
def test_a_character_is_a_token_in_scripts_without_spaces(tokens, parts):
    assert list(split_unspaced(tokens)) == parts


@pytest.mark.parametrize(("number", "has_shape"), [(0, False), (59, False), (60, True)])
def test_a_short_text_has_no_shape(number, has_shape):
    assert (make_shape(counted(number)) is not None) is has_shape


def test_sixty_characters_of_chinese_have_a_shape():
    assert make_shape(["港" * 30, "口" * 30]) is not None


def test_a_shape_has_a_shingle_for_each_four_words():
    shape = make_shape(counted(100))

    assert (shape.algorithm, shape.words, len(shape.shingles)) == (ALGORITHM, 100, 97)


@pytest.mark.parametrize(
    ("number", "least", "most"), [(60, MIN_SKETCH, 20), (400, 10, 45), (5000, MAX_SKETCH, MAX_SKETCH)]
)
def test_a_sketch_is_a_small_sample(number, least, most):
    assert least <= len(make_shape(counted(number)).sketch) <= most


@given(words)
def test_a_sketch_is_in_order_and_fits_a_database(tokens):
    sketch = make_shape(tokens).sketch

    assert list(sketch) == sorted(set(sketch))
    assert all(0 <= value < 2**63 for value in sketch)


@given(words)
def test_a_sketch_depends_on_the_shape_alone(tokens):
    shape = make_shape(tokens)

    assert {value >> 31 for value in shape.sketch} <= shape.shingles


@given(words, words)
def test_a_text_that_holds_another_holds_its_shingles(one, other):
    assert make_shape(one).shingles <= make_shape([*one, *other]).shingles


def test_the_hashes_stay_the_same_across_versions():
    assert make_shape(counted(60)).sketch[:2] == FIRST  # changed values require a new ALGORITHM


def test_numbers_are_the_tokens_with_a_digit():
    tokens = [*(["word"] * 60), "3.5", "10:30", "60th", "3.5", "x"]

    assert len(make_shape(tokens).numbers) == 3


def test_a_lone_surrogate_is_harmless():
    assert make_shape(["a\ud800"] * 60) is not None


def hashed(*tokens):
    return make_shape([*counted(60), *tokens]).vocabulary - make_shape(counted(60)).vocabulary


def test_a_figure_is_the_same_with_any_thousands_separator():
    assert hashed("2,000") == hashed("2000") == hashed("2.000")
    assert hashed("2,5") != hashed("25")
    assert len(hashed("1,234,567")) == 1


def test_the_vocabulary_has_each_word_once_and_figures_among_them():
    shape = make_shape([*(["word"] * 60), "harbour", "3.5", "harbour"])

    assert len(shape.vocabulary) == 3
    assert shape.numbers < shape.vocabulary


def test_in_scripts_without_spaces_the_vocabulary_has_bigrams():
    shape = make_shape(["港の朝", "ferry", "42"] * 15)

    assert len(shape.vocabulary) == 4  # 港の, の朝, ferry, 42


def test_names_are_in_the_vocabulary_of_their_text():
    shape = make_shape([*counted(60), "ada"], {"ada"})

    assert shape.names < shape.vocabulary


@given(st.lists(st.binary(min_size=8, max_size=8), max_size=60).map(sorted))
@example([b"ABCDefgh", b"ABCDijkl", b"EFGHabcd"])
@example([b"\0\0\0\1\0\0\0\0", b"\0\0\1\0\0\0\0\0"])
def test_digests_are_packed_as_their_high_halves_are(digests):
    assert pack_digests(digests) == pack("I", [int.from_bytes(one) >> 32 for one in digests])


def test_a_shingle_that_occurs_twice_is_in_the_sketch_once():
    tokens = counted(100)

    assert make_shape(tokens * 3).sketch == make_shape([*tokens, *tokens[:SHINGLE]]).sketch
