"""Changes of rows that may already be in the lake, made by a replay, `forget` or retention. Pure."""

from dataclasses import dataclass, fields, replace
from datetime import date
from typing import Annotated

from tasks.values.columns import Column
from tasks.values.rows import Article, Capture


@dataclass(frozen=True, slots=True)
class ArticleKey:
    """The identity of a row of `articles`, and its partition."""

    article_id: str
    revision: int
    dt: date


@dataclass(frozen=True, slots=True)
class CaptureKey:
    """The identity of a row of `captures`, and its partition."""

    capture_id: str
    dt: date


@dataclass(frozen=True, slots=True, kw_only=True)
class RowChanges:
    """The changes of one decision to the lake's tables.

    A row never changes its `dt`, so that its key finds it. `articles` and `captures` replace the rows with their keys,
    or are added (upsert of whole rows). Rows of `gone_articles` and `gone_captures` are removed, and `removals` lists
    the former. `gone_documents` are keys of quarantine documents to delete.
    """

    articles: tuple[Article, ...] = ()
    captures: tuple[Capture, ...] = ()
    gone_articles: tuple[ArticleKey, ...] = ()
    gone_captures: tuple[CaptureKey, ...] = ()
    gone_documents: tuple[str, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether nothing is changed."""
        return not any(getattr(self, field.name) for field in fields(self))

    def written_by(self, sequence: int) -> "RowChanges":
        """Return the changes with the outbox sequence that writes them set in their rows."""
        return replace(
            self,
            articles=tuple(row.written_by(sequence) for row in self.articles),
            captures=tuple(row.written_by(sequence) for row in self.captures),
        )


NO_CHANGES = RowChanges()


@dataclass(frozen=True, slots=True, kw_only=True)
class Removal:
    """A removed row of `articles`: a row of the table `removals`."""

    article_id: Annotated[str, Column("the article")]
    revision: Annotated[int, Column("the revision whose row is gone", type="integer")]
    change_seq: Annotated[int, Column("the sequence of the change that took it out")]


def key_of_article(row: Article) -> ArticleKey:
    """Return the key of a row of `articles`."""
    return ArticleKey(row.article_id, row.revision, row.dt)


def key_of_capture(row: Capture) -> CaptureKey:
    """Return the key of a row of `captures`."""
    return CaptureKey(row.capture_id, row.dt)


def key_of(row: Article | Capture) -> ArticleKey | CaptureKey:
    """Return the key of a row of either table."""
    return key_of_article(row) if isinstance(row, Article) else key_of_capture(row)
