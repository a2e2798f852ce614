"""SQL has access to the lake's tables only, and mistakes are reported in one line."""

import csv
import io
import shutil
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from deltalake import DeltaTable

from tasks.errors import ConfigError, LakeUnavailable
from tasks.query.asking import ask
from tasks.query.cells import csv_cell, json_line
from tasks.query.views import open_views
from tasks.store.publishing import publish
from tests.engine import Presslake
from tests.lakes import Lake
from tests.rows import FETCHED_AT, make_item


@pytest.fixture(scope="module")
def lake(tmp_path_factory):
    """Two articles, one of them revised the day after."""
    lake = Lake(tmp_path_factory.mktemp("sql"))
    lake.publish({}, {"article_id": "a2", "source_id": "weekly", "title": "=cmd()", "published_at": None})
    lake.publish({"revision": 2, "title": "Harbour shut", "fetched_at": FETCHED_AT + timedelta(days=1)})
    return lake


@pytest.fixture(scope="module")
def command(lake) -> Presslake:
    return Presslake(Path(lake.store.uri).parent, {"PREFECT_API_URL": "http://127.0.0.1:9/api"})


def answer(lake, query):
    with ask(query, lake.settings) as found:
        return list(found.rows)


def test_latest_has_one_row_per_article(lake):
    assert answer(lake, "select count(*), count(distinct article_id) from articles") == [(3, 2)]
    assert answer(lake, "select article_id, revision, title from latest order by 1") == [
        ("a1", 2, "Harbour shut"),
        ("a2", 1, "=cmd()"),
    ]


def test_a_lake_in_s3_gives_the_same_answers(object_store):
    publish([make_item(1, rows=2)], store=object_store, index_id="i")

    with open_views(object_store) as views:
        found = views.connection.execute(
            "select article_id, dt from latest where dt = '2026-03-01' order by 1"
        ).fetchall()

    assert found == [("b1-0", date(2026, 3, 1)), ("b1-1", date(2026, 3, 1))]


def test_the_views_have_the_partition_and_every_column(lake):
    assert answer(lake, "select distinct dt from articles order by 1") == [(date(2026, 3, 1),), (date(2026, 3, 2),)]
    assert answer(lake, "select count(*) from captures c join articles using (article_id, revision)") == [(3,)]
    assert answer(lake, "select date_trunc('day', fetched_at) from latest order by 1 limit 1") == [
        (datetime(2026, 3, 1, tzinfo=UTC),)
    ]


def test_a_lake_without_tables_has_empty_views(tmp_path):
    assert answer(Lake(tmp_path), "select (select count(*) from latest), (select count(*) from captures)") == [(0, 0)]


def test_new_columns_of_an_older_table_are_null(tmp_path):
    lake = Lake(tmp_path)
    lake.publish({})
    rows = DeltaTable(str(Path(lake.store.uri) / "articles")).to_pyarrow_table()
    (Path(lake.store.uri) / "articles").rename(tmp_path / "newer")
    early = rows.select([name for name in rows.schema.names if name != "markdown"])
    from deltalake import write_deltalake

    write_deltalake(str(Path(lake.store.uri) / "articles"), early, partition_by=["dt"])

    assert answer(lake, "select article_id, markdown from latest") == [("a1", None)]


@pytest.mark.parametrize(
    "query",
    [
        "select * from read_csv('/etc/passwd')",
        "select * from read_text('{secret}')",
        "select * from '{secret}'",
        "select * from glob('/*')",
        "select * from read_parquet('s3://bucket/x.parquet')",
        "select * from read_csv('http://127.0.0.1:9/x.csv')",
        "select * from sniff_csv('{secret}')",
        "select * from secret",
        "select * from settings",
        "select getenv('HOME')",
        "copy (select 1) to '{secret}.csv'",
        "attach '{secret}.db'",
        "install httpfs",
        "load httpfs",
        "set enable_external_access = true",
        "reset lock_configuration",
        "create table x as select 1",
        "insert into articles select * from articles",
        "drop view latest",
        "export database '{secret}'",
        "pragma database_list",
        "call pragma_version()",
        "select 1; select 2",
        "",
        "select",
        "select nothing from articles",
        "select '\udcff'",
        "select '\0'",
        "select cast('x' as integer)",
    ],
)
def test_anything_but_a_query_of_the_views_is_refused_in_one_line(lake, tmp_path, query):
    secret = tmp_path / "secret"
    secret.write_text("a,b\n1,2\n")

    with pytest.raises(ConfigError) as caught:
        answer(lake, query.format(secret=secret))

    assert len(str(caught.value).splitlines()) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["secret"]


@pytest.mark.parametrize("harm", [Path.unlink, lambda path: path.write_bytes(b"")], ids=["gone", "empty"])
def test_an_unreadable_file_of_the_table_is_not_blamed_on_the_query(tmp_path, harm):
    lake = Lake(tmp_path)
    lake.publish({})
    for path in (tmp_path / "lake/articles").rglob("*.parquet"):
        harm(path)

    with pytest.raises(LakeUnavailable, match=r"b1-1\.parquet is missing or damaged") as caught:
        answer(lake, "select text from articles")
    assert len(str(caught.value).splitlines()) == 1


def test_an_invalid_value_is_blamed_on_the_query_if_the_lake_is_undamaged(tmp_path):
    lake = Lake(tmp_path)
    lake.publish({})

    with pytest.raises(ConfigError, match="format specifier"):
        answer(lake, "select strptime(title, '%Y') from articles")


def test_a_table_without_its_log_is_not_read_as_empty(tmp_path):
    lake = Lake(tmp_path)
    lake.publish({})
    shutil.rmtree(tmp_path / "lake/articles/_delta_log")

    with pytest.raises(LakeUnavailable, match="its log is missing"):
        answer(lake, "select count(*) from articles")


def test_a_query_leaves_no_threads_or_files(lake, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    answer(lake, "select * from articles order by text")

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("value", "cell", "line"),
    [
        (None, "", b"null"),
        (True, "true", b"true"),
        (-3, "-3", b"-3"),
        (float("nan"), "nan", b"null"),
        (Decimal("1.5"), "1.5", b"1.5"),
        ("a\nb", "a\nb", b'"a\\nb"'),
        ("=1+1", "'=1+1", b'"=1+1"'),
        ("-dash", "'-dash", b'"-dash"'),
        (["a", "=b"], '["a","=b"]', b'["a","=b"]'),
        ({"a": date(2026, 3, 1)}, '{"a":"2026-03-01"}', b'{"a":"2026-03-01"}'),
        (FETCHED_AT, "2026-03-01T12:30:00.123456Z", b'"2026-03-01T12:30:00.123456Z"'),
        (b"\xff", "'ff'"[1:-1], b'"ff"'),
        (timedelta(days=1), "1 day, 0:00:00", b'"1 day, 0:00:00"'),
    ],
)
def test_values_are_formatted_as_cells_and_as_json(value, cell, line):
    if not isinstance(value, bytes | timedelta):
        assert csv_cell(value) == cell
    assert json_line(value) == line


def test_the_command_prints_a_table_json_lines_or_csv(command):
    query = "select article_id, title, authors, published_at from latest order by 1"

    table = command.run("sql", query).out
    lines = command.run("sql", query, "--format", "json").out
    rows = list(csv.reader(io.StringIO(command.run("sql", query, "--format", "csv").out)))

    assert "Harbour shut" in table
    assert "2026-03-01 06:00:00" in table
    assert lines.splitlines()[1] == '{"article_id":"a2","title":"=cmd()","authors":["Ada Byron"],"published_at":null}'
    assert rows == [
        ["article_id", "title", "authors", "published_at"],
        ["a1", "Harbour shut", '["Ada Byron"]', "2026-03-01T06:00:00Z"],
        ["a2", "'=cmd()", '["Ada Byron"]', ""],
    ]


def test_a_mistake_is_one_line_and_exit_2(command):
    ended = command.run("sql", "select nothing from articles", check=False)

    assert (ended.code, ended.out) == (2, "")
    assert ended.err.startswith('presslake: the query: Binder Error: Referenced column "nothing" not found')
    assert ended.err.count("\n") == 1


def test_the_command_creates_no_lake(tmp_path):
    ended = Presslake(tmp_path).run("sql", "select 1", check=False)

    assert (ended.code, list(tmp_path.iterdir())) == (2, [])


INTERRUPTED_IN_THE_QUERY = """
import os, signal, sys, threading
from flows.cli.app import main

called = sys.argv.pop(1)

def watch(frame, event, arg):
    if event == "call" and frame.f_code.co_name == called:
        sys.setprofile(None)
        threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGINT)).start()

sys.setprofile(watch)
main()
"""
NEVER_ENDS = "(select count(*) from range(1000000000000) where hash(range) = 1) = 0"


@pytest.mark.parametrize(
    ("called", "words"),
    [
        ("ask", ("sql", f"select {NEVER_ENDS}")),
        ("choose", ("export", "--format", "jsonl", "--out", "taken", "--where", NEVER_ENDS)),
    ],
)
def test_ctrl_c_during_a_query_ends_it_with_one_line(command, called, words):
    ended = command.execute(INTERRUPTED_IN_THE_QUERY, called, *words, timeout=120)

    assert (ended.code, ended.out) == (130, "")
    assert ended.err == "Interrupted: stored data is complete; run again to continue.\n"
