import pytest

from tasks.extract.phrases import Phrases

PHRASES = Phrases("read more | also read", "à lire aussi")


@pytest.mark.parametrize("text", ["Read more:", "ALSO READ", "À lire aussi »"])
def test_phrases_match_ignoring_case_and_punctuation(text):
    assert PHRASES.have(text)


@pytest.mark.parametrize("text", ["Readmore", "Read", "read more today", ""])
def test_texts_with_other_words_do_not_match(text):
    assert not PHRASES.have(text)
