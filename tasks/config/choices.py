"""The choices of flags and parameters, for the command line's help, which must not wait for pydantic. Pure."""

from datetime import timedelta
from enum import StrEnum

MAX_SHARDS = 64


class Period(StrEnum):
    """How far a report looks back: whole UTC days, until the last midnight."""

    DAY = "day"
    WEEK = "week"

    @property
    def span(self) -> timedelta:
        """Return the period's length."""
        return timedelta(days=1 if self is Period.DAY else 7)


class Runner(StrEnum):
    """Where the units of a backfill or a replay are extracted."""

    LOCAL = "local"
    DASK = "dask"
    RAY = "ray"
