"""A column is added to the definition only: lakes, indexes and waiting batches of the previous version keep working."""

import json
from contextlib import contextmanager
from datetime import UTC, datetime

import duckdb
import polars as pl
import pyarrow as pa
import pytest
from deltalake import DeltaTable
from deltalake.schema import Field, PrimitiveType

from tasks.errors import LakeFormatError
from tasks.index import outbox
from tasks.index.database import open_index
from tasks.lake.growing import add_missing_columns, open_for_writing
from tasks.lake.keys import ARTICLES, CAPTURES, TABLES
from tasks.lake.objects.stores import DirectoryStore
from tasks.lake.reading import list_files, read_columns, read_rows
from tasks.lake.schemas import missing_columns, table_schema
from tasks.lake.tables import open_table
from tasks.store.publishing import publish
from tests.later import ADDED, Job, make_later, running_worker
from tests.rows import FETCHED_AT, make_item
from tests.store.deadly_s3 import deadly_s3

WRITES = ["alter", "file", "commit"] * 2
"""The writes of a later version's first run: per table, its new columns, the batch's file, and the file's commit."""


@pytest.fixture(scope="module")
def later(tmp_path_factory, aws_environment):
    with running_worker(make_later(tmp_path_factory.mktemp("later"))) as worker:
        yield worker


@contextmanager
def decided(index_url, *items):
    """Put batches into an index's outbox as the previous version would."""
    with open_index(index_url) as index:
        for item in items:
            with index.write() as tx:
                outbox.append(
                    tx, batch_id=item.batch_id, run_id="r1", captures=item.captures, articles=item.articles, counts={},
                    now=datetime.now(UTC),
                )  # fmt: skip
        yield index


def names(store, table):
    return [field.name for field in open_table(store, table).schema().fields]


def rows(store, table, *columns):
    key = {ARTICLES: "article_id", CAPTURES: "capture_id"}[table]
    found = open_table(store, table).to_pyarrow_table(columns=[key, *columns]).to_pylist()
    return sorted(tuple(row.values()) for row in found)


def operations(store, table):
    return [commit["operation"] for commit in open_table(store, table).history()]


def old_lake(store, number=2):
    """Fill a lake with `number` batches of the previous version."""
    publish([make_item(n, rows=1) for n in range(1, number + 1)], store=store, index_id="i")


def test_a_waiting_batch_is_published_into_the_extended_table(later, tmp_path, index_url):
    store = DirectoryStore(tmp_path / "lake")
    old_lake(store)
    with decided(index_url, make_item(batch_id="waits", rows=1)):
        later.run(Job(do="publish", lake=str(tmp_path / "lake"), index=index_url))

    for table in TABLES:
        assert names(store, table) == [*table_schema(table).names, *ADDED]
        assert rows(store, table, *ADDED) == [(name, None, None) for name in ("b1-0", "b2-0", "waits-0")]


def test_values_of_new_columns_are_read_beside_rows_without_them(later, tmp_path, index_url):
    store, job = DirectoryStore(tmp_path / "lake"), {"lake": str(tmp_path / "lake"), "index": index_url}
    old_lake(store, 1)
    later.run(Job(do="decide", **job))

    later.run(Job(do="publish", **job))

    values = ("glad", ["hall", "hill"])
    for table in TABLES:
        assert rows(store, table, *ADDED) == [
            ("b1-0", None, None), ("later-0", *values), ("later-1", *values)
        ]  # fmt: skip
    dataset = open_table(store, ARTICLES).to_pyarrow_dataset()  # noqa: F841 - DuckDB finds it by name
    assert duckdb.sql("select article_id from dataset where mood is null").fetchall() == [("b1-0",)]
    assert duckdb.sql("select count(*) from dataset where mood = 'glad'").fetchall() == [(2,)]
    scanned = pl.scan_delta(str(tmp_path / "lake/articles")).filter(pl.col("mood").is_null()).collect()
    assert scanned["article_id"].to_list() == ["b1-0"]


def test_a_run_with_nothing_to_publish_adds_the_columns_too(later, tmp_path):
    store = DirectoryStore(tmp_path / "lake")
    old_lake(store)

    later.run(Job(do="grow", lake=str(tmp_path / "lake")))

    assert all(names(store, table)[-2:] == ADDED for table in TABLES)


def test_missing_tables_are_not_created(later, tmp_path):
    later.run(Job(do="grow", lake=str(tmp_path / "lake")))

    assert not list((tmp_path / "lake").glob("*"))


@pytest.mark.s3
def test_of_concurrent_runs_one_adds_the_columns(later, moto_url, s3_lake):
    old_lake(s3_lake.open())
    for _ in range(5):
        later.start(Job(do="grow", lake=s3_lake.uri, endpoint_url=moto_url))

    assert later.wait() == [0] * 5

    for table in TABLES:
        assert operations(s3_lake.open(), table).count("ADD COLUMN") == 1
        assert names(s3_lake.open(), table)[-2:] == ADDED


def test_the_previous_version_keeps_working(later, tmp_path, index_url):
    lake, store = tmp_path / "lake", DirectoryStore(tmp_path / "lake")
    old_lake(store, 1)
    later.start(Job(do="grow", lake=str(lake)))
    for number in range(2, 12):  # while the columns are added
        publish([make_item(number, rows=1)], store=store, index_id="i")
    assert later.wait() == [0]
    publish([make_item(12, rows=1)], store=store, index_id="i")

    for table in TABLES:
        assert rows(store, table, *ADDED) == sorted((f"b{n}-0", None, None) for n in range(1, 13))
        assert operations(store, table).count("ADD COLUMN") == 1


def test_the_previous_version_reads_its_columns_of_a_later_file(later, tmp_path, index_url):
    store, job = DirectoryStore(tmp_path / "lake"), {"lake": str(tmp_path / "lake"), "index": index_url}
    later.run(Job(do="decide", **job))
    later.run(Job(do="publish", **job))

    (file,) = list_files(open_table(store, ARTICLES), ARTICLES)
    found = list(read_rows(store, ARTICLES, url_key="daily.example/a", since=FETCHED_AT.date()))

    assert read_columns(store, file).schema.names == table_schema(ARTICLES).names[1:]
    assert [row["article_id"] for row in found] == ["later-0", "later-1"]


def test_the_previous_version_does_not_publish_rows_it_would_truncate(later, tmp_path, index_url):
    later.run(Job(do="decide", lake=str(tmp_path / "lake"), index=index_url))

    with (
        open_index(index_url) as index,
        index.read() as tx,
        pytest.raises(LakeFormatError, match=r"batch later in the outbox has a column echoes, .* upgrade Presslake"),
    ):
        outbox.pending(tx, limit=10)


@pytest.mark.s3
@pytest.mark.crash
@pytest.mark.parametrize("after", range(len(WRITES) + 1), ids=["nothing", *WRITES[:3], "alter2", "file2", "commit2"])
def test_an_upgrade_killed_after_any_write_is_completed_by_the_next_run(later, moto_url, s3_lake, tmp_path, after):
    store, index_url = s3_lake.open(), f"sqlite:///{tmp_path / 'index.db'}"
    old_lake(store)
    with decided(index_url, make_item(batch_id="waits")):
        with deadly_s3(moto_url, after=after) as (url, death):
            death.comes_to(later.start(Job(do="publish", lake=s3_lake.uri, index=index_url, endpoint_url=url)))
            assert later.wait() == [-9]
        assert [kind_of(key) for key in death.writes] == WRITES[:after]

        later.run(Job(do="publish", lake=s3_lake.uri, index=index_url, endpoint_url=moto_url))

    for table in TABLES:
        assert names(store, table) == [*table_schema(table).names, *ADDED]
        assert operations(store, table).count("ADD COLUMN") == 1
        assert [name for name, *_ in rows(store, table, *ADDED)] == ["b1-0", "b2-0", "waits-0", "waits-1"]


def kind_of(key):
    if key.endswith(".parquet"):
        return "file"
    return "alter" if key.endswith(f"{2:020d}.json") else "commit"


@pytest.mark.parametrize(
    ("changed", "misfit"),
    [
        (pa.field("status", pa.int64()), "column status is long, not integer"),
        (pa.field("status", pa.int32(), nullable=False), "column status may not be null"),
        (pa.field("mime", pa.list_(pa.string())), "column mime is array<string>, not string"),
        (pa.field("fetched_at", pa.timestamp("us")), "column fetched_at is timestamp_ntz, not timestamp"),
    ],
)
def test_a_changed_column_is_refused(tmp_path, changed, misfit):
    schema = table_schema(CAPTURES)
    DeltaTable.create(str(tmp_path / CAPTURES), schema.set(schema.get_field_index(changed.name), changed))

    with pytest.raises(LakeFormatError, match=f"captures: {misfit}: written by another version of Presslake"):
        open_table(DirectoryStore(tmp_path), CAPTURES)


def test_a_missing_non_nullable_column_is_refused(tmp_path):
    schema = table_schema(CAPTURES)
    DeltaTable.create(str(tmp_path / CAPTURES), schema.remove(schema.get_field_index("run_id")))

    with pytest.raises(LakeFormatError, match="no column run_id"):
        add_missing_columns(DirectoryStore(tmp_path))


def test_a_later_non_nullable_column_is_refused(tmp_path):
    later = pa.field("mood", pa.string(), nullable=False)
    DeltaTable.create(str(tmp_path / CAPTURES), table_schema(CAPTURES).append(later))

    with pytest.raises(LakeFormatError, match="column mood is unknown here and may not be null"):
        open_table(DirectoryStore(tmp_path), CAPTURES)


def test_nullable_list_items_are_accepted(tmp_path):
    schema = table_schema(ARTICLES)
    loose = pa.field("tags", pa.list_(pa.string()), nullable=False)
    DeltaTable.create(str(tmp_path / ARTICLES), schema.set(schema.get_field_index("tags"), loose))

    assert missing_columns(ARTICLES, open_table(DirectoryStore(tmp_path), ARTICLES).schema()) == []


def test_reading_adds_no_column(tmp_path):
    store = DirectoryStore(tmp_path)
    lacking_mime(store)

    rows = list(read_rows(store, CAPTURES, url_key="daily.example/a", since=FETCHED_AT.date()))

    assert (rows, names(store, CAPTURES).count("mime")) == ([], 0)


def test_an_added_column_does_not_raise_the_reader_version(tmp_path):
    store = DirectoryStore(tmp_path)
    lacking_mime(store)

    table = open_for_writing(store, CAPTURES)

    assert (names(store, CAPTURES)[-1], table.protocol().min_reader_version) == ("mime", 1)
    assert json.loads(table.schema().to_json())["fields"][-1] == json.loads(
        Field("mime", PrimitiveType("string"), nullable=True).to_json()
    )


def lacking_mime(store):
    schema = table_schema(CAPTURES)
    DeltaTable.create(
        store.delta_uri(CAPTURES), schema.remove(schema.get_field_index("mime")), partition_by=["dt"]
    )  # fmt: skip


@pytest.fixture
def s3_lake(moto_url):
    from tests.servers import fresh_address

    return fresh_address(moto_url)
