"""Planted faults, each with the kinds that must be found and those that a repair leaves."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from sqlalchemy import Table, select, update

from tasks.index.schema import articles, edges, outbox
from tasks.lake.records import iter_records
from tests.press import Story
from tests.verify.conftest import Interruption, World


@dataclass(frozen=True, kw_only=True)
class Planted:
    """A fault: `kinds` are all kinds found, `left` those that remain after the repair."""

    name: str
    kind: str
    plant: Callable[[World], str]
    also: frozenset[str] = frozenset()
    left: frozenset[str] = frozenset()
    is_harmless: bool = False

    @property
    def kinds(self) -> set[str]:
        return {self.kind, *self.also}


FAULTS: list[Planted] = []


def planted(kind: str, *, also: tuple[str, ...] = (), left: tuple[str, ...] | None = None, is_harmless: bool = False):
    """Register a function that plants a fault and returns the text that its place must contain; `left` None: all is repaired."""

    def enter(plant: Callable[[World], str]) -> Callable[[World], str]:
        FAULTS.append(
            Planted(
                name=plant.__name__, kind=kind, plant=plant, also=frozenset(also), left=frozenset(left or ()),
                is_harmless=is_harmless,
            )
        )  # fmt: skip
        return plant

    return enter


def update_rows(world: World, table: Table, condition: Any, **values: Any) -> None:
    with world.index.write() as tx:
        statement = update(table) if condition is True else update(table).where(condition)
        assert tx.execute(statement.values(values)).rowcount > 0


def first_row(world: World, query: Any) -> Any:
    with world.index.read() as tx:
        return tx.execute(query).first()


# ---- bytes


def _segment(world: World) -> Path:
    return max(world.lake.glob("warc/*/*.warc.gz"), key=lambda path: path.stat().st_size)


def _key(world: World, path: Path) -> str:
    return path.relative_to(world.lake).as_posix()


def _flip(path: Path, place: int) -> None:
    body = bytearray(path.read_bytes())
    body[place] ^= 0xFF
    path.write_bytes(bytes(body))


def _record(path: Path, kind: str) -> tuple[int, int]:
    """Return where a record in the middle of the segment is."""
    found = [record for record in iter_records(path.read_bytes()) if record.kind == kind]
    record = found[len(found) // 2]
    return record.offset, record.length


@planted("damaged_record", left=("damaged_record",))
def a_flipped_byte_in_a_response(world):
    path = _segment(world)
    offset, length = _record(path, "response")
    _flip(path, offset + length // 2)
    return f"{_key(world, path)}:{offset}+{length}"


@planted("damaged_segment", left=("damaged_segment",))
def a_flipped_byte_in_a_request(world):
    path = _segment(world)
    offset, length = _record(path, "request")
    _flip(path, offset + length // 2)
    return _key(world, path)


@planted("damaged_record", left=("damaged_record",))
def a_segment_cut_short(world):
    path = _segment(world)
    offset, _ = _record(path, "response")
    path.write_bytes(path.read_bytes()[: offset + 100])
    return _key(world, path)


@planted("missing_segment", left=("missing_segment",))
def a_missing_segment(world):
    path = _segment(world)
    path.unlink()
    return _key(world, path)


@planted("orphan_segment", is_harmless=True)
def a_segment_that_no_row_names(world):
    path = _segment(world)
    other = path.with_name("20260101T000000Z-orphan.warc.gz")
    other.write_bytes(path.read_bytes())
    return _key(world, other)


# ---- files of the tables


def table_files(world: World, table: str) -> list[Path]:
    return sorted(world.lake.glob(f"{table}/dt=*/*.parquet"), key=lambda path: path.stat().st_size)


def _rewrite(path: Path, change: Callable[[list[dict[str, Any]]], list[dict[str, Any]]]) -> None:
    read = pq.ParquetFile(path).read()
    pq.write_table(pa.Table.from_pylist(change(read.to_pylist()), schema=read.schema), path)


def change_row(path: Path, where: Callable[[dict[str, Any]], bool], **values: Any) -> dict[str, Any]:
    """Change the first matching row of a file; returns the original."""
    held: list[dict[str, Any]] = []

    def change(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        place = next(place for place, row in enumerate(rows) if where(row))
        held.append(dict(rows[place]))
        rows[place] |= values
        return rows

    _rewrite(path, change)
    return held[0]


@planted("orphan_file")
def a_file_of_no_table(world):
    path = table_files(world, "articles")[0]
    other = path.with_name("20260101T000000Z-orphan-7.parquet")
    other.write_bytes(path.read_bytes())
    return _key(world, other)


@planted(
    "missing_file",
    also=("article_without_row", "capture_without_revision"),
    left=("missing_file", "article_without_row", "capture_without_revision"),
)
def a_missing_file(world):
    path = table_files(world, "articles")[-1]
    path.unlink()
    return _key(world, path)


@planted(
    "damaged_file",
    also=("article_without_row", "capture_without_revision"),
    left=("damaged_file", "article_without_row", "capture_without_revision"),
)
def a_damaged_file(world):
    path = table_files(world, "articles")[-1]
    path.write_bytes(path.read_bytes()[:-100])
    return _key(world, path)


@planted("damaged_log", left=("damaged_log",))
def an_empty_commit(world):
    path = max(world.lake.glob("captures/_delta_log/*.json"))
    path.write_bytes(b"")
    return _key(world, path)


@planted("unlisted_file", also=("article_without_row", "capture_without_revision"))
def a_log_that_has_lost_its_end(world):
    commit = max(world.lake.glob("articles/_delta_log/*.json"))
    (path,) = (path for path in table_files(world, "articles") if path.name.encode() in commit.read_bytes())
    commit.unlink()
    return _key(world, path)


# ---- rows of the tables


@planted("wrong_text_digest", left=("wrong_text_digest",))
def a_text_that_is_not_what_its_digest_says(world):
    row = change_row(table_files(world, "articles")[-1], lambda _: True, text="The harbour is closed for good.")
    return row["article_id"]


@planted("wrong_content_digest", left=("wrong_content_digest",))
def a_headline_that_is_not_what_its_digest_says(world):
    row = change_row(table_files(world, "articles")[-1], lambda _: True, title="The harbour is closed for good.")
    return row["article_id"]


@planted("wrong_payload_digest", left=("wrong_payload_digest",))
def a_row_with_another_payloads_digest(world):
    row = change_row(table_files(world, "articles")[-1], lambda _: True, payload_digest=f"sha256:{0:064}")
    return f"{row['warc_offset']}+{row['warc_length']}"


@planted("damaged_record", also=("revision_without_capture",), left=("damaged_record", "revision_without_capture"))
def a_row_that_points_beside_its_record(world):
    change_row(table_files(world, "articles")[-1], lambda _: True, warc_offset=1, warc_length=300)
    return ":1+300"


@planted("duplicate_revision", left=("duplicate_revision",))
def a_revision_twice(world):
    _rewrite(table_files(world, "articles")[-1], lambda rows: [*rows, rows[0]])
    return "revision 1"


@planted("duplicate_capture", left=("duplicate_capture",))
def a_capture_twice(world):
    _rewrite(table_files(world, "captures")[-1], lambda rows: [*rows, rows[0]])
    return "captures: "


@planted("article_without_row", also=("capture_without_revision",), left=("capture_without_revision",))
def a_row_deleted_in_the_lake(world):
    path = table_files(world, "articles")[-1]
    gone = lonely_row(world, path)
    _rewrite(path, lambda rows: [row for row in rows if row["article_id"] != gone])
    return gone


@planted("url_without_capture", also=("revision_without_capture",), left=("revision_without_capture",))
def captures_deleted_in_the_lake(world):
    gone = lonely_row(world, table_files(world, "articles")[-1], column="url_key")
    for path in table_files(world, "captures"):
        _rewrite(path, lambda rows: [row for row in rows if row["url_key"] != gone])
    return gone


def lonely_row(world: World, path: Path, column: str = "article_id") -> str:
    """Return an article of the file without relations to others, and not fetched first."""
    with world.index.read() as tx:
        tied = {end for row in tx.execute(select(edges.c.a, edges.c.b)) for end in row}
        known = {
            row.article_id: row for row in tx.execute(select(articles).where(articles.c.revision == 1))
            if row.cluster_id == row.article_id and row.article_id not in tied
        }  # fmt: skip
        copies = {row.cluster_id for row in tx.execute(select(articles)) if row.cluster_id != row.article_id}
    rows = pq.ParquetFile(path).read(columns=["article_id", "url_key", "fetched_at"]).to_pylist()
    rows.sort(key=lambda row: row["fetched_at"])
    return [row for row in rows if row["article_id"] in known and row["article_id"] not in copies][-1][column]


# ---- quarantine documents


def _document(world: World) -> Path:
    (path,) = world.lake.glob("quarantine/*/*.json")
    return path


@planted("missing_document")
def a_missing_document(world):
    _document(world).unlink()
    return "captures/"


@planted("missing_document")
def a_damaged_document(world):
    _document(world).write_bytes(b'{"capture_id": ')
    return "captures/"


@planted("orphan_document")
def a_document_of_no_capture(world):
    other = _document(world).with_name("20260101T000000Z-orphan-0.json")
    other.write_text('{"capture_id": "nobody"}')
    return _key(world, other)


# ---- the outbox


def _interrupted(world: World, step: str) -> str:
    """Interrupt a sweep of one more story at a step; returns its batch."""
    story = Story(0, 70_000)
    world.press.stories[0][story.path] = story
    try:
        world.sweep(Interruption(step))
    finally:
        del world.press.stories[0][story.path]
    with world.index.read() as tx:
        return f"batch {tx.execute(select(outbox.c.batch_id)).scalar_one()}"


@planted("unpublished_batch")
def a_batch_that_is_decided_and_not_published(world):
    return _interrupted(world, "decided")


@planted("half_published_batch")
def a_batch_whose_articles_are_put(world):
    return _interrupted(world, "articles_put")


@planted("half_published_batch")
def a_batch_whose_articles_are_committed(world):
    return _interrupted(world, "articles_committed")


@planted("half_published_batch")
def a_batch_whose_captures_are_put(world):
    return _interrupted(world, "captures_put")


@planted("half_published_batch")
def a_batch_that_is_published_and_not_cleared(world):
    return _interrupted(world, "published")


@planted("damaged_batch", left=("damaged_batch",))
def a_batch_that_cannot_be_read(world):
    place = _interrupted(world, "published")
    update_rows(world, outbox, True, payload=b"nonsense")
    return place
