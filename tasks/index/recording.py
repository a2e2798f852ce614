"""Record every row that a transaction changes, before and after, so that the change can be undone (ADR 0016).

Rows are plain JSON data. Derived rows (postings) are left out, and so are marks of clusters, because a superfluous mark
does no harm.
"""

import base64
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, LargeBinary, Table, and_, delete, event, insert, or_, select, update
from sqlalchemy.sql.dml import Delete, Insert, Update

from tasks.index import clusters, postings
from tasks.index.column_types import Instant
from tasks.index.schema import aliases, articles, edges, frontier, shapes
from tasks.index.statements import in_chunks

Row = dict[str, Any]

IDENTITIES: dict[Table, tuple[str, ...]] = {
    articles: ("article_id",),
    frontier: ("url_key",),
    edges: ("a", "b", "kind"),
    aliases: ("url_key",),
    shapes: ("article_id",),
}
"""The recorded tables, with the columns that identify a row."""

CHUNK = 100
_NUMBERED = {shapes: "number"}  # assigned by the database, so it carries no information


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangedRow:
    """A row of the index before and after a transaction; None means absent."""

    table: str
    before: Row | None
    after: Row | None


@dataclass(slots=True, kw_only=True)
class History:
    """A row across several transactions: before the first, and after each."""

    table: Table
    identity: tuple[str, ...]
    before: Row | None
    afterwards: list[Row | None]

    @property
    def name(self) -> str:
        """The row's table and identity, for display."""
        return f"{self.table.name}: {' '.join(self.identity)}"


@dataclass(slots=True)
class Recording:
    """The rows that a transaction has touched so far, as they were before."""

    tx: Connection
    before: dict[tuple[Table, tuple[str, ...]], Row | None] = field(default_factory=dict)

    def changes(self) -> list[ChangedRow]:
        """Return the rows that differ now, in the order in which they were first touched."""
        after = dict[tuple[Table, tuple[str, ...]], Row]()
        for table in IDENTITIES:
            after.update(_by_identity(self.tx, table, [one for held, one in self.before if held is table]))
        return [
            ChangedRow(table=touched[0].name, before=row, after=after.get(touched))
            for touched, row in self.before.items()
            if row != after.get(touched)
        ]

    def note(self, statement: object, several: Sequence[Mapping[str, Any]]) -> None:
        """Read the rows that a statement is about to change."""
        if not isinstance(statement, Insert | Update | Delete) or statement.table not in IDENTITIES:
            return
        table = statement.table
        if isinstance(statement, Insert):
            given = several or [statement.compile(dialect=self.tx.dialect).params]
            wanted = [tuple(row[name] for name in IDENTITIES[table]) for row in given]
            held = _by_identity(self.tx, table, wanted)
            found = {(table, one): held.get((table, one)) for one in wanted}
        else:
            # The statement's own condition finds its rows. They are locked, so that it changes exactly these.
            query = select(table).with_for_update()
            if statement.whereclause is not None:
                query = query.where(statement.whereclause)
            found = {}
            for one in several or [{}]:
                rows = self.tx.execute(query, dict(one)).mappings()
                found.update({(table, _identity(table, row)): _plain(table, row) for row in rows})
        for touched, row in found.items():
            self.before.setdefault(touched, row)


@contextmanager
def recorded(tx: Connection) -> Iterator[Recording]:
    """Record the changes of the transaction inside the block."""
    recording = Recording(tx)

    def note(_tx: Connection, statement: object, several: Any, single: Any, _options: Any) -> None:  # noqa: ANN401
        recording.note(statement, several or ([single] if single else []))

    event.listen(tx, "before_execute", note)
    try:
        yield recording
    finally:
        event.remove(tx, "before_execute", note)


def histories(changes: Iterable[ChangedRow]) -> list[History]:
    """Group changes (in the order in which they were made) by row. Rows that others refer to come first."""
    tables = {table.name: table for table in IDENTITIES}
    found: dict[tuple[Table, tuple[str, ...]], History] = {}
    for change in changes:
        table = tables[change.table]
        identity = _identity(table, change.before or change.after or {})
        fresh = History(table=table, identity=identity, before=change.before, afterwards=[])
        found.setdefault((table, identity), fresh).afterwards.append(change.after)
    return sorted(found.values(), key=lambda change: list(IDENTITIES).index(change.table))


def take_back(tx: Connection, rows: Sequence[History]) -> tuple[int, list[History]]:
    """Restore rows as they were before all changes; returns how many, and the rows kept because of newer changes."""
    count, kept = 0, []
    for history in rows:
        now = _by_identity(tx, history.table, [history.identity]).get((history.table, history.identity))
        if now == history.before:
            continue  # restored already, or the transaction never committed
        # keep rows that changed after the repair, and rows whose URL now belongs to another article
        if now not in history.afterwards or (history.before and _is_taken(tx, history.table, history.before)):
            kept.append(history)
            continue
        _write(tx, history.table, history.identity, history.before)
        count += 1
    return count, kept


def _write(tx: Connection, table: Table, identity: tuple[str, ...], row: Row | None) -> None:
    values = None if row is None else _revived(table, row)
    if table is shapes:
        postings.replace_shape(tx, identity[0], values)
        return
    is_it = _is_one_of(table, [identity])
    if values is None:
        tx.execute(delete(table).where(is_it))
    elif tx.execute(update(table).where(is_it).values(values)).rowcount == 0:
        tx.execute(insert(table).values(values))
    if table is articles and values:
        clusters.mark(tx, [str(values["cluster_id"])])


def _is_taken(tx: Connection, table: Table, row: Row) -> bool:
    """Whether another article has the row's URL now."""
    if table is not articles:
        return False
    other = (articles.c.url_key == row["url_key"]) & (articles.c.article_id != row["article_id"])
    return tx.execute(select(articles.c.article_id).where(other)).first() is not None


def _by_identity(
    tx: Connection, table: Table, wanted: Sequence[tuple[str, ...]]
) -> dict[tuple[Table, tuple[str, ...]], Row]:
    found: dict[tuple[Table, tuple[str, ...]], Row] = {}
    for part in in_chunks(wanted, CHUNK):
        query = select(table).where(_is_one_of(table, part)).with_for_update()
        for row in tx.execute(query).mappings():
            found[table, _identity(table, row)] = _plain(table, row)
    return found


def _is_one_of(table: Table, wanted: Sequence[tuple[str, ...]]) -> ColumnElement[bool]:
    names = IDENTITIES[table]
    if len(names) == 1:
        return table.c[names[0]].in_([identity for (identity,) in wanted])
    return or_(
        *(and_(*(table.c[name] == part for name, part in zip(names, identity, strict=True))) for identity in wanted)
    )


def _identity(table: Table, row: Mapping[Any, Any]) -> tuple[str, ...]:
    return tuple(row[name] for name in IDENTITIES[table])


def _plain(table: Table, row: Mapping[Any, Any]) -> Row:
    return {
        str(column.name): _cell(row[column.name]) for column in table.columns if column.name != _NUMBERED.get(table)
    }


def _cell(value: Any) -> Any:  # noqa: ANN401 - any cell
    if isinstance(value, datetime):
        return value.isoformat()
    return base64.b64encode(value).decode() if isinstance(value, bytes) else value


def _revived(table: Table, row: Row) -> Row:
    return {name: _maker(table, name)(value) if value is not None else None for name, value in row.items()}


def _maker(table: Table, name: str) -> Callable[[Any], Any]:
    kind = table.c[name].type
    if isinstance(kind, Instant):
        return datetime.fromisoformat
    return base64.b64decode if isinstance(kind, LargeBinary) else lambda value: value
