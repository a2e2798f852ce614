"""A flow that enriches the articles of each sweep into its own Delta table, exactly once per change.

    python -m examples.enrich LAKE TABLE            enrich what is new, and end
    python -m examples.enrich LAKE TABLE --serve    serve the flow; Prefect runs it after each sweep

It listens to the event `presslake.run.finished` of Presslake's sweeps. Rows and the sequence reached are written in one commit
of a Delta table, with the sequence as its application transaction. So a process may be killed at any time, and two may run
concurrently. Superseded articles are enriched again; of removed ones, only the key remains.
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
"""The number of changes after which to commit, at the next end of a sequence."""

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
    """An enriched article: its reading time and its count of figures."""

    article_id: str
    revision: int
    change_seq: int
    change: str
    reading_minutes: float | None
    figures: int | None


def enrich_new(lake_uri: str, table_uri: str) -> int:
    """Enrich what has changed in the lake since the last call; return the number of changes."""
    table = _open(table_uri)
    since = table.transaction_version(APPLICATION) or 0
    done = 0
    for changes in _whole_sequences(open_lake(lake_uri).changes(since)):
        try:
            _commit(table, [_enriched(change) for change in changes], upto=changes[-1].change_seq)
        except delta.CommitFailedError:  # another process has enriched these and continues
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
    """Split changes into parts that end at the end of a sequence, since progress is recorded as a sequence."""
    part: list[Change] = []
    for _, several in groupby(changes, key=lambda change: change.change_seq):
        part += several
        if len(part) >= AT_ONCE:
            yield part
            part = []
    if part:
        yield part


def _commit(table: DeltaTable, rows: list[Enriched], *, upto: int) -> None:
    """Replace rows with the same keys, and record the sequence `upto`, in one commit."""
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
