"""A flow that enriches the articles that each sweep adds, into a table of its own, and does each change once.

    python -m examples.enrich LAKE TABLE            enrich what is new, and end
    python -m examples.enrich LAKE TABLE --serve    serve the flow; Prefect runs it after each sweep

It listens to the event `presslake.run.finished` of Presslake's sweeps. The rows and the sequence that they reach to land
in one commit of a Delta table: the sequence is its application transaction. So a process may be killed at any instant,
and two may run at the same time. What a replay superseded is enriched again; of what was removed, the key alone is left.
"""

import argparse
import re
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from itertools import groupby

import pyarrow as pa
from deltalake import CommitProperties, DeltaTable, Transaction
from deltalake import exceptions as delta  # Prefect pickles the flow: a module by name, an error by value
from prefect import flow
from prefect.events import DeploymentEventTrigger

from presslake import Article, Change, open_lake

APPLICATION = "enrich"
WORDS_A_MINUTE = 220
AT_ONCE = 500
"""Changes after which a commit is made, at the end of a sequence."""

SCHEMA = pa.schema(
    [
        pa.field("article_id", pa.string(), nullable=False),
        pa.field("revision", pa.int32(), nullable=False),
        pa.field("change_seq", pa.int64(), nullable=False),
        pa.field("change", pa.string(), nullable=False),
        pa.field("reading_minutes", pa.float64()),
        pa.field("figures", pa.int32()),
    ]
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Enriched:
    """What is made of an article: how long it takes to read, and how many figures are in it."""

    article_id: str
    revision: int
    change_seq: int
    change: str
    reading_minutes: float | None
    figures: int | None


def enrich_new(lake_uri: str, table_uri: str) -> int:
    """Enrich what has changed in the lake since the last time; returns how many changes that were."""
    table = _open(table_uri)
    since = table.transaction_version(APPLICATION) or 0
    done = 0
    for changes in _whole_sequences(open_lake(lake_uri).changes(since)):
        try:
            _commit(table, [_enriched(change) for change in changes], upto=changes[-1].change_seq)
        except delta.CommitFailedError:  # another process has enriched these, and goes on
            return done
        done += len(changes)
    return done


def _enriched(change: Change) -> Enriched:
    article = change.row
    return Enriched(
        article_id=change.article_id,
        revision=change.revision,
        change_seq=change.change_seq,
        change=change.kind.value,
        reading_minutes=_reading_minutes(article) if article else None,
        figures=len(re.findall(r"\d+(?:[.,]\d+)*", article.text)) if article else None,
    )


def _reading_minutes(article: Article) -> float:
    return round(article.word_count / WORDS_A_MINUTE, 1)


def _whole_sequences(changes: Iterable[Change]) -> Iterator[list[Change]]:
    """Yield changes in parts that end where a sequence ends: what is remembered is the sequence."""
    part: list[Change] = []
    for _, several in groupby(changes, key=lambda change: change.change_seq):
        part += several
        if len(part) >= AT_ONCE:
            yield part
            part = []
    if part:
        yield part


def _commit(table: DeltaTable, rows: list[Enriched], *, upto: int) -> None:
    """Put rows into the table, in place of those with their keys, in one commit with the sequence that they reach to."""
    last = {(row.article_id, row.revision): row for row in rows}
    source = pa.Table.from_pylist([asdict(row) for row in last.values()], schema=SCHEMA)
    stamp = CommitProperties(
        app_transactions=[Transaction(APPLICATION, upto)],
        custom_metadata={"upto": upto, "changes": len(rows)},
        max_commit_retries=0,
    )
    (
        table.merge(
            source,
            predicate="target.article_id = source.article_id and target.revision = source.revision",
            source_alias="source",
            target_alias="target",
            commit_properties=stamp,
        )
        .when_matched_update_all()
        .when_not_matched_insert_all()
        .execute()
    )


def _open(uri: str) -> DeltaTable:
    try:
        return DeltaTable(uri)
    except delta.TableNotFoundError:
        return DeltaTable.create(uri, SCHEMA, mode="ignore")


@flow(name="enrich")
def enrich(lake: str, table: str) -> int:
    """Enrich what the last sweeps added, superseded or removed.

    Args:
        lake: The lake: a directory, or s3://bucket/prefix.
        table: The Delta table of what is made of its articles.
    """
    return enrich_new(lake, table)


def main() -> None:
    """Enrich once, or after each sweep."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("lake")
    parser.add_argument("table")
    parser.add_argument("--serve", action="store_true", help="serve the flow, which Prefect runs after each sweep")
    asked = parser.parse_args()
    if asked.serve:
        enrich.serve(
            name="after-each-sweep",
            parameters={"lake": asked.lake, "table": asked.table},
            triggers=[DeploymentEventTrigger(expect={"presslake.run.finished"})],
        )
    else:
        print(f"{enrich_new(asked.lake, asked.table)} changes enriched")


if __name__ == "__main__":
    main()
