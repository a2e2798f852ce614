from hypothesis import given
from hypothesis import strategies as st

from tasks.values.text.storable import storable_text

HALF = st.characters(min_codepoint=0xD800, max_codepoint=0xDFFF)


@given(st.text(alphabet=st.one_of(st.characters(), HALF, st.just("\0"))))
def test_what_comes_out_is_utf_8_without_nul_and_comes_out_of_itself(text):
    stored = storable_text(text)

    assert "\0" not in stored
    assert stored.encode().decode() == stored
    assert storable_text(stored) == stored


@given(st.text(alphabet=st.characters(exclude_characters="\0", exclude_categories=["Cs"])))
def test_what_any_store_takes_stays_as_it_is(text):
    assert storable_text(text) == text


def test_each_half_of_a_pair_alone_and_each_nul_is_a_replacement():
    assert storable_text("a\ud800b\0c\udfff") == "a\ufffdb\ufffdc\ufffd"


def test_two_halves_that_stand_together_are_the_character_that_they_mean():
    assert storable_text("\ud83d\ude80 lifts off") == "🚀 lifts off"


def test_what_is_a_kind_of_string_becomes_a_plain_one():
    class Smart(str):
        __slots__ = ()

    assert type(storable_text(Smart("a"))) is str
