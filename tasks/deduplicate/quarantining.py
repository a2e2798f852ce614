"""Looks whose decision meets an exception that is not ours: found, and put into quarantine before the batch is decided."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from tasks.errors import ItemError, TooManyUnexpected
from tasks.runtime.guarding import check_share, store_rows
from tasks.values.batch import Batch
from tasks.values.look import Look


def without_culprits(batch: Batch, error: ItemError, rehearse: Callable[[Batch], None]) -> Batch:
    """Return the batch with those looks in quarantine that alone meet an exception, after all together met `error`.

    `rehearse` decides a part of the batch and takes it all back. Raises TooManyUnexpected, also where no look alone is
    to blame.
    """

    def rehearse_part(looks: Sequence[Look]) -> None:
        rehearse(replace(batch, looks=tuple(looks)))

    found = store_rows(batch.captured, rehearse_part)
    if not found:
        raise TooManyUnexpected(
            f"batch {batch.batch_id}, and no part of it, met an exception: {error.detail}"
        ) from error
    check_share([met for _, met in found], of=len(batch.captured), what="captures")
    looks = (next((one.labelled(met) for one, met in found if one is look), look) for look in batch.looks)
    return replace(batch, looks=tuple(looks))
