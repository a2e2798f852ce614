import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.extract.quick_frames import Words

NAMES = st.text("ab-.", max_size=12)


@given(st.lists(st.text("ab-", min_size=1, max_size=5), max_size=9), NAMES)
def test_words_are_found_anywhere_in_a_name(tokens, name):
    assert Words(*tokens).occur_in(name) == any(token in name for token in tokens)


@pytest.mark.parametrize(
    ("name", "is_found"),
    [("share-buttons", True), ("pre-share", False), ("my-bar", True), ("barn", True), ("bat", False), ("", False)],
)
def test_plain_words_and_patterns_are_both_found(name, is_found):
    assert Words("^share", "bar", "bazaar").occur_in(name) == is_found
