"""Lakes for tests, without an index or a sweep: publish articles, pack and rewrite files."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa

from tasks.config.settings import Settings
from tasks.index.outbox import OutboxItem
from tasks.lake.keys import ARTICLES
from tasks.lake.objects.stores import DirectoryStore, open_lake
from tasks.lake.reading import list_files, read_columns
from tasks.lake.rewriting import pack_rows, replace_files
from tasks.lake.tables import open_table
from tasks.store.publishing import publish
from tasks.values.changes import RowChanges, key_of_article
from tasks.values.rows import Article
from tests.rows import make_article, make_capture


class Lake:
    """A lake in a directory, and the settings that name it."""

    def __init__(self, home: Path) -> None:
        self.store = DirectoryStore(home / "lake")
        open_lake(self.store)
        self.settings = Settings(
            lake=str(home / "lake"), index=f"sqlite:///{home / 'presslake.db'}", catalogue=home / "sources.yaml"
        )
        self._sequence = 0

    def publish(self, *articles: dict, **item) -> None:
        """Publish a batch of articles with these values, each with a capture."""
        self._sequence += 1
        rows = [make_article(**one) for one in articles]
        captures = [
            make_capture(
                capture_id=f"{row.article_id}-{row.revision}",
                article_id=row.article_id,
                revision=row.revision,
                source_id=row.source_id,
                url=row.url,
                final_url=row.url,
                url_key=row.url_key,
                fetched_at=row.fetched_at,
                warc_key=row.warc_key,
                warc_offset=row.warc_offset,
                warc_length=row.warc_length,
            )
            for row in rows
        ]
        written = RowChanges(articles=tuple(rows), captures=tuple(captures)).written_by(self._sequence)
        batch = OutboxItem(
            sequence=self._sequence,
            batch_id=f"b{self._sequence}",
            captures=written.captures,
            articles=written.articles,
            **item,
        )
        publish([batch], store=self.store, index_id="i")

    def change(self, put: Sequence[Article] = (), *, gone: Sequence[Article] = ()) -> None:
        """Publish changes of rows, as replay and `forget` do."""
        self._sequence += 1
        changes = RowChanges(articles=tuple(put), gone_articles=tuple(map(key_of_article, gone)))
        item = OutboxItem(
            sequence=self._sequence,
            batch_id=f"r{self._sequence}",
            captures=(),
            articles=(),
            changes=changes.written_by(self._sequence),
        )
        publish([item], store=self.store, index_id="i")

    def rows(self) -> list[dict]:
        """Return every row of `articles`."""
        table = open_table(self.store, ARTICLES)
        return [row for file in list_files(table, ARTICLES) for row in read_columns(self.store, file).to_pylist()]

    def rewrite(self, change: Callable[[list[dict]], Sequence[dict]] = lambda rows: rows) -> None:
        """Replace the files of each day by one, with the rows returned by `change`."""
        table = open_table(self.store, ARTICLES)
        for day in sorted({file.day for file in list_files(table, ARTICLES)}):
            files = [file for file in list_files(table, ARTICLES) if file.day == day]
            rows = pa.concat_tables([read_columns(self.store, file) for file in files])
            kept = list(change(rows.to_pylist()))
            new = [pack_rows(day, pa.Table.from_pylist(kept, schema=rows.schema))] if kept else []
            assert replace_files(self.store, table, files, new, is_changed=True, now=datetime.now(UTC))
            table.update_incremental()
