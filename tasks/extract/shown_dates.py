"""Find the visible date near a page's heading, in words or figures. Pure."""

import re
from collections.abc import Iterable, Iterator
from datetime import datetime

from lxml.etree import XPath
from lxml.html import HtmlElement

from tasks.extract.dates import is_plausible, parse_instant
from tasks.extract.tree import clean, until_prose
from tasks.values.text.written_dates import find_date

_MAX_AFTER, _MAX_BEFORE, _MAX_PROSE = 150, 40, 2  # elements; long paragraphs
_MAX_LINE, _MIN_SHARE = 80, 0.25  # characters of a line with a date; the date's share of it
_AFTER, _BEFORE = XPath("following::*[position() <= $n]"), XPath("preceding::*[position() <= $n]")
_DIGIT = re.compile(r"\d{4}")
_CHANGED = re.compile(
    r"updat|modif|aktualisier|stand:|mis(?:e)? à jour|actualiza|atualiza|aggiorna|bijgewerkt|uppdatera|oppdatert|opdater|"
    r"päivite|aktualizac|обновлен|оновлен|güncel|diperbarui|cập nhật|更新|修订|수정|업데이트|last reviewed",
    re.IGNORECASE,
)


def visible_dates(heading: HtmlElement | None, *, now: datetime) -> tuple[datetime | None, datetime | None]:
    """Return the date nearest to the main heading, and the nearest one that is marked as the date of change."""
    if heading is None:
        return None, None
    near = (
        *_dates_in(until_prose(_AFTER(heading, n=_MAX_AFTER), most=_MAX_PROSE), now),
        *_dates_in(reversed(_BEFORE(heading, n=_MAX_BEFORE)), now),
    )
    said, changed = (next((instant for is_change, instant in near if is_change is one), None) for one in (False, True))
    return said, changed


def _dates_in(elements: Iterable[HtmlElement], now: datetime) -> Iterator[tuple[bool, datetime]]:
    """Yield the dates in the elements' lines, each with whether it is the date of change."""
    label = ""
    for element in elements:
        if element.tag in ("script", "style"):
            continue
        line = clean(element.text) if len(element.text or "") <= 4 * _MAX_LINE else ""
        found = _date_of(element, line, now)
        if found is not None:
            names = f"{label[-_MAX_LINE:]} {element.get('class') or ''} {element.get('itemprop') or ''}"
            yield bool(_CHANGED.search(f"{line} {names}")), found
        label = "" if found is not None or len(line) > _MAX_LINE else line or label


def _date_of(element: HtmlElement, line: str, now: datetime) -> datetime | None:
    if element.tag == "time" and (stated := element.get("datetime")):
        return parse_instant(stated, now=now) or _in_line(line, now)
    return _in_line(line, now)


def _in_line(line: str, now: datetime) -> datetime | None:
    if not 6 <= len(line) <= _MAX_LINE or not _DIGIT.search(line):
        return None
    found = find_date(line)
    if found is None or found.end - found.start < _MIN_SHARE * len(line) or not is_plausible(found.instant, now=now):
        return None
    return found.instant
