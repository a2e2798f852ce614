import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.values.text.digest import TOKEN
from tasks.values.text.latin import count_runs, latin_bytes, latin_tokens, words_by_case

texts = st.text(st.sampled_from([*map(chr, range(256)), *"“”’–—…•€™"]), max_size=80)


@pytest.mark.parametrize("text", ["東京", "Łódź", "Œuvre", "a\u0300"])
def test_a_character_outside_the_charset_makes_a_text_not_latin(text):
    assert latin_bytes(text) is None


@given(texts)
def test_runs_are_counted_as_by_a_regex(text):
    assert count_runs(latin_bytes(text)) == len(re.findall(r"[^\W_]+", text))


@given(texts)
def test_words_equal_those_of_a_regex(text):
    capital, small = words_by_case(latin_bytes(text))

    assert {*capital, *small} == {run.lstrip("0123456789_") for run in re.findall(r"\w+", text)} - {""}
    assert [word[0].isupper() for word in (*capital, *small)] == [True] * len(capital) + [False] * len(small)


@given(texts)
def test_tokens_equal_those_of_a_regex(text):
    normal = unicodedata.normalize("NFKC", text)

    tokens = latin_tokens(latin_bytes(normal) or b"")

    assert tokens in (None, TOKEN.findall(normal.casefold()) if latin_bytes(normal) is not None else [])


@pytest.mark.parametrize("text", ["Straße", "U.S., 3.5 and 10:30... a//b", "Ærø ÿ", ""])
def test_usual_texts_need_no_regex_for_their_tokens(text):
    assert latin_tokens(latin_bytes(text)) == TOKEN.findall(text.casefold())


def test_a_soft_hyphen_is_left_to_the_regex():
    assert latin_tokens(latin_bytes("har\u00adbour")) is None
