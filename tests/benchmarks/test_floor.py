"""A sweep's floor does over what was done, all of it: the same requests, records and rows."""

import sqlite3
from contextlib import closing
from datetime import UTC, datetime

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from deltalake import DeltaTable

from benchmarks.floor import least
from benchmarks.floor_sweep import (
    OURS,
    PLAIN,
    Clock,
    ask,
    compress,
    hand_over,
    insert,
    our_client,
    plain_client,
    write_table,
)
from tasks.lake.records import iter_records
from tasks.lake.warc import SegmentWriter
from tests.web.loopback import page, serve

AT = datetime(2026, 3, 1, tzinfo=UTC)
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n"


@pytest.fixture
def segment(tmp_path):
    writer = SegmentWriter("a.warc.gz", software="presslake", created_at=AT)
    for name in ("a", "b"):
        body = f"<p>Story {name}, {' '.join(map(str, range(2000)))}".encode()
        writer.add_exchange(
            url=f"https://daily.example/{name}",
            request_head=b"GET / HTTP/1.1\r\n\r\n",
            response_head=HEAD,
            body=body,
            fetched_at=AT,
        )
    path = tmp_path / "a.warc.gz"
    path.write_bytes(writer.to_bytes())
    return path


@pytest.mark.parametrize("opened", [our_client, plain_client])
async def test_all_bodies_are_read_those_of_a_group_over_one_connection(opened):
    async with serve({"/robots.txt": page(b"User-agent: *"), "*": page(b"<p>Story")}) as server:
        size = await ask(opened, [[server.url("/robots.txt"), server.url("/feed")]])

    assert size == len(b"User-agent: *" + b"<p>Story")
    assert server.paths() == ["/robots.txt", "/feed"]
    assert len({asked.connection for asked in server.asked}) == 1


def test_a_segment_has_the_same_records_again(segment, tmp_path):
    clock = Clock()

    compress(clock, segment, tmp_path / "again")

    again = list(iter_records((tmp_path / "again").read_bytes()))
    first = list(iter_records(segment.read_bytes()))
    assert [(one.kind, one.url, one.response) for one in again] == [(one.kind, one.url, one.response) for one in first]
    assert sum(clock.spent.values()) > 0


def test_each_page_goes_to_a_process_and_back(segment):
    assert hand_over(Clock(), [segment, segment]) == 4


def test_a_table_has_the_same_rows_in_as_many_commits(tmp_path):
    for day, texts in (("2026-03-01", ["a", "b"]), ("2026-03-02", ["c"])):
        (folder := tmp_path / f"table/dt={day}").mkdir(parents=True)
        pq.write_table(pa.table({"text": texts, "tags": [["x"]] * len(texts)}), folder / "a.parquet")

    assert write_table(Clock(), tmp_path / "table", tmp_path / "again") == 3

    table = DeltaTable(tmp_path / "again")
    assert sorted(table.to_pyarrow_table(columns=["text"])["text"].to_pylist()) == ["a", "b", "c"]
    assert len(table.history()) == 2


def test_an_index_has_the_same_rows(tmp_path):
    rows = [(number, f"name {number}") for number in range(7)]
    with closing(sqlite3.connect(tmp_path / "a.db")) as index:
        index.execute("CREATE TABLE hosts (number INTEGER PRIMARY KEY, name TEXT)")
        index.execute("CREATE INDEX by_name ON hosts (name)")
        index.executemany("INSERT INTO hosts VALUES (?, ?)", rows)
        index.commit()

    assert insert(Clock(), tmp_path / "a.db", tmp_path / "again.db", transactions=3) == 7

    with closing(sqlite3.connect(tmp_path / "again.db")) as index:
        assert index.execute("SELECT * FROM hosts ORDER BY number").fetchall() == rows
        assert index.execute("SELECT name FROM sqlite_master WHERE type = 'index'").fetchall() == [("by_name",)]


def test_of_two_ways_the_cheaper_counts_and_the_sweep_itself_does_not():
    assert least({PLAIN: 4.0, OURS: 1.5, "tables": 0.5, "the sweep's own process": 9.0}) == pytest.approx(2.0)
