import pytest

from tasks.extract.lengths import size_of


@pytest.mark.parametrize(
    ("text", "size"), [("harbour", 7), ("café", 4), ("旧港", 4), ("항구", 4), ("旧港 quay", 9), ("", 0)]
)
def test_characters_of_dense_scripts_count_twice(text, size):
    assert size_of(text) == size
