"""Daily figures of a source's pages. They are sums only, so batches can be added in any order.

All functions run in the caller's transaction.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date

from sqlalchemy import Connection, func, select

from tasks.index.figures import source_days
from tasks.index.statements import insert_into, row_of

_SUMS = ("pages", "empty", "titled", "dated", "usual", "log_length")


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceDay:
    """A source's pages of one UTC day, or of several days starting with it.

    `pages`: stories. `titled`, `dated`, `usual`: stories with a title, with a date, and with a text from the usual
    path. `empty`: pages that should be stories but gave no text. `log_length`: sum of the logarithms of the text
    lengths in characters.
    """

    source_id: str
    day: date
    pages: int = 0
    empty: int = 0
    titled: int = 0
    dated: int = 0
    usual: int = 0
    log_length: float = 0.0

    @property
    def looks(self) -> int:
        """All pages that are or should be stories."""
        return self.pages + self.empty


def add_days(tx: Connection, days: Iterable[SourceDay]) -> None:
    """Add to the figures of these days. A source may appear only once."""
    rows = [{**row_of(day), "day": day.day.isoformat()} for day in days]
    if not rows:
        return
    rows.sort(key=lambda row: (row["source_id"], row["day"]))  # a fixed order, or two batches may deadlock
    insert = insert_into(tx, source_days)
    sums = {name: source_days.c[name] + insert.excluded[name] for name in _SUMS}
    tx.execute(insert.on_conflict_do_update(index_elements=["source_id", "day"], set_=sums), rows)


def find_days(tx: Connection, source_ids: Collection[str], *, since: date, apart: date) -> list[SourceDay]:
    """Return the sources' days since then, by source and day. Days before `apart` are summed into one."""
    known = source_days.c
    chosen = known.source_id.in_(sorted(source_ids))
    past = (
        select(
            known.source_id, func.min(known.day).label("day"), *(func.sum(known[name]).label(name) for name in _SUMS)
        )
        .where(chosen, known.day >= since.isoformat(), known.day < apart.isoformat())
        .group_by(known.source_id)
    )
    late = select(source_days).where(chosen, known.day >= apart.isoformat())
    rows = [*tx.execute(past).mappings(), *tx.execute(late).mappings()]
    found = [SourceDay(**{**row, "day": date.fromisoformat(row["day"])}) for row in rows]
    return sorted(found, key=lambda day: (day.source_id, day.day))
