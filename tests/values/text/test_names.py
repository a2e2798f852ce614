import re

import pytest

from tasks.values.text.fingerprint import _by_case, names_in


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("Tamm scored the goal. The other was Kask's.", {"tamm", "kask"}),
        ("Rain fell. In the rain, Ada left.", {"in", "ada"}),
        ("The mayor, the band and “Ada”.", {"ada"}),
        ("Der Hund biss den Mann.", {"der", "hund", "mann"}),
        ("IBM and USX rose", {"ibm", "usx"}),
        ("Ílse O'Hara", {"ílse", "o", "hara"}),
        ("東京で地震", set()),
        ("На мосту Иван ждал, и мост молчал. На мосту было пусто.", {"на", "иван"}),
        ("", set()),
    ],
)
def test_names_are_words_that_are_always_capitalized(text, names):
    assert names_in(text) == names


@pytest.mark.parametrize("text", ["1st 22nd_Ada _Bo 3.5kg", "Café “Ærø” and Straße", "²Ada x² ªb", "Łódź 1Ada", ""])
def test_words_of_names_begin_with_their_first_letter(text):
    capital, small = _by_case(text)

    assert {*capital, *small} == set(re.findall(r"[^\W\d_]\w*", text))
