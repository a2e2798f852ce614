"""Facts about the index as a whole, by name. All functions run in the caller's transaction."""

from sqlalchemy import Connection, select

from tasks.index.schema import facts
from tasks.index.statements import upsert


def read_fact(tx: Connection, name: str) -> str | None:
    """Return a fact's value, or None."""
    found: str | None = tx.execute(select(facts.c.value).where(facts.c.name == name)).scalar()
    return found


def note_fact(tx: Connection, name: str, value: str) -> None:
    """Store a fact, replacing its earlier value."""
    upsert(tx, facts, [{"name": name, "value": value}], by=["name"], newest=["value"])
