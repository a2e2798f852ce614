import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.values.text.latin import count_runs, different_runs, latin_bytes

texts = st.text(st.sampled_from([*map(chr, range(256)), *"“”’–—…•€™"]), max_size=80)


@pytest.mark.parametrize("text", ["東京", "Łódź", "Œuvre", "a\u0300"])
def test_what_the_charset_lacks_is_no_latin_text(text):
    assert latin_bytes(text) is None


@given(texts)
def test_runs_are_counted_as_by_a_pattern(text):
    assert count_runs(latin_bytes(text)) == len(re.findall(r"[^\W_]+", text))


@given(texts)
def test_runs_are_those_of_a_pattern(text):
    assert different_runs(latin_bytes(text)) == set(re.findall(r"\w+", text))
