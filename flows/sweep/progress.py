"""Report a sweep's progress as a progress artifact of its run."""

from collections.abc import Iterable, Iterator
from contextlib import suppress
from uuid import UUID

import httpx
from prefect.artifacts import create_progress_artifact, update_progress_artifact

from flows.sweep.batches import Handed
from flows.sweep.session import Sweep

KEY = "sweep-progress"
LEAST_STEP = 4.0
"""Percent between two updates: each costs up to 40 ms, so a sweep makes at most 25."""


def shown_progress(batches: Iterable[Handed], sweep: Sweep) -> Iterator[Handed]:
    """Pass batches on, and after each report the percentage of due URLs looked at; without batches, create no artifact."""
    looked, shown, artifact = 0, 0.0, None
    for extracted in batches:
        artifact = artifact or _begun()
        looked += len(extracted[0].looks)
        yield extracted
        percent = 100.0 * looked / max(looked + sweep.due_now(), 1)
        if percent - shown >= LEAST_STEP:
            shown = percent
            _update(artifact, percent)
    if shown < 100:
        _update(artifact, 100.0)


def _begun() -> UUID | None:
    with suppress(httpx.HTTPError):  # progress is optional: the sweep goes on without a server
        description = "URLs visited, of those due"
        return create_progress_artifact(progress=0.0, key=KEY, description=description)  # type: ignore[return-value]
    return None


def _update(artifact: UUID | None, percent: float) -> None:
    if artifact is not None:
        with suppress(httpx.HTTPError):
            update_progress_artifact(artifact, progress=round(percent, 1))
