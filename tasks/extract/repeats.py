"""Remove repeated runs of lines from a text, as from pages with a mobile and a desktop layout. Pure."""

from collections.abc import Sequence

from tasks.extract.container import Line
from tasks.extract.lengths import size_of

# lines; characters of all, of each of two; the chorus of a song is shorter
_MIN_RUN, _MIN_LENGTH, _MIN_PARAGRAPH = 3, 200, 60


def without_repeats(lines: Sequence[Line]) -> list[Line]:
    """Return the lines without runs that repeat an earlier run."""
    places: dict[str, int] = {}
    kept: list[Line] = []
    run: list[Line] = []
    expected = -1
    for at, line in enumerate(lines):
        first = places.get(line.text)
        if first is not None and (not run or first == expected):
            run.append(line)
            expected = first + 1
            continue
        kept.extend(_unless_repeated(run))
        run = [line] if first is not None else []
        expected = first + 1 if first is not None else -1
        if first is None:
            kept.append(line)
            places[line.text] = at
    kept.extend(_unless_repeated(run, is_last=True))
    return kept


def _unless_repeated(run: Sequence[Line], *, is_last: bool = False) -> Sequence[Line]:
    """Drop a long run and, at a text's end, two paragraphs; elsewhere two paragraphs may legitimately recur."""
    sizes = [size_of(line.text) for line in run]
    is_long = len(run) >= _MIN_RUN and sum(sizes) >= _MIN_LENGTH
    return () if is_long or (is_last and len(run) > 1 and min(sizes) >= _MIN_PARAGRAPH) else run
