"""Plots for artifacts: SVG in a data: URI, since Prefect's UI removes SVG from the text. Pure.

They have no background, and colours that are visible on light and dark pages, since an image cannot know the theme of
Prefect's UI.

Every text in a plot is escaped. A plot can neither run scripts nor load anything, since browsers forbid that for SVG
images.
"""

import base64
from collections.abc import Mapping, Sequence
from html import escape

from tasks.values.text.escape import as_plain

COLOURS = ("#3d85c0", "#d98a24", "#8b97a1", "#4f9a5a", "#b565a7", "#d0555c", "#94805f", "#717a86")
_LABEL, _BAR, _ROW, _WIDTH = 150, 420, 22, 640
_TEXT = 'font-family="sans-serif" font-size="12" fill="#737c88"'


def stacked_bars(title: str, rows: Sequence[tuple[str, Mapping[str, int]]], kinds: Sequence[str]) -> str:
    """Return a markdown image with one horizontal bar per row, stacked by kind; empty without rows."""
    drawn = [kind for kind in kinds if any(counts.get(kind) for _, counts in rows)]
    longest = max((sum(counts.get(kind, 0) for kind in drawn) for _, counts in rows), default=0)
    if not longest:
        return ""
    colour = dict(zip(kinds, COLOURS, strict=False))
    parts = [_legend(drawn, colour)]
    for place, (label, counts) in enumerate(rows, start=1):
        top = place * _ROW + 6
        parts.append(_text(_LABEL - 8, top + 14, as_plain(label, length=22), anchor="end"))
        left = float(_LABEL)
        for kind in drawn:
            width = _BAR * counts.get(kind, 0) / longest
            if width:
                parts.append(f'<rect x="{left:.1f}" y="{top}" width="{width:.1f}" height="16" fill="{colour[kind]}"/>')
            left += width
        parts.append(_text(left + 6, top + 14, f"{sum(counts.get(kind, 0) for kind in drawn):,}"))
    return _image(title, parts, height=(len(rows) + 1) * _ROW + 10)


def columns(title: str, numbers: Sequence[tuple[str, int]]) -> str:
    """Return a markdown image with one column per number and a label under every sixth; empty if all numbers are 0."""
    highest = max((number for _, number in numbers), default=0)
    if not highest:
        return ""
    step, height = (_WIDTH - 20) / len(numbers), 110
    parts = [_text(10, 12, f"at most {highest:,}")]
    for place, (label, number) in enumerate(numbers):
        tall = (height - 20) * number / highest
        left = 10 + place * step
        if number:
            parts.append(
                f'<rect x="{left:.1f}" y="{height - tall:.1f}" width="{max(step - 1, 1):.1f}" height="{tall:.1f}" '
                f'fill="{COLOURS[0]}"/>'
            )
        if place % max(len(numbers) // 8, 1) == 0:
            parts.append(_text(left, height + 14, as_plain(label, length=16)))
    return _image(title, parts, height=height + 22)


def _legend(kinds: Sequence[str], colour: Mapping[str, str]) -> str:
    parts, left = [], 10.0
    for kind in kinds:
        parts += [
            f'<rect x="{left:.0f}" y="4" width="12" height="12" fill="{colour[kind]}"/>',
            _text(left + 17, 14, kind),
        ]
        left += 34 + 6.6 * len(kind)
    return "".join(parts)


def _text(left: float, base: float, text: str, *, anchor: str = "start") -> str:
    return f'<text x="{left:.1f}" y="{base:.1f}" text-anchor="{anchor}" {_TEXT}>{escape(text)}</text>'


def _image(title: str, parts: Sequence[str], *, height: int) -> str:
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{height}" viewBox="0 0 {_WIDTH} {height}">'
        f"{''.join(parts)}</svg>"
    )
    return f"![{title}](data:image/svg+xml;base64,{base64.b64encode(svg.encode()).decode()})"
