"""Fold a text so that what people take for the same word is the same: width, accents, points, letters' forms. Pure.

Latin letters such as ø and đ, and the case of ASCII, are folded by the search index itself (tasks/search/words.py).
"""

import re
import unicodedata

from tasks.values.text.storable import storable_text

# Accents, points and vowel signs of Latin, Greek, Cyrillic, Hebrew and Arabic, and characters that nobody sees
_MARKS = (
    "\u0300-\u036f\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u0610-\u061a\u064b-\u065f\u0670\u06d6-\u06dc\u0640"
)
_UNSEEN = "\u00ad\u200b-\u200f\u2060-\u2064\ufeff\ufe00-\ufe0f"
_UNREAD = re.compile(f"[{_MARKS}{_UNSEEN}]+")
# The breve of й stays: it is a letter of its own, and its words are others than those with и
_UNREAD_BUT_SHORT_I = re.compile(f"(?:(?!(?<=\u0438)\u0306)[{_MARKS}{_UNSEEN}])+")
_ARABIC = re.compile("[\u0600-\u06ff]")
# Persian and Arabic keyboards have two forms of kaf and yeh; alef maqsura and teh marbuta are often typed as yeh and heh
_FORMS = str.maketrans("\u0649\u06cc\u0629\u06a9", "\u064a\u064a\u0647\u0643")


def fold(text: str) -> str:
    """Return a text without case, accents and invisible characters, with compatibility forms in their plain one."""
    if text.isascii():
        return text
    parted = unicodedata.normalize("NFKD", storable_text(text).casefold())
    unread = _UNREAD_BUT_SHORT_I if "\u0438\u0306" in parted else _UNREAD
    folded = unicodedata.normalize("NFC", unread.sub("", parted))
    return folded.translate(_FORMS) if _ARABIC.search(folded) else folded
