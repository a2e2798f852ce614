"""Escape text from the web for display: no markdown, HTML, links, control or direction marks. Pure."""

import re
import unicodedata

LENGTH = 200
_SPECIAL = re.compile(r"([\\`*_{}\[\]()#+!|~-])")
_ENTITIES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", "@": "&#64;"})
_COLON = re.compile(r"(\b[0-2]?[0-9]:[0-5][0-9]\b(?![:.])|\b[0-2]?[0-9]:[0-5][0-9]:[0-5][0-9]\b)|:")
_INVISIBLE = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


def as_plain(text: str, *, length: int = LENGTH) -> str:
    """Return one line of visible characters, for a terminal or a log, without escapes and direction marks."""
    visible = "".join(" " if character in "\t\n\r" else character for character in text[: length * 4])
    visible = "".join(character for character in visible if unicodedata.category(character) not in _INVISIBLE)
    folded = " ".join(visible.split())
    return folded if len(folded) <= length else f"{folded[: length - 1]}…"


def as_text(text: str, *, length: int = LENGTH) -> str:
    """Return markdown that shows the text literally; `:` and `@` are escaped too, since bare URLs would become links.

    Times of day are kept, since Prefect's UI shows entities raw in table cells.
    """
    escaped = _SPECIAL.sub(r"\\\1", as_plain(text, length=length)).translate(_ENTITIES)
    return _COLON.sub(lambda time: "&#58;" if time[1] is None else time[0], escaped)


def as_code(text: str, *, length: int = LENGTH) -> str:
    """Return a code span that is safe in a table cell."""
    return f"`{as_plain(text, length=length).replace('`', chr(39)).replace('|', '/')}`"
