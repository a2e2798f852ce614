import pytest

from tasks.extract.phrases import Phrases

PHRASES = Phrases("read more | also read", "à lire aussi")


@pytest.mark.parametrize("text", ["Read more:", "ALSO READ", "À lire aussi »"])
def test_a_phrase_is_known_whatever_its_case_and_marks(text):
    assert PHRASES.have(text)


@pytest.mark.parametrize("text", ["Readmore", "Read", "read more today", ""])
def test_what_has_other_words_is_no_phrase(text):
    assert not PHRASES.have(text)
