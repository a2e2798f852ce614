"""Read a lake from Python: articles, pages and changes. Writes nothing and needs no index."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from tasks.config.settings import load_settings
from tasks.export.changes import Changes, read_changes
from tasks.export.choosing import choose
from tasks.export.pages import read_page
from tasks.lake.objects.stores import ObjectStore
from tasks.query.asking import check_reads, query_errors
from tasks.query.views import open_views
from tasks.runtime.lakes import open_lake_without_index
from tasks.values.columns import revive
from tasks.values.rows import Article, Capture

if TYPE_CHECKING:
    import pyarrow as pa


class Lake:
    """A lake. Each call reads the current version of the tables."""

    def __init__(self, store: ObjectStore) -> None:
        self._store = store

    def articles(self, where: str | None = None) -> Iterator[Article]:
        """Yield every revision of every article in fetch order, holding one day in memory at a time.

        `where` is an SQL expression over the columns: `"language = 'de' and word_count > 100"`. Raises ConfigError if it is
        wrong, LakeUnavailable if the lake cannot be read.
        """
        return self._read("articles", where)

    def latest(self, where: str | None = None) -> Iterator[Article]:
        """Yield the newest revision of each article; `where`, order and errors as in `articles`."""
        return self._read("latest", where)

    def payload(self, row: Article | Capture) -> bytes:
        """Return the page of a row as fetched, with its content coding decoded; `extract` accepts it.

        Raises LakeUnavailable if the page was taken down, has expired or is damaged.
        """
        return read_page(self._store, row)

    def changes(self, since: int) -> Changes:
        """Return the rows added, superseded or removed after the sequence `since`; 0 returns every row.

        Pass the result's `upto` as `since` of the next call to see each change once. Raises LakeUnavailable if the lake cannot be
        read.
        """
        return read_changes(self._store, since=since)

    def sql(self, query: str) -> "pa.Table":
        """Run one query over the views `articles`, `latest`, `captures` and those of the other tables; return an Arrow table.

        Raises ConfigError if the query is wrong or does more than read, LakeUnavailable if the lake cannot be read.
        """
        with open_views(self._store) as views, query_errors():
            check_reads(views.connection, query)
            return views.connection.sql(query).to_arrow_table()

    def _read(self, view: str, where: str | None) -> Iterator[Article]:
        with open_views(self._store) as views:
            for rows in choose(views, view=view, where=where).read():
                yield from (revive(Article, row) for row in rows.to_pylist())


def open_lake(uri: str) -> Lake:
    """Open the lake in a directory or at s3://bucket/prefix; raise ConfigError if there is none.

    The S3 server is configured as for sweeps: `PRESSLAKE_S3_ENDPOINT_URL` and boto3's credentials.
    """
    store, _ = open_lake_without_index(load_settings().model_copy(update={"lake": uri}))
    return Lake(store)
