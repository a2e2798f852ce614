"""Choose the rows of an export, ordered by fetch time, then by article and revision."""

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from datetime import date
from functools import partial
from typing import Any

import duckdb
import pyarrow as pa

from tasks.lake.keys import ARTICLES
from tasks.lake.schemas import arrow_schema, table_schema
from tasks.politeness.rights.mapping import verdict_on
from tasks.query.asking import computed
from tasks.query.views import Views
from tasks.values.changes import Removal
from tasks.values.columns import revive
from tasks.values.rights import Purpose
from tasks.values.rows import Signal

SCHEMA = table_schema(ARTICLES)

BATCH_ROWS = 10_000

_KEYS = "article_id, revision, fetched_at, dt, change_seq"
_RIGHTS = """
    select a.article_id, a.revision, a.rights from articles a semi join chosen using (article_id, revision, fetched_at)
    where len(a.rights) > 0
"""
_LEAVE_OUT = """
    delete from chosen where exists (
        select 1 from refused r where r.article_id = chosen.article_id and r.revision = chosen.revision
    )
"""
_GOING = """
    delete from chosen where exists (
        select 1 from removed r where r.article_id = chosen.article_id and r.revision = chosen.revision
            and r.change_seq > coalesce(chosen.change_seq, 0)
    )
"""
_DAYS = "select dt, count(*) from chosen group by dt order by dt"
_ROWS = """
    select a.* from articles a semi join chosen using (article_id, revision, fetched_at)
    where a.dt = date '{day}' order by a.fetched_at, a.article_id, a.revision
"""


@dataclass(frozen=True, slots=True)
class ChosenRows:
    """The chosen rows: their number by day, and the connection that reads them."""

    connection: duckdb.DuckDBPyConnection
    days: dict[date, int]

    @property
    def rows(self) -> int:
        """The number of rows."""
        return sum(self.days.values())

    def read(self) -> Iterator[pa.Table]:
        """Yield the rows, a day at a time; raises LakeUnavailable."""
        for day in self.days:
            yield computed(self.connection, partial(self._read, day))

    def _read(self, day: date) -> pa.Table:
        return self.connection.sql(_ROWS.format(day=day.isoformat())).to_arrow_table().cast(SCHEMA)


def choose(
    views: Views,
    *,
    view: str,
    where: str | None,
    removals: Iterable[Removal] = (),
    purpose: Purpose | None = None,
) -> ChosenRows:
    """Choose the rows of a view for which an SQL expression is true; raises ConfigError for an invalid one.

    Rows that a removal already names are left out, since no later change would report them. With a `purpose`, rows that
    are refused for it, or have a price, are left out. Only row identities are kept, so that no text is read before it
    is written.
    """
    going = [asdict(one) for one in removals]
    return computed(views.connection, lambda: _chosen(views.connection, view, where, going, purpose))


def _chosen(
    connection: duckdb.DuckDBPyConnection,
    view: str,
    where: str | None,
    going: list[dict[str, Any]],
    purpose: Purpose | None,
) -> ChosenRows:
    rows = connection.view(view)
    # DuckDB parses it as one expression, so it can neither end the query nor begin another
    kept = rows if where is None else rows.filter(where)
    kept.project(_KEYS).create("chosen")
    if going:
        connection.register("removed", pa.Table.from_pylist(going, schema=arrow_schema(Removal)))
        connection.execute(_GOING)
    if purpose is not None:
        refused = _refused(connection, purpose)
        connection.register("refused", refused)
        connection.execute(_LEAVE_OUT)
    return ChosenRows(connection, dict(connection.execute(_DAYS).fetchall()))


def _refused(connection: duckdb.DuckDBPyConnection, purpose: Purpose) -> pa.Table:
    """Return the identities of the chosen rows that may not be used freely for a purpose."""
    found: list[dict[str, object]] = []
    for batch in connection.sql(_RIGHTS).to_arrow_reader(BATCH_ROWS):
        for row in batch.to_pylist():
            signals = (revive(Signal, one) for one in row["rights"])
            if verdict_on(purpose, signals).answer.is_refusal:
                found.append({"article_id": row["article_id"], "revision": row["revision"]})
    return pa.Table.from_pylist(found, schema=pa.schema([SCHEMA.field("article_id"), SCHEMA.field("revision")]))
