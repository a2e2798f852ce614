"""Batches: looks that are fetched, extracted and decided together. Pure."""

from dataclasses import dataclass, replace
from typing import Self

from tasks.values.changes import NO_CHANGES, RowChanges
from tasks.values.look import Look
from tasks.values.rows import Article, Capture, Policy


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Looks at URLs over many hosts; a stage returns the batch with its looks further on, in the same order.

    `policies` are the documents of its sites that its segment has, since the lake had them not when they were fetched.
    """

    batch_id: str
    run_id: str
    looks: tuple[Look, ...]
    policies: tuple[Policy, ...] = ()

    @property
    def captured(self) -> tuple[Look, ...]:
        """The looks at URLs that were asked for."""
        return tuple(look for look in self.looks if look.capture is not None)

    @property
    def captures(self) -> tuple[Capture, ...]:
        """The rows of the captures table so far."""
        return tuple(look.capture for look in self.looks if look.capture is not None)


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboxItem:
    """One batch that is decided and not yet published; `sequence` grows in the order of the decisions.

    A batch adds `captures` and `articles`, or has `changes` of rows; never both.
    """

    sequence: int
    batch_id: str
    captures: tuple[Capture, ...]
    articles: tuple[Article, ...]
    policies: tuple[Policy, ...] = ()
    changes: RowChanges = NO_CHANGES

    def written_by(self, sequence: int) -> Self:
        """Return the batch with this sequence, also in its rows."""
        return replace(
            self,
            sequence=sequence,
            captures=tuple(row.written_by(sequence) for row in self.captures),
            articles=tuple(row.written_by(sequence) for row in self.articles),
            changes=self.changes.written_by(sequence),
        )
