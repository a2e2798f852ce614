"""Columns are derived from annotated fields: type, nullability, and conversion back."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from enum import StrEnum
from typing import Annotated

import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tasks.lake.schemas import arrow_schema
from tasks.lake.tables import arrow_rows, parquet_of
from tasks.values.columns import Column, columns_of, revive
from tasks.values.rows import Article, Capture


class Mood(StrEnum):
    GLAD = "glad"


@dataclass(frozen=True, slots=True, kw_only=True)
class Right:
    signal: Annotated[str, Column("its name")]
    seen_at: Annotated[datetime | None, Column("when")] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    name: Annotated[str, Column("who")]
    size: Annotated[int, Column("bytes")]
    status: Annotated[int | None, Column("the status", type="integer")] = None
    share: Annotated[float | None, Column("of all")] = None
    is_new: Annotated[bool | None, Column("whether")] = None
    mood: Annotated[Mood | None, Column("how")] = None
    seen_at: Annotated[datetime | None, Column("when")] = None
    tags: Annotated[tuple[str, ...] | None, Column("words")] = None
    rights: Annotated[tuple[Right, ...] | None, Column("what is allowed")] = None


NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
FULL = Row(
    name="a", size=1, status=200, share=0.5, is_new=True, mood=Mood.GLAD, seen_at=NOON, tags=("x", "y"),
    rights=(Right(signal="tdm", seen_at=NOON), Right(signal="ai")),
)  # fmt: skip


def test_types_and_nulls_are_the_annotations():
    assert [(one.name, str(one.type), one.is_nullable, one.meaning) for one in columns_of(Row)] == [
        ("name", "string", False, "who"),
        ("size", "long", False, "bytes"),
        ("status", "integer", True, "the status"),
        ("share", "double", True, "of all"),
        ("is_new", "boolean", True, "whether"),
        ("mood", "string", True, "how"),
        ("seen_at", "timestamp", True, "when"),
        ("tags", "array<string>", True, "words"),
        ("rights", "array<struct<signal: string, seen_at: timestamp>>", True, "what is allowed"),
    ]


@pytest.mark.parametrize("row", [FULL, Row(name="a", size=1)])
def test_a_row_comes_back_from_parquet_as_it_was(row):
    written = parquet_of(arrow_rows([row], arrow_schema(Row)))

    (held,) = pq.read_table(pa.BufferReader(written)).to_pylist()

    assert revive(Row, held) == row


@pytest.mark.parametrize("row", [FULL, Row(name="a", size=1)])
def test_a_row_comes_back_from_json_as_it_was(row):
    assert revive(Row, orjson.loads(orjson.dumps(row))) == row


def test_columns_are_found_by_name_in_any_order():
    assert revive(Row, {"tags": ["x"], "of_another_version": 1, "size": 2, "name": "a"}) == Row(
        name="a", size=2, tags=("x",)
    )


def test_a_missing_nullable_column_is_null():
    assert revive(Row, {"name": "a", "size": 2}) == Row(name="a", size=2)


def test_a_missing_required_column_is_an_error():
    with pytest.raises(LookupError, match="size"):
        revive(Row, {"name": "a"})


@pytest.mark.parametrize("told", ["2026-03-01T21:00:00+09:00", NOON.astimezone(timezone(timedelta(hours=9)))])
def test_instants_come_back_in_utc(told):
    assert revive(Row, {"name": "a", "size": 2, "seen_at": told}).seen_at.isoformat() == NOON.isoformat()


@pytest.mark.parametrize("kind", [Capture, Article])
def test_every_column_has_a_meaning(kind):
    assert all(one.meaning for one in columns_of(kind))
