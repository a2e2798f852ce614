from hypothesis import given
from hypothesis import strategies as st

from tasks.values.text.storable import storable_text

HALF = st.characters(min_codepoint=0xD800, max_codepoint=0xDFFF)


@given(st.text(alphabet=st.one_of(st.characters(), HALF, st.just("\0"))))
def test_storable_text_is_utf_8_without_nul_and_idempotent(text):
    stored = storable_text(text)

    assert "\0" not in stored
    assert stored.encode().decode() == stored
    assert storable_text(stored) == stored


@given(st.text(alphabet=st.characters(exclude_characters="\0", exclude_categories=["Cs"])))
def test_storable_text_is_unchanged(text):
    assert storable_text(text) == text


def test_each_lone_surrogate_and_each_nul_becomes_a_replacement_character():
    assert storable_text("a\ud800b\0c\udfff") == "a\ufffdb\ufffdc\ufffd"


def test_a_surrogate_pair_becomes_its_character():
    assert storable_text("\ud83d\ude80 lifts off") == "🚀 lifts off"


def test_a_subclass_of_str_becomes_a_plain_string():
    class Smart(str):
        __slots__ = ()

    assert type(storable_text(Smart("a"))) is str
