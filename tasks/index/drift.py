"""What a source's pages looked like, week by week: sums alone, so that batches add up in any order.

All functions take the transaction they run in.
"""

from collections.abc import Collection, Iterable
from dataclasses import asdict, dataclass
from datetime import date, timedelta

from sqlalchemy import Connection, select

from tasks.index.schema import source_weeks
from tasks.index.upsert import insert_into

_SUMS = ("pages", "empty", "titled", "dated", "usual", "log_length")


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceWeek:
    """A source's pages of one week, named by its Monday.

    `pages` are the stories, of which so many have a title, a date, and a text by the usual path; `empty` are the pages
    that should have been one and gave no text. `log_length` is the sum of the logarithms of the texts' characters.
    """

    source_id: str
    week: date
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


def monday_of(day: date) -> date:
    """Return the day by which a week is named."""
    return day - timedelta(days=day.weekday())


def add_weeks(tx: Connection, weeks: Iterable[SourceWeek]) -> None:
    """Add to what is known of these weeks, each source's once."""
    rows = [{**asdict(one), "week": one.week.isoformat()} for one in weeks]
    if not rows:
        return
    rows.sort(key=lambda row: (row["source_id"], row["week"]))  # in one order everywhere, or two batches may deadlock
    insert = insert_into(tx, source_weeks)
    sums = {name: source_weeks.c[name] + insert.excluded[name] for name in _SUMS}
    tx.execute(insert.on_conflict_do_update(index_elements=["source_id", "week"], set_=sums), rows)


def find_weeks(tx: Connection, source_ids: Collection[str], *, since: date) -> list[SourceWeek]:
    """Return the sources' weeks since that Monday, by source and week."""
    statement = (
        select(source_weeks)
        .where(source_weeks.c.week >= since.isoformat(), source_weeks.c.source_id.in_(sorted(source_ids)))
        .order_by(source_weeks.c.source_id, source_weeks.c.week)
    )
    rows = tx.execute(statement).mappings()
    return [SourceWeek(**{**row, "week": date.fromisoformat(row["week"])}) for row in rows]
