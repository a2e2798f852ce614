import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.values.text.fingerprint import script_of


@pytest.mark.parametrize(
    ("text", "script"),
    [
        ("The harbour reopened", "latin"),
        ("Die Häfen öffnen", "latin"),
        ("Гавань открыта", "cyrillic"),
        ("東京で地震がありました", "cjk"),
        ("港口重新开放", "cjk"),
        ("항구가 다시 열렸다", "hangul"),
        ("الميناء", "arabic"),
        ("ท่าเรือ", "thai"),
        ("Гавань Harbour открыта", "cyrillic"),
        ("12.5 %", "none"),
        ("", "none"),
    ],
)
def test_the_script_of_most_letters(text, script):
    assert script_of(text) == script


@given(st.text(st.characters(exclude_categories=())))
def test_any_text_has_a_script(text):
    assert script_of(text)
