"""A lake for programs: its articles, their pages, what has changed. Nothing is written, and no index is needed."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from tasks.config.settings import load_settings
from tasks.export.changes import Changes, read_changes
from tasks.export.choosing import choose
from tasks.export.pages import read_page
from tasks.lake.objects.stores import ObjectStore
from tasks.query.asking import check_reads, query_errors
from tasks.query.views import open_views
from tasks.runtime.lakes import lake_alone
from tasks.values.columns import revive
from tasks.values.rows import Article, Capture

if TYPE_CHECKING:
    import pyarrow as pa


class Lake:
    """A lake at an address. Each call sees the tables as they are then."""

    def __init__(self, store: ObjectStore) -> None:
        self._store = store

    def articles(self, where: str | None = None) -> Iterator[Article]:
        """Yield every revision of every article, in the order of their fetches, a day in memory at a time.

        `where` is an expression of SQL over the columns: `"language = 'de' and word_count > 100"`. Raises ConfigError for
        a wrong one, and LakeUnavailable.
        """
        return self._read("articles", where)

    def latest(self, where: str | None = None) -> Iterator[Article]:
        """Yield the newest revision of each article, as `articles` does."""
        return self._read("latest", where)

    def payload(self, row: Article | Capture) -> bytes:
        """Return the page of a row as it was fetched, its content coding undone; `extract` takes it.

        Raises LakeUnavailable if it is gone: taken down, expired, or damaged.
        """
        return read_page(self._store, row)

    def changes(self, since: int) -> Changes:
        """Return what was added, superseded or removed after a sequence; 0 gives every row that is there.

        Ask the next time from its `upto`: then each change is seen once. Raises LakeUnavailable.
        """
        return read_changes(self._store, since=since)

    def sql(self, query: str) -> "pa.Table":
        """Return the answer to one query over the views `articles`, `latest` and `captures`, as an Arrow table.

        Raises ConfigError for a query that is wrong or that does more than read, and LakeUnavailable.
        """
        with open_views(self._store) as views, query_errors():
            check_reads(views.connection, query)
            return views.connection.sql(query).to_arrow_table()

    def _read(self, view: str, where: str | None) -> Iterator[Article]:
        with open_views(self._store) as views:
            for rows in choose(views, view=view, where=where).read():
                yield from (revive(Article, row) for row in rows.to_pylist())


def open_lake(uri: str) -> Lake:
    """Open the lake in a directory, or at s3://bucket/prefix; raises ConfigError if there is none.

    An S3 server is found as everywhere: `PRESSLAKE_S3_ENDPOINT_URL` and the credentials of boto3.
    """
    store, _ = lake_alone(load_settings().model_copy(update={"lake": uri}))
    return Lake(store)
