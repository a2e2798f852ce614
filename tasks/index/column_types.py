"""Column types that behave alike in both databases, and the metadata that names database indexes."""

from collections.abc import Callable
from datetime import UTC, datetime

from sqlalchemy import DateTime, Dialect, MetaData, Text, TypeDecorator
from sqlalchemy.dialects.sqlite import DATETIME
from sqlalchemy.types import TypeEngine

from tasks.values.text.storable import storable_text


class _StoredInstant(DATETIME):
    """SQLite's own type. One call formats the text, instead of a template of seven numbers."""

    def bind_processor(self, dialect: Dialect) -> Callable[[datetime | None], str | None]:
        """Return the formatter: six digits of microseconds, as the original has."""
        del dialect
        return lambda value: None if value is None else value.isoformat(" ", "microseconds")


_STORED: TypeEngine[datetime] = _StoredInstant()  # type: ignore[no-untyped-call]


class Instant(TypeDecorator[datetime]):
    """An aware UTC time with microseconds. SQLite has no time zones, so it stores naive text, always UTC."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[datetime]:
        """Return the database's own type."""
        return dialect.type_descriptor(_STORED if dialect.name == "sqlite" else DateTime(timezone=True))

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Convert to UTC. Raises ValueError for a naive time, which another machine would read differently."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"naive datetime {value!r}")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Return the time as aware UTC."""
        del dialect
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class WebText(TypeDecorator[str]):
    """Text from the web, with U+FFFD for NUL (refused by PostgreSQL) and unpaired surrogates, as in the lake."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """Replace the characters that a database refuses."""
        del dialect
        return None if value is None else storable_text(value)


METADATA = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    }
)
