"""Values of rows as other programs read them: in CSV and in JSON. Pure."""

import math
from collections.abc import Iterable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import orjson

_FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""What a spreadsheet takes for a formula, and runs, if a cell begins with it (OWASP, CSV injection)."""


def csv_row(values: Iterable[object]) -> list[str]:
    """Return a row's cells for a CSV file; texts that a spreadsheet would run have an apostrophe before them."""
    return [csv_cell(value) for value in values]


def csv_cell(value: object) -> str:
    """Return a cell: nothing for null, ISO 8601 for instants, JSON for lists and structs."""
    if value is None:
        return ""
    if isinstance(value, str):
        return f"'{value}" if is_formula(value) else value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime | date):
        return _instant(value)
    if isinstance(value, int | float | Decimal):
        return str(value)
    return csv_cell(json_line(value).decode())


def is_formula(value: object) -> bool:
    """Whether a spreadsheet would run a cell with this text."""
    return isinstance(value, str) and value.startswith(_FORMULA)


def json_line(value: object) -> bytes:
    """Return a value as JSON on one line: instants in ISO 8601, what is no number as null."""
    return orjson.dumps(value, default=_plain, option=orjson.OPT_NON_STR_KEYS | orjson.OPT_PASSTHROUGH_DATETIME)


def _plain(value: Any) -> object:  # noqa: ANN401 - what SQL may give
    if isinstance(value, datetime | date):
        return _instant(value)
    if isinstance(value, Decimal):
        return float(value) if math.isfinite(value) else None
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value).hex()
    if isinstance(value, set | frozenset):
        return sorted(value)
    return str(value)


def _instant(value: datetime | date) -> str:
    if isinstance(value, datetime) and value.tzinfo is not None:
        return value.astimezone(UTC).replace(tzinfo=None).isoformat() + "Z"
    return value.isoformat()
