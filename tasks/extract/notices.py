"""What stands in place of a story that the page keeps for those who pay: a notice, told from a story by shape. Pure."""

from collections.abc import Iterable

from tasks.extract.metadata import Metadata
from tasks.extract.tree import words_in, words_of

_MAX_NOTICE = 1500  # characters; a story's free beginning may be as short, but speaks of what its title says
_STEM = 5  # letters of a word that its forms share, in most languages
_MIN_WORD = 4  # letters; shorter ones are in every line
_PAIR = 2  # characters, where a script does not part words


def is_notice(text: str, metadata: Metadata) -> bool:
    """Whether a page that says that it is not free has a text that has nothing to do with its title."""
    if metadata.paywalled is not True or len(text) > _MAX_NOTICE:
        return False
    titles = _stems(words_of(metadata.title or ""))
    return bool(titles) and titles.isdisjoint(_stems(words_in(text)))


def _stems(words: Iterable[str]) -> set[str]:
    """Return how the longer words begin; of words that a script does not part, each pair of characters."""
    stems: set[str] = set()
    for word in words:
        if any(character > "\u2e80" for character in word):
            stems.update(word[at : at + _PAIR] for at in range(max(1, len(word) - 1)))
        elif len(word) >= _MIN_WORD:
            stems.add(word[:_STEM])
    return stems
