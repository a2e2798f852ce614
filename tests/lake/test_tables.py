import dataclasses
import io
import types
import typing
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime

import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest
from deltalake import DeltaTable
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.errors import LakeFormatError, LakeUnavailable
from tasks.lake.keys import ARTICLES, CAPTURES, TABLES, parquet_key
from tasks.lake.objects.stores import DirectoryStore
from tasks.lake.schemas import SCHEMAS, table_schema
from tasks.lake.tables import (
    DataFile,
    commit_files,
    is_committed,
    open_table,
    parquet,
)
from tasks.values.rows import Article, Capture
from tasks.values.text.storable import storable_text
from tests.rows import FETCHED_AT, make_article, make_capture

DAY = date(2026, 3, 1)


def read(name, rows):
    return pq.read_table(io.BytesIO(parquet(name, rows)))


def put_file(store, name=CAPTURES, *, sequence=1, batch_id="b1"):
    """Put a file with one row into the lake, and return it for a commit."""
    body = parquet(name, [make_capture(capture_id=f"{batch_id}-{sequence}")])
    open_table(store, name)  # before its files: a table that lost its log is not created again
    store.put(parquet_key(name, DAY, batch_id, sequence), body)
    return DataFile(
        batch_id=batch_id,
        sequence=sequence,
        day=DAY,
        size=len(body),
        rows=1,
        last_at=FETCHED_AT,
    )


def held(store, name=CAPTURES):
    """Return the ids of the rows that readers see."""
    return sorted(open_table(store, name).to_pyarrow_table().column("capture_id").to_pylist())


@pytest.mark.parametrize(("name", "model"), [(CAPTURES, Capture), (ARTICLES, Article)])
def test_columns_are_the_models_fields_in_their_order(name, model):
    assert SCHEMAS[name].names == [field.name for field in dataclasses.fields(model)]


@pytest.mark.parametrize(("name", "model"), [(CAPTURES, Capture), (ARTICLES, Article)])
def test_a_column_is_nullable_if_the_field_may_be_none(name, model):
    optional = [name for name, hint in typing.get_type_hints(model).items() if types.NoneType in typing.get_args(hint)]

    assert [field.name for field in SCHEMAS[name] if field.nullable] == optional


def test_a_capture_round_trips():
    capture = make_capture(status=None, detail="é")

    (row,) = read(CAPTURES, [capture]).to_pylist()

    assert row == dataclasses.asdict(capture)


def test_an_article_round_trips():
    article = make_article(authors=(), similarity=0.75)

    (row,) = read(ARTICLES, [article]).to_pylist()

    assert row == {**dataclasses.asdict(article), "authors": [], "tags": ["harbour", "ships"]}


def test_times_are_utc_microseconds():
    assert read(CAPTURES, [make_capture()]).schema.field("fetched_at").type == pa.timestamp("us", tz="UTC")


def test_equal_rows_give_equal_bytes():
    rows = [make_article(article_id=str(n)) for n in range(50)]

    assert parquet(ARTICLES, rows) == parquet(ARTICLES, list(rows))


def test_files_are_zstd_compressed():
    metadata = pq.read_metadata(io.BytesIO(parquet(ARTICLES, [make_article()])))

    compressions = {metadata.row_group(0).column(n).compression for n in range(metadata.num_columns)}
    assert compressions == {"ZSTD"}


@pytest.mark.parametrize(
    ("text", "stored"),
    [("a\0b", "a\ufffdb"), ("\ud83d", "\ufffd"), ("\ud83d\ude00", "\U0001f600"), ("\U0001f600 ok", "\U0001f600 ok")],
)
def test_an_unstorable_character_becomes_a_replacement_character(text, stored):
    (row,) = read(ARTICLES, [make_article(title=text, tags=(text,))]).to_pylist()

    assert (row["title"], row["tags"]) == (stored, [stored])


@settings(max_examples=40, deadline=None)
@given(st.text(st.characters(codec=None)))
def test_any_text_can_be_stored(text):
    stored = read(ARTICLES, [make_article(text=text)]).column("text")[0].as_py()

    assert stored == storable_text(text)


def test_a_missing_table_is_created(object_store):
    table = open_table(object_store, ARTICLES)

    assert pa.schema(table.schema().to_arrow()).names == table_schema(ARTICLES).names
    assert (table.version(), table.metadata().partition_columns) == (0, ["dt"])


def test_concurrent_creators_make_one_table(object_store):
    with ThreadPoolExecutor(6) as pool:
        tables = list(pool.map(lambda _: open_table(object_store, CAPTURES), range(6)))

    assert {(table.version(), table.metadata().id) for table in tables} == {(0, tables[0].metadata().id)}


def test_a_table_needs_no_recent_delta_reader(tmp_path):
    protocol = open_table(DirectoryStore(tmp_path), ARTICLES).protocol()

    assert (protocol.min_reader_version, protocol.reader_features) == (1, None)


def test_a_table_works_in_a_directory_with_any_name(tmp_path):
    store = DirectoryStore(tmp_path / "my lake #1 100% é")
    commit_files(open_table(store, CAPTURES), [put_file(store)], app_id="i")

    assert held(store) == ["b1-1"]


def test_a_table_with_other_columns_is_refused(tmp_path):
    DeltaTable.create(str(tmp_path / CAPTURES), pa.schema([("dt", pa.date32()), ("capture_id", pa.string())]))

    with pytest.raises(LakeFormatError, match="no column source_id"):
        open_table(DirectoryStore(tmp_path), CAPTURES)


def test_an_unreadable_table_raises_lake_unavailable(tmp_path):
    (tmp_path / CAPTURES).write_bytes(b"")

    with pytest.raises(LakeUnavailable, match=r"^[^\n]*captures: [^\n]*$"):
        open_table(DirectoryStore(tmp_path), CAPTURES)


def test_a_committed_file_is_visible(object_store):
    commit_files(open_table(object_store, CAPTURES), [put_file(object_store)], app_id="i")

    assert held(object_store) == ["b1-1"]


def test_a_commit_returns_what_it_added(tmp_path):
    store = DirectoryStore(tmp_path)
    files = [put_file(store, sequence=n) for n in (1, 2)]
    table = open_table(store, CAPTURES)

    assert [commit_files(table, files, app_id="i"), commit_files(table, files, app_id="i")] == [tuple(files), ()]


def test_a_file_committed_again_is_in_the_table_once(object_store):
    file = put_file(object_store)
    for _ in range(2):
        commit_files(open_table(object_store, CAPTURES), [file], app_id="i")

    table = open_table(object_store, CAPTURES)

    assert (held(object_store), table.version(), table.transaction_version("i")) == (["b1-1"], 1, 1)


@pytest.mark.parametrize("column", ["url_key", "source_id", "fetched_at", "outcome"])
def test_a_reader_finds_rows_by_any_column(tmp_path, column):
    store = DirectoryStore(tmp_path)
    commit_files(open_table(store, CAPTURES), [put_file(store)], app_id="i")
    dataset = open_table(store, CAPTURES).to_pyarrow_dataset()
    (row,) = dataset.to_table().to_pylist()

    found = dataset.to_table(filter=ds.field(column) == row[column])

    assert found.num_rows == 1


def test_a_commit_on_an_old_version_succeeds_once(object_store):
    stale = [open_table(object_store, CAPTURES) for _ in range(3)]
    file = put_file(object_store)

    landed = [commit_files(table, [file], app_id="i") for table in stale]

    assert (landed, held(object_store)) == ([(file,), (), ()], ["b1-1"])


def test_concurrent_commits_of_one_file_succeed_once(object_store):
    tables = [open_table(object_store, CAPTURES) for _ in range(6)]
    file = put_file(object_store)

    with ThreadPoolExecutor(6) as pool:
        landed = list(pool.map(lambda table: commit_files(table, [file], app_id="i"), tables))

    assert (sorted(map(len, landed)), held(object_store)) == ([0, 0, 0, 0, 0, 1], ["b1-1"])


def test_concurrent_commits_of_different_files_all_succeed(object_store):
    tables = [open_table(object_store, CAPTURES) for _ in range(6)]
    files = [put_file(object_store, sequence=n, batch_id=f"b{n}") for n in range(1, 7)]

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda table, file: commit_files(table, [file], app_id="i"), tables, files))

    assert held(object_store) == [f"b{n}-{n}" for n in range(1, 7)]


def test_indexes_have_separate_sequences(tmp_path):
    store = DirectoryStore(tmp_path)
    for index in ("i", "j"):
        file = put_file(store, batch_id=f"of-{index}")
        commit_files(open_table(store, CAPTURES), [file], app_id=index)

    assert held(store) == ["of-i-1", "of-j-1"]


def test_an_old_sequence_with_a_new_batch_is_committed(tmp_path):
    """An index restored from a backup continues with an earlier sequence."""
    store = DirectoryStore(tmp_path)
    commit_files(open_table(store, CAPTURES), [put_file(store, sequence=9)], app_id="i")

    commit_files(open_table(store, CAPTURES), [put_file(store, sequence=4, batch_id="new")], app_id="i")

    assert (held(store), open_table(store, CAPTURES).transaction_version("i")) == (["b1-9", "new-4"], 9)


def test_a_batch_is_known_after_its_file_was_compacted(tmp_path):
    store = DirectoryStore(tmp_path)
    files = [put_file(store, sequence=n, batch_id=f"b{n}") for n in (1, 2)]
    for file in files:
        commit_files(open_table(store, CAPTURES), [file], app_id="i")
    open_table(store, CAPTURES).optimize.compact()

    for file in files:
        commit_files(open_table(store, CAPTURES), [file], app_id="i")

    assert held(store) == ["b1-1", "b2-2"]


def test_nothing_is_committed_in_a_new_table(tmp_path):
    table = open_table(DirectoryStore(tmp_path), CAPTURES)

    assert not is_committed(table, app_id="i", sequence=1, batch_id="b1")


def test_days_are_partitions(tmp_path):
    store = DirectoryStore(tmp_path)
    commit_files(open_table(store, CAPTURES), [put_file(store)], app_id="i")

    table = open_table(store, CAPTURES)
    rows = table.to_pyarrow_table(filters=[("dt", "=", DAY)], columns=["dt", "capture_id"]).to_pylist()

    assert rows == [{"dt": DAY, "capture_id": "b1-1"}]


def test_many_commits_leave_checkpoints(tmp_path):
    store = DirectoryStore(tmp_path)
    table = open_table(store, CAPTURES)
    for n in range(1, 22):
        commit_files(table, [put_file(store, sequence=n)], app_id="i")

    names = [path.name for path in (tmp_path / CAPTURES / "_delta_log").iterdir()]

    assert "_last_checkpoint" in names
    assert open_table(store, CAPTURES).transaction_version("i") == 21


@pytest.mark.parametrize("name", TABLES)
def test_a_table_has_a_description(tmp_path, name):
    metadata = open_table(DirectoryStore(tmp_path), name).metadata()

    assert (metadata.name, bool(metadata.description)) == (name, True)


def test_times_in_other_zones_are_stored_as_utc():
    (row,) = read(CAPTURES, [make_capture(fetched_at=datetime.fromisoformat("2026-03-01T01:00:00+02:00"))]).to_pylist()

    assert row["fetched_at"] == datetime(2026, 2, 28, 23, tzinfo=UTC)
