"""Repair UTF-8 that was decoded as windows-1252: `cafÃ©` into `café`.

Pure. It is conservative: a line is repaired only if it has an unmistakable sequence, and no intact non-ASCII letter,
since such a line was not decoded wrongly. `CAFÉ»` looks like a broken pair but is not.
"""

import re


def _as_read(byte: int) -> str:
    """Decode a byte as windows-1252; its five gaps as browsers do (WHATWG Encoding)."""
    try:
        return bytes((byte,)).decode("cp1252")
    except UnicodeDecodeError:
        return chr(byte)


_BYTES = {_as_read(byte): byte for byte in range(0x80, 0x100)}
_MARKS = "…’”–—»"  # after a capital they end a word: `AMANHÃ…`
_NEXT = re.escape("".join(_as_read(byte) for byte in range(0x80, 0xC0)))


def _pair(first: str) -> str:
    return f"(?:[{first}](?![{_MARKS}])|(?<![A-Z])[{first}])[{_NEXT}]"


_BROKEN = re.compile(
    "|".join((_pair("\u00c2-\u00df"), f"[\u00e0-\u00ef][{_NEXT}]{{2}}", f"[\u00f0-\u00f4][{_NEXT}]{{3}}"))
)
_SIGN = re.compile("|".join((_pair("\u00c3"), "\u00c2[\u00a0-\u00bf]", "\u00e2\u20ac")))  # one of these is enough
_MIN_BROKEN = 3  # others
_POSSIBLE = re.compile(f"[\u00c2-\u00f4][{_NEXT}]")  # begins every broken sequence; rules out most lines at once
# the rest of a sequence whose last part was lost as white space or a control character
_CUT = re.compile("\u00c3(?:\\s(?=[,.;:!?)»])|(?=\\s|$))|\u00e2\u20ac(?=\\W|$)")


def mend(text: str) -> str:
    """Return a line repaired, or unchanged."""
    if not _POSSIBLE.search(text) or (not _SIGN.search(text) and len(_BROKEN.findall(text)) < _MIN_BROKEN):
        return text
    mended, rest = _BROKEN.sub(_decode, text), _BROKEN.sub("", text)
    if any(character.isalpha() and not character.isascii() for character in _CUT.sub("", rest)):
        return text
    return _CUT.sub(lambda match: "à" if match[0].startswith("\u00c3") else "”", mended)


def _decode(match: re.Match[str]) -> str:
    try:
        return bytes(_BYTES[character] for character in match[0]).decode("utf-8")
    except UnicodeDecodeError:
        return match[0]
