"""Copy the lake's tables and objects into the snapshot, and recompute the digest of every text."""

from collections import Counter
from collections.abc import Callable, Collection, Iterator
from dataclasses import fields
from typing import Any

from deltalake import DeltaTable

from tasks.index.outbox import OutboxItem
from tasks.lake.keys import ARTICLES, CAPTURES, POLICIES
from tasks.lake.objects.stores import MissingObject, ObjectStore
from tasks.lake.reading import StoredFile, list_files
from tasks.values.changes import key_of_article, key_of_capture
from tasks.values.rows import Article, Capture, Policy
from tasks.values.text.content import is_current, possible_digests
from tasks.values.text.digest import ALGORITHM, text_digest
from tasks.verify.fault import Fault, FaultKind
from tasks.verify.snapshot import Snapshot, micros
from tasks.verify.stored import DamagedFile, as_article, read_file

OUTBOX = "outbox"
_KINDS = {ARTICLES: "revision", CAPTURES: "capture", POLICIES: "policy"}
PREFIXES = ("warc/", "articles/dt=", "captures/dt=", "policies/dt=", "quarantine/")

Row = dict[str, Any]


def copy_objects(store: ObjectStore, snapshot: Snapshot) -> int:
    """List the objects of the lake, and count them."""
    return sum(
        snapshot.add("object", ((found.key, micros(found.modified_at)) for found in store.list(prefix)))
        for prefix in PREFIXES
    )


def copy_table(
    store: ObjectStore,
    name: str,
    table: DeltaTable,
    snapshot: Snapshot,
    *,
    is_sampled: Callable[[str], bool],
    expired: Counter[str],
    on_step: Callable[[int, int], None],
) -> Iterator[Fault]:
    """Copy a table's rows, and yield the files and texts that are wrong; `on_step` gets the number of files done and of all.

    Rows whose text has expired are not faults; they are counted in `expired` by table.
    """
    files = list_files(table, name)
    for number, file in enumerate(files):
        on_step(number, len(files))
        troubles: list[Fault] = []
        named: list[tuple[Any, ...]] = []
        try:
            snapshot.add(_KINDS[name], _copied(store, file, is_sampled, troubles, expired=expired, named=named))
            snapshot.add("named_policy", named)
        except MissingObject:
            detail = f"the log of {name} names it with {file.rows} rows, but it is missing"
            troubles.append(Fault(kind=FaultKind.MISSING_FILE, place=file.key, detail=detail, key=file.key))
        except DamagedFile as error:
            troubles.append(Fault(kind=FaultKind.DAMAGED_FILE, place=file.key, detail=str(error), key=file.key))
        yield from troubles
    on_step(len(files), len(files))


def copy_waiting(item: OutboxItem, in_lake: Collection[str], snapshot: Snapshot) -> None:
    """Copy the rows of a batch that is not published yet."""
    if ARTICLES not in in_lake:
        snapshot.add("revision", (_revision(_columns(row), OUTBOX) for row in item.articles))
    if CAPTURES not in in_lake:
        snapshot.add("capture", (_capture(_columns(row), OUTBOX) for row in item.captures))
    snapshot.add("policy", (_policy(_columns(row), OUTBOX) for row in item.policies))
    _copy_changes(item, snapshot)


def _copy_changes(item: OutboxItem, snapshot: Snapshot) -> None:
    """Copy rows that will replace others, and the keys of rows that change or are removed."""
    changes, sequence = item.changes, item.sequence
    snapshot.add("revision", (_revision(_columns(row), OUTBOX) for row in changes.articles))
    snapshot.add("capture", (_capture(_columns(row), OUTBOX) for row in changes.captures))
    revisions = [*map(key_of_article, changes.articles), *changes.gone_articles]
    snapshot.add("changed_revision", ((one.article_id, one.revision, sequence) for one in revisions))
    captures = [*map(key_of_capture, changes.captures), *changes.gone_captures]
    snapshot.add("changed_capture", ((one.capture_id, sequence) for one in captures))


def _columns(row: Article | Capture | Policy) -> Row:
    return {field.name: getattr(row, field.name) for field in fields(row)}


def _copied(
    store: ObjectStore,
    file: StoredFile,
    is_sampled: Callable[[str], bool],
    troubles: list[Fault],
    *,
    expired: Counter[str],
    named: list[tuple[Any, ...]],
) -> Iterator[tuple[Any, ...]]:
    """Yield a file's rows; `troubles` gets texts that are wrong, `named` the policies that articles name."""
    is_article = file.table == ARTICLES
    copied = {ARTICLES: _revision, CAPTURES: _capture, POLICIES: _policy}[file.table]
    for row in read_file(store, file):
        if is_article and row["text_removed_at"] is not None:
            expired[file.table] += 1
        elif is_article and is_sampled(row["warc_key"]) and (trouble := _digest_trouble(row)):
            place = f"articles: {row['article_id']}, revision {row['revision']}, {row['url']}"
            kind, detail = trouble
            troubles.append(Fault(kind=kind, place=place, detail=detail, key=str(row["article_id"])))
        if is_article:
            named += ((one, row["article_id"], micros(row["fetched_at"])) for one in row["policy_ids"] or ())
        yield copied(row, file.key)


def _digest_trouble(row: Row) -> tuple[FaultKind, str] | None:
    """Return which digest of a row does not match the row; digests of another algorithm are skipped."""
    held, made = str(row["text_digest"]), text_digest(row["text"])
    if held.startswith(f"t{ALGORITHM}:") and made != held:  # `maintain` recomputes digests of another algorithm
        return FaultKind.WRONG_TEXT_DIGEST, f"its text gives {made}, the row says {held}"
    content = row["content_digest"]
    if is_current(content) and content not in (possible := possible_digests(as_article(row))):
        return FaultKind.WRONG_CONTENT_DIGEST, f"it gives {possible[0]}, the row says {content}"
    return None


def _policy(row: Row, place: str) -> tuple[Any, ...]:
    return (
        row["policy_id"],
        row["body_digest"],
        micros(row["observed_at"]),
        row["warc_key"],
        row["warc_offset"],
        row["warc_length"],
        place,
    )


def _revision(row: Row, place: str) -> tuple[Any, ...]:
    return (
        row["article_id"],
        row["revision"],
        row["url_key"],
        row["source_id"],
        row["text_digest"],
        row["content_digest"],
        row["payload_digest"],
        micros(row["published_at"]),
        micros(row["first_seen_at"]),
        micros(row["fetched_at"]),
        row["warc_key"],
        row["warc_offset"],
        row["warc_length"],
        row["cluster_id"],
        row["is_representative"],
        row["cluster_size"],
        row["cluster_earliest"],
        row["change_seq"],
        place,
    )


def _capture(row: Row, place: str) -> tuple[Any, ...]:
    return (
        row["capture_id"],
        row["url_key"],
        micros(row["fetched_at"]),
        row["outcome"],
        row["article_id"],
        row["revision"],
        row["payload_digest"],
        row["warc_key"],
        row["warc_offset"],
        row["warc_length"],
        row["change_seq"],
        place,
    )
