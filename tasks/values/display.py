"""What is shown of rows, in tables and as JSON. Pure."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

Rows = list[tuple[object, ...]]
Table = tuple[str, Sequence[str], Rows]
"""A title, the columns' names, and the rows."""


def shown(value: object) -> object:
    """Return a cell's value as people read it: instants to the second, nothing for None."""
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M:%S}"
    return "" if value is None else value


def plain(row: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Return a row as plain data; instants in ISO 8601."""
    return (
        None
        if row is None
        else {str(name): value.isoformat() if hasattr(value, "isoformat") else value for name, value in row.items()}
    )


def listed(row: Mapping[str, Any], names: Sequence[str]) -> Rows:
    """Return a row's named values, a line each, without those that are None."""
    return [(name, shown(row[name])) for name in names if row[name] is not None]
