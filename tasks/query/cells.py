"""Convert values of rows to CSV cells and to JSON. Pure."""

import math
from collections.abc import Iterable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import orjson

_FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""First characters by which a spreadsheet takes a cell for a formula and runs it (OWASP, CSV injection)."""


def csv_row(values: Iterable[object]) -> list[str]:
    """Return a row's cells for a CSV file; texts that a spreadsheet would run are prefixed by an apostrophe."""
    return [csv_cell(value) for value in values]


def csv_cell(value: object) -> str:
    """Return a CSV cell: empty for null, ISO 8601 for instants, JSON for lists and structs."""
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
    """Return a value as one line of JSON: instants in ISO 8601, NaN and infinities as null."""
    return orjson.dumps(value, default=_plain, option=orjson.OPT_NON_STR_KEYS | orjson.OPT_PASSTHROUGH_DATETIME)


def _plain(value: Any) -> object:  # noqa: ANN401 - any value from SQL
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
