"""Correct response heads like browsers and curl do: one invalid line should not cost the page. Pure.

Our HTTP parser refuses a response with an invalid line. Such lines are removed first, and recorded. Framing is never
guessed: conflicting lengths stay and are refused.
"""

import re

MAX_HEAD_SIZE = 100 * 1024
"""The parser's limit."""

_NAME = rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"
_FIRST = rb"HTTP/\d\.\d \d{3}(?: [^\r\n]*+)?"
_WELL_FORMED = re.compile(_FIRST + rb"\r?\n(?>" + _NAME + rb":[^\r\n\x00]*+\r?\n)*+\r?\n")
_FIELD = re.compile(rb"(" + _NAME + rb")[ \t]*+:(.*)", re.DOTALL)
_CODING, _LENGTH = b"transfer-encoding", b"content-length"
_LOOSE_FIRST = re.compile(rb"(HTTP/\d\.\d)[ \t]+(\d{3})(?:[ \t]+(.*))?", re.DOTALL)
# a further number would be another length
_LENGTH_AND_MORE = re.compile(rb"[ \t]*+(?:([0-9]{1,19})(?:[,; \t][^0-9]*+)?)?")
_ODD_LENGTH = re.compile(rb"\n" + _LENGTH + rb":(?![ \t]*[0-9]+[ \t]*\r?\n)")
_NAMED_LENGTH = 60
_MAX_NOTES = 5


def mended_head(head: bytes) -> tuple[bytes, tuple[str, ...]]:
    """Return the head without invalid lines, and descriptions of what was changed."""
    if _WELL_FORMED.fullmatch(head) and not _has_odd_framing(head.lower()):
        return head, ()
    first, *lines = head.replace(b"\r\n", b"\n").rstrip(b"\n").split(b"\n")
    notes: list[str] = []
    kept, is_dropped = [_first_line(first, notes)], True
    for line in lines:
        if line[:1] in {b" ", b"\t"}:  # a folded line belongs to the previous one
            if not is_dropped:
                kept.append(line)
            continue
        field = _FIELD.fullmatch(line)
        is_dropped = field is None
        if field is None:
            notes.append(f"dropped {_named(line)}")
            continue
        kept.append(field[1] + b":" + field[2])
        if kept[-1] != line:
            notes.append(f"read {_named(line)} without the space in its name")
    kept = _with_plain_lengths(_with_one_coding(kept, notes), notes)
    return b"\r\n".join([*kept, b"", b""]), tuple(notes)


def _has_odd_framing(lower: bytes) -> bool:
    return _CODING in lower or _ODD_LENGTH.search(lower) is not None


def _first_line(line: bytes, notes: list[str]) -> bytes:
    """Return a status line with single spaces."""
    found = None if re.fullmatch(_FIRST, line) else _LOOSE_FIRST.fullmatch(line)
    if found is None:
        return line
    notes.append(f"read {_named(line)} with single spaces")
    return b"%b %b %b" % (found[1], found[2], found[3] or b"")


def _with_plain_lengths(lines: list[bytes], notes: list[str]) -> list[bytes]:
    """Reduce lengths to plain numbers, as curl reads them, and drop empty ones."""
    kept = []
    for line in lines:
        name, _, value = line.partition(b":")
        found = _LENGTH_AND_MORE.fullmatch(value) if name.lower() == _LENGTH else None
        if found is None or found[1] == value.strip():
            kept.append(line)
        elif found[1]:
            kept.append(b"%b: %b" % (name, found[1]))
            notes.append(f"read {_named(line)} as {int(found[1])}")
        else:
            notes.append(f"dropped {_named(line)}")
    return kept


def _with_one_coding(lines: list[bytes], notes: list[str]) -> list[bytes]:
    """State `chunked` once, and drop codings without effect (RFC 9112, 6.1)."""
    places = [place for place, line in enumerate(lines) if line.lower().startswith(_CODING + b":")]
    codings = [coding.strip().lower() for place in places for coding in lines[place].partition(b":")[2].split(b",")]
    true = [coding for coding in codings if coding not in {b"", b"identity"}]
    if not places or codings == true == [b"chunked"] or set(true) - {b"chunked"}:
        return lines
    notes.append(f"read {_named(b', '.join(codings))} as {'chunked' if true else 'no transfer coding'}")
    others = [line for place, line in enumerate(lines) if place not in places]
    return [*others, b"Transfer-Encoding: chunked"] if true else others


def _named(line: bytes) -> str:
    return repr(line[:_NAMED_LENGTH].decode("latin-1"))


def described(notes: tuple[str, ...]) -> str | None:
    """Return the changes to a head in one line, or None."""
    if not notes:
        return None
    more = f"; and {len(notes) - _MAX_NOTES} more" if len(notes) > _MAX_NOTES else ""
    return f"head mended: {'; '.join(notes[:_MAX_NOTES])}{more}"
