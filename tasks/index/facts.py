"""Single facts of the index as a whole, by their names. All functions take the transaction they run in."""

from sqlalchemy import Connection, select

from tasks.index.schema import facts
from tasks.index.statements import upsert


def read_fact(tx: Connection, name: str) -> str | None:
    """Return a fact, or None."""
    found: str | None = tx.execute(select(facts.c.value).where(facts.c.name == name)).scalar()
    return found


def note_fact(tx: Connection, name: str, value: str) -> None:
    """Note a fact in place of what it was before."""
    upsert(tx, facts, [{"name": name, "value": value}], by=["name"], newest=["value"])
