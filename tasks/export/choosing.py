"""The rows of an export, in their order: by the day and instant of their fetch, then by article and revision."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

import duckdb
import pyarrow as pa

from tasks.lake.keys import ARTICLES
from tasks.lake.schemas import table_schema
from tasks.query.asking import query_errors
from tasks.query.views import Views

SCHEMA = table_schema(ARTICLES)

_KEYS = "article_id, revision, fetched_at, dt"
_DAYS = "select dt, count(*) from chosen group by dt order by dt"
_ROWS = """
    select a.* from articles a semi join chosen using (article_id, revision, fetched_at)
    where a.dt = date '{day}' order by a.fetched_at, a.article_id, a.revision
"""


@dataclass(frozen=True, slots=True)
class Chosen:
    """The rows that were chosen: how many of which day, and the connection that reads them."""

    connection: duckdb.DuckDBPyConnection
    days: dict[date, int]

    @property
    def rows(self) -> int:
        """How many there are."""
        return sum(self.days.values())

    def read(self) -> Iterator[pa.Table]:
        """Yield the rows, a day at a time; raises LakeUnavailable."""
        for day in self.days:
            with query_errors():
                yield self.connection.sql(_ROWS.format(day=day.isoformat())).to_arrow_table().cast(SCHEMA)


def choose(views: Views, *, view: str, where: str | None) -> Chosen:
    """Choose the rows of a view for which an expression of SQL is true; raises ConfigError for a wrong one.

    Their identities alone are kept, so that no text is read before it is written.
    """
    with query_errors():
        rows = views.connection.view(view)
        # DuckDB reads it as one expression: it can neither end the query nor begin another
        kept = rows if where is None else rows.filter(where)
        kept.project(_KEYS).create("chosen")
        return Chosen(views.connection, dict(views.connection.execute(_DAYS).fetchall()))
