"""An export is complete, deterministic, readable by other tools, and never overwrites anything else."""

import csv
import io
import json
from datetime import timedelta
from pathlib import Path

import duckdb
import pandas as pd
import polars as pl
import pytest
from warcio.archiveiterator import ArchiveIterator

from tasks.errors import ConfigError, CorruptRecord, LakeUnavailable
from tasks.export.exporting import export
from tasks.export.request import ExportRequest, Format
from tasks.lake.removals import add_removals
from tasks.lake.schemas import table_schema
from tasks.lake.tombstones import Cause, tombstone
from tasks.lake.warc import SegmentWriter
from tasks.values.changes import Removal
from tests.engine import Presslake
from tests.lakes import Lake
from tests.rows import FETCHED_AT

KEY = "warc/dt=2026-03-01/b1.warc.gz"
PAGES = {"a1": b"<p>The harbour reopened.</p>", "a2": "<p>Größe</p>".encode()}


def quietly(*_):
    """Report no progress."""


@pytest.fixture
def lake(tmp_path):
    """Two articles with their pages, and a revision of the first with an identical payload."""
    lake = Lake(tmp_path)
    segment = SegmentWriter(KEY, software="test", created_at=FETCHED_AT)
    places = {
        name: segment.add_exchange(
            url=f"https://daily.example/{name}",
            request_head=f"GET /{name} HTTP/1.1\r\n\r\n".encode(),
            response_head=b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n",
            body=body,
            fetched_at=FETCHED_AT,
        )
        for name, body in PAGES.items()
    }
    lake.store.put(KEY, segment.to_bytes())
    one, two = ({"article_id": n, "warc_offset": p.offset, "warc_length": p.length} for n, p in places.items())
    lake.publish(two | {"title": '=cmd()|"x"', "text": "Größe,\nein Wort", "language": "de", "published_at": None}, one)
    lake.publish(one | {"revision": 2, "title": "Harbour shut", "fetched_at": FETCHED_AT + timedelta(days=1)})
    return lake


def written(lake, form, name="out", **choices):
    """Export; return the manifest and the folder."""
    out = Path(lake.store.uri).parent / name
    manifest = export(ExportRequest(format=Format(form), out=out, **choices), lake.settings, on_step=quietly)
    return manifest, out


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.parametrize("form", list(Format))
def test_the_same_versions_give_the_same_bytes(lake, form):
    _, one = written(lake, form, "one")
    _, other = written(lake, form, "other")

    assert contents(one) == contents(other)


def test_packing_does_not_change_an_exports_rows(lake):
    _, one = written(lake, "jsonl", "one")
    lake.rewrite(lambda rows: list(reversed(rows)))
    manifest, other = written(lake, "jsonl", "other")

    assert (one / "articles.jsonl").read_bytes() == (other / "articles.jsonl").read_bytes()
    assert manifest["delta_versions"]["articles"] > 2


@pytest.mark.parametrize("form", ["jsonl", "csv", "parquet"])
def test_duckdb_polars_and_pandas_read_the_export(lake, form):
    _, out = written(lake, form)
    file = str(out / f"articles.{form}")
    read_pandas = {"jsonl": lambda path: pd.read_json(path, lines=True), "csv": pd.read_csv, "parquet": pd.read_parquet}
    read_polars = {"jsonl": pl.read_ndjson, "csv": pl.read_csv, "parquet": pl.read_parquet}

    pairs = [("a1", 1), ("a2", 1), ("a1", 2)]
    assert duckdb.sql(f"select article_id, revision from '{file}'").fetchall() == pairs
    assert read_polars[form](file).select("article_id", "revision").rows() == pairs
    assert list(read_pandas[form](file)[["article_id", "revision"]].itertuples(index=False, name=None)) == pairs


def test_parquet_has_every_column_with_its_type(lake):
    _, out = written(lake, "parquet")

    schema = duckdb.sql(f"describe select * from '{out / 'articles.parquet'}'").fetchall()
    assert [row[0] for row in schema] == table_schema("articles").names
    assert {row[0]: row[1] for row in schema}["authors"] == "VARCHAR[]"
    assert {row[0]: row[1] for row in schema}["fetched_at"] == "TIMESTAMP WITH TIME ZONE"


def test_formulas_are_escaped_in_csv_but_not_in_json(lake):
    manifest, out = written(lake, "csv")
    _, lines = written(lake, "jsonl", "lines")

    rows = list(csv.DictReader(io.StringIO((out / "articles.csv").read_text())))
    assert (rows[1]["title"], rows[1]["text"], rows[1]["authors"]) == (
        '\'=cmd()|"x"',
        "Größe,\nein Wort",
        '["Ada Byron"]',
    )
    assert manifest["texts_with_an_apostrophe"] == 1
    result = [json.loads(line) for line in (lines / "articles.jsonl").read_text().splitlines()]
    assert (result[1]["title"], result[1]["published_at"]) == ('=cmd()|"x"', None)
    assert result[0]["published_at"] == "2026-03-01T06:00:00Z"


def test_warc_has_each_page_once_and_warcio_reads_it(lake):
    manifest, out = written(lake, "warc")

    with (out / "articles.warc.gz").open("rb") as file:
        records = [
            (one.rec_type, one.rec_headers.get_header("WARC-Target-URI"), one.content_stream().read())
            for one in ArchiveIterator(file, check_digests="raise")
        ]
    assert records[0][0] == "warcinfo"
    assert records[1:] == [("response", f"https://daily.example/{name}", body) for name, body in PAGES.items()]
    assert (manifest["records"], manifest["pages_removed"], manifest["rows"]) == (2, 0, 3)


def test_a_taken_down_page_is_counted_and_left_out(lake):
    (row,) = [row for row in lake.rows() if row["article_id"] == "a2"]
    segment = lake.store.get(KEY)
    start, length = row["warc_offset"], row["warc_length"]
    buried = tombstone(length, cause=Cause.TAKEN_DOWN, place=f"{KEY}:{start}")
    lake.store.put(KEY, segment[:start] + buried + segment[start + length :])

    manifest, _ = written(lake, "warc")

    assert (manifest["records"], manifest["pages_removed"]) == (1, 1)


@pytest.mark.parametrize(("harm", "error"), [("gone", LakeUnavailable), ("cut short", CorruptRecord)])
def test_a_damaged_segment_fails_the_export_without_leftovers(lake, tmp_path, harm, error):
    if harm == "gone":
        lake.store.delete(KEY)
    else:
        lake.store.put(KEY, lake.store.get(KEY)[:-700])

    with pytest.raises(error):
        written(lake, "warc")

    assert [path.name for path in tmp_path.iterdir()] == ["lake"]


@pytest.mark.parametrize(
    ("choices", "keys"),
    [
        ({"is_latest": True}, [("a2", 1), ("a1", 2)]),
        ({"where": "language = 'de'"}, [("a2", 1)]),
        ({"where": "revision = (select max(revision) from articles)"}, [("a1", 2)]),
        (
            {"where": "article_id in (select article_id from captures where revision = 2)", "is_latest": True},
            [("a1", 2)],
        ),
        ({"where": "false"}, []),
    ],
)
def test_rows_are_selected_by_an_sql_expression(lake, choices, keys):
    manifest, out = written(lake, "jsonl", **choices)

    rows = [json.loads(line) for line in (out / "articles.jsonl").read_text().splitlines()]
    assert [(row["article_id"], row["revision"]) for row in rows] == keys
    assert manifest["rows"] == len(keys)


@pytest.mark.parametrize(
    "where", ["", "nothing = 1", "true) union select * from articles where (true", "1; drop view latest", "true, false"]
)
def test_an_invalid_expression_is_one_clear_error_without_leftovers(lake, tmp_path, where):
    with pytest.raises(ConfigError) as caught:
        written(lake, "jsonl", where=where)

    assert len(str(caught.value).splitlines()) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["lake"]


def test_a_row_under_removal_is_left_out(lake):
    going = [Removal(article_id="a2", revision=1, change_seq=3), Removal(article_id="a1", revision=2, change_seq=1)]
    add_removals(lake.store, going, batch_id="r3", sequence=3, app_id="i", now=FETCHED_AT)  # its row is still there

    manifest, out = written(lake, "jsonl")

    rows = [json.loads(line) for line in (out / "articles.jsonl").read_text().splitlines()]
    assert [(row["article_id"], row["revision"]) for row in rows] == [("a1", 1), ("a1", 2)]
    assert manifest["change_seq"] == 2


def test_the_manifest_names_its_origin(lake):
    manifest, out = written(lake, "jsonl", is_latest=True)

    assert json.loads((out / "manifest.json").read_text())["files"] == manifest["files"]
    assert manifest["delta_versions"] == {"articles": 2, "captures": 2}
    assert (manifest["languages"], manifest["extractors"]) == ({"de": 1, "en": 1}, {"presslake-1": 2})
    assert (manifest["fetched_from"], manifest["fetched_to"]) == (FETCHED_AT, FETCHED_AT + timedelta(days=1))


@pytest.mark.parametrize("form", list(Format))
def test_the_croissant_file_describes_the_file_and_every_column(lake, form):
    manifest, out = written(lake, form)

    result = json.loads((out / "croissant.json").read_text())
    (file,) = manifest["files"]
    assert result["distribution"][0]["sha256"] == file["sha256"]
    fields = [one["name"] for records in result.get("recordSet", []) for one in records["field"]]
    assert fields == ([] if form is Format.WARC else table_schema("articles").names)


def test_only_an_export_is_replaced_and_only_with_force(lake, tmp_path):
    written(lake, "jsonl")
    with pytest.raises(ConfigError, match="already exists"):
        written(lake, "csv")
    written(lake, "csv", is_forced=True)
    assert sorted(contents(tmp_path / "out")) == ["articles.csv", "croissant.json", "manifest.json"]

    (tmp_path / "home").mkdir()
    (tmp_path / "home/letter").write_text("dear")
    with pytest.raises(ConfigError, match="is not an export"):
        written(lake, "csv", "home", is_forced=True)
    assert contents(tmp_path / "home") == {"letter": b"dear"}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["home", "lake", "out"]


def test_an_empty_lake_gives_an_empty_export(tmp_path):
    manifest, out = written(Lake(tmp_path), "parquet")

    assert (manifest["rows"], pl.read_parquet(out / "articles.parquet").height) == (0, 0)


def test_the_command_prints_what_it_wrote(lake, tmp_path):
    command = Presslake(tmp_path, {"PREFECT_API_URL": "http://127.0.0.1:9/api"})

    done = command.run("export", "--format", "jsonl", "--latest", "--out", "mine")
    again = command.run("export", "--format", "jsonl", "--out", "mine", check=False)
    result = command.run("export", "--format", "jsonl", "--out", "mine", "--force", "--json").json()

    assert done.out.startswith("2 articles in mine/articles.jsonl, ")
    assert (again.code, again.out) == (2, "")
    assert (result["rows"], result["fetched_from"]) == (3, "2026-03-01T12:30:00.123456+00:00")


@pytest.mark.parametrize("out", ["s3://news/export", "file:///tmp/export", "."])
def test_the_command_writes_into_no_address(lake, tmp_path, out):
    home = tmp_path / "home"
    home.mkdir()
    command = Presslake(home, {"PREFECT_API_URL": "http://127.0.0.1:9/api"})

    ended = command.run("export", "--format", "jsonl", "--out", out, "--lake", lake.store.uri, check=False)

    assert (ended.code, list(home.iterdir())) == (2, [])
    assert "must be a folder on this machine" in ended.err
