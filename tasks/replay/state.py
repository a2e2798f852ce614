"""Read the stored state, without locks: rows of the lake's tables, overlaid with the batches in the outbox."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date

import pyarrow as pa

from tasks.index.articles import KnownArticle
from tasks.index.outbox import OutboxItem
from tasks.lake.keys import CAPTURES
from tasks.lake.objects.stores import ObjectStore
from tasks.lake.reading import list_files, read_articles, read_columns
from tasks.lake.tables import find_table
from tasks.values.columns import revive
from tasks.values.rows import Article, Capture

Revisions = dict[str, dict[int, Article]]
"""Rows of `articles` by article and revision."""


@dataclass(frozen=True, slots=True)
class Reader:
    """The lake, and the batches that wait in the outbox, the oldest first."""

    store: ObjectStore
    waiting: Sequence[OutboxItem] = ()

    def revisions(self, spans: Mapping[str, tuple[date, date]]) -> Revisions:
        """Return the rows of these articles that were fetched between their days; raises LakeUnavailable."""
        found: Revisions = {article_id: {} for article_id in spans}
        for row in read_articles(self.store, spans):
            stored = revive(Article, row)
            found[stored.article_id][stored.revision] = stored
        for item in self.waiting:
            _overlay(found, item)
        return found

    def captures(
        self,
        *,
        articles: Collection[str] = (),
        ids: Collection[str] = (),
        days: Iterable[date] = (),
        since: date | None = None,
    ) -> dict[str, Capture]:
        """Return the captures of these articles and with these ids, by id, limited to some days or since one."""
        import pyarrow.compute as pc  # noqa: PLC0415 - 13 MB, which sweeps do not need

        wanted = set(days)
        found: dict[str, Capture] = {}
        table = find_table(self.store, CAPTURES) if articles or ids else None
        for file in list_files(table, CAPTURES) if table else ():
            if file.day in wanted or (since is not None and file.day >= since):
                keys = read_columns(self.store, file, ("capture_id", "article_id"))
                is_meant = pc.or_kleene(
                    pc.is_in(keys["article_id"], pa.array(sorted(articles), pa.string())),
                    pc.is_in(keys["capture_id"], pa.array(sorted(ids), pa.string())),
                )
                if pc.any(is_meant).as_py():
                    rows = read_columns(self.store, file).filter(is_meant)
                    found.update((row["capture_id"], revive(Capture, row)) for row in rows.to_pylist())
        for item in self.waiting:
            for one in (*item.captures, *item.changes.captures):
                held = found.get(one.capture_id)
                is_meant = one.article_id in articles or one.capture_id in ids or held is not None
                if is_meant and (held is None or _age(held) < _age(one)):
                    found[one.capture_id] = one
            for key in item.changes.gone_captures:
                found.pop(key.capture_id, None)
        return found


def span_of(known: KnownArticle) -> tuple[date, date]:
    """Return the first and the last day on which revisions of an article may have been fetched."""
    ends = sorted(at.astimezone(UTC).date() for at in (known.first_seen_at, known.fetched_at))
    return ends[0], ends[1]


def newest_of(rows: Mapping[int, Article]) -> Article | None:
    """Return an article's newest row by time, not by number: archives bring older pages later."""
    return max(rows.values(), key=lambda row: (row.fetched_at, row.revision), default=None)


def copied(revisions: Revisions) -> Revisions:
    """Return a copy whose rows can be replaced."""
    return {article_id: dict(rows) for article_id, rows in revisions.items()}


def _overlay(found: Revisions, item: OutboxItem) -> None:
    for row in (*item.articles, *item.changes.articles):
        held = found.get(row.article_id, {}).get(row.revision)
        if row.article_id in found and (held is None or _age(held) < _age(row)):
            found[row.article_id][row.revision] = row
    for key in item.changes.gone_articles:
        held = found.get(key.article_id, {}).get(key.revision)
        if held is not None and _age(held) < item.sequence:
            del found[key.article_id][key.revision]


def _age(row: Article | Capture) -> int:
    return row.change_seq or 0
