"""The parameters of the flows: one pydantic model each, as Prefect's form shows them. No secrets, no places.

Where the lake and the index are is a setting of the machine that runs (tasks.settings), not of the run.
"""

from datetime import timedelta
from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field, field_validator

from tasks.errors import ItemError
from tasks.urls import fetch_url


class IngestConfig(BaseModel):
    """What one sweep looks at."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    sources: tuple[str, ...] = Field(
        (), description="Ids of sources in the catalogue; none means all of them.", json_schema_extra={"position": 1}
    )
    feeds: tuple[str, ...] = Field(
        (),
        description="Feeds to poll instead of the catalogue's: RSS, Atom, JSON Feed or sitemap.",
        json_schema_extra={"position": 2},
    )
    urls: tuple[str, ...] = Field((), description="Single articles to look at, now.", json_schema_extra={"position": 3})
    limit: int | None = Field(
        None, ge=1, description="Look at this many URLs at most.", json_schema_extra={"position": 4}
    )
    due_only: bool = Field(
        False, description="Poll only the feeds that are due, as the schedule does.", json_schema_extra={"position": 5}
    )
    refetch: bool = Field(
        False,
        description="Look again, conditionally, at every article of the selection that is known.",
        json_schema_extra={"position": 6},
    )

    @field_validator("feeds", "urls")
    @classmethod
    def _must_be_urls(cls, values: tuple[str, ...]) -> tuple[str, ...]:
        for value in values:
            try:
                fetch_url(value)
            except ItemError as error:
                raise ValueError(f"not a URL that can be fetched: {value!r}") from error
        return values


class Period(StrEnum):
    """How far a report looks back: whole UTC days, until the last midnight."""

    DAY = "day"
    WEEK = "week"

    @property
    def span(self) -> timedelta:
        """Return how long it is."""
        return timedelta(days=1 if self is Period.DAY else 7)


class ReportConfig(BaseModel):
    """What a report looks over."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    period: Period = Field(Period.DAY, description="The past day, or the past week.", json_schema_extra={"position": 1})
    sources: tuple[str, ...] = Field(
        (), description="Ids of sources; none means all of them.", json_schema_extra={"position": 2}
    )
