import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.values.text.digest import text_digest, tokenise


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("The harbour reopened.", ["the", "harbour", "reopened"]),
        ("It rose 3.5% to 1,200 at 10:30 on 2/3.", ["it", "rose", "3.5", "to", "1,200", "at", "10:30", "on", "2/3"]),
        ("co\u00adoperate zero\u200bwidth", ["cooperate", "zerowidth"]),
        ("\uff21\uff22\uff23 ﬁne", ["abc", "fine"]),
        ("STRASSE Straße", ["strasse", "strasse"]),
        ("snake_case — dash-ed", ["snake", "case", "dash", "ed"]),
        ("東京で地震", ["東京で地震"]),
        ("", []),
    ],
)
def test_words_are_found(text, tokens):
    assert tokenise(text) == tokens


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("The harbour reopened.", "the  HARBOUR\nreopened"),
        ("“Quoted” text", '"quoted" text'),
        ("caf\u00e9", "cafe\u0301"),
    ],
)
def test_equal_words_have_one_digest(one, other):
    assert text_digest(one) == text_digest(other)


@pytest.mark.parametrize(
    ("one", "other"), [("It rose 3.5%", "It rose 35%"), ("a b", "b a"), ("ab c", "a bc"), ("1,200", "1.200")]
)
def test_different_words_have_different_digests(one, other):
    assert text_digest(one) != text_digest(other)


@given(st.text())
def test_white_space_and_case_never_matter(text):
    assert text_digest(text) == text_digest(f"  {text.casefold()}\n")


@given(st.text(alphabet=st.characters(exclude_categories=())))
def test_any_string_has_a_digest(text):
    assert text_digest(text).startswith("t1:")
