"""The parameters of the flows: one pydantic model each, as Prefect's form shows them. No secrets, no locations.

The locations of lake and index are settings of the machine (tasks.config.settings), not of the run. An optional field
has a value that means "none" (0, ""), and never None: Prefect's form shows such a field as one field and not as two
tabs.
"""

import re
from datetime import UTC, datetime, timedelta
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from tasks.config.choices import MAX_SHARDS, Period
from tasks.errors import ItemError
from tasks.values.display import without_userinfo
from tasks.values.url import fetch_url

_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_AGE = re.compile(r"([0-9]{1,4})([mhdw])")
_SINCE = r"^([0-9]{1,4}[mhdw]|[0-9]{4}-[0-9]{2}-[0-9]{2}([T ][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]+)?)?(Z|[+-][0-9]{2}:?[0-9]{2})?)?)?$"


def _at(position: int, **more: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON Schema
    """Return the JSON Schema of a field's position in the form, which would otherwise sort by name."""
    return {"position": position, **more}


class IngestConfig(BaseModel):
    """The choices for one sweep."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    sources: tuple[str, ...] = Field(
        (), description="Ids of sources in the catalogue; default: all.", json_schema_extra=_at(1)
    )
    feeds: tuple[str, ...] = Field(
        (),
        description="Feeds to poll instead of the catalogue's: RSS, Atom, JSON Feed or sitemap.",
        json_schema_extra=_at(2),
    )
    urls: tuple[str, ...] = Field((), description="Single articles to fetch now.", json_schema_extra=_at(3))
    limit: int = Field(0, ge=0, description="Fetch at most this many URLs; 0: no limit.", json_schema_extra=_at(4))
    since: str = Field(
        "",
        pattern=_SINCE,
        description="Only what was published since: an age (90m, 6h, 3d, 2w) or a time (2026-03-01, "
        "2026-03-01T06:00Z; UTC if no zone is given). Entries without a date count from their first announcement.",
        json_schema_extra=_at(5, examples=["6h", "3d", "2026-03-01T06:00Z"]),
    )
    due_only: bool = Field(
        False, description="Poll only the feeds that are due, as the schedule does.", json_schema_extra=_at(6)
    )
    refetch: bool = Field(
        False,
        description="Revisit every known article of the selection with conditional requests.",
        json_schema_extra=_at(7),
    )
    force: bool = Field(
        False,
        description="Retry URLs of the selection now that wait after a failure, are dropped, gone (410) or "
        "quarantined. Crawl delays, Retry-After and robots.txt always apply.",
        json_schema_extra=_at(8),
    )
    dry_run: bool = Field(
        False,
        description="Poll the feeds and show what would be fetched; fetch and store nothing.",
        json_schema_extra=_at(9),
    )
    shards: int = Field(
        1,
        ge=1,
        le=MAX_SHARDS,
        description="Split the fetching across this many runs by host, on any workers of the pool; "
        "all must use the same index and lake.",
        json_schema_extra=_at(10),
    )

    @field_validator("feeds", "urls")
    @classmethod
    def _must_be_urls(cls, values: tuple[str, ...]) -> tuple[str, ...]:
        for value in values:
            try:
                fetch_url(value)
            except ItemError as error:
                raise ValueError(
                    f"not a URL that can be fetched, with http:// or https:// and without a user name: {without_userinfo(value)!r}"
                ) from error
        return values

    @field_validator("since")
    @classmethod
    def _must_have_been(cls, value: str) -> str:
        if value and parse_since(value, now=datetime.now(UTC)) > datetime.now(UTC):
            raise ValueError(f"{value} is in the future")
        return value

    @model_validator(mode="after")
    def _must_fit_together(self) -> Self:
        if self.since and self.urls:
            raise ValueError("since applies to feeds; urls are fetched regardless of their date")
        return self

    def since_at(self, now: datetime) -> datetime | None:
        """Return the instant that `since` names, or None."""
        return parse_since(self.since, now=now) if self.since else None


class ShardConfig(BaseModel):
    """One part of a sweep's fetching, for another run."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    sweep: IngestConfig = Field(description="What the sweep looks at.", json_schema_extra=_at(1))
    sweep_id: str = Field(description="The sweep's flow run.", json_schema_extra=_at(2))
    number: int = Field(ge=0, lt=MAX_SHARDS, description="Which part: 0 is the sweep's own.", json_schema_extra=_at(3))


def parse_since(text: str, *, now: datetime) -> datetime:
    """Parse an age or an instant into an instant; without a zone it is UTC. Raises ValueError."""
    try:
        if age := _AGE.fullmatch(text):
            return now - timedelta(**{_UNITS[age[2]]: int(age[1])})
        instant = datetime.fromisoformat(text)
        return instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant.astimezone(UTC)
    except OverflowError as error:
        raise ValueError(f"{text} is before the year 1 or after the year 9999") from error


class ReportConfig(BaseModel):
    """The choices for a report."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    period: Period = Field(Period.DAY, description="The past day, or the past week.", json_schema_extra=_at(1))
    sources: tuple[str, ...] = Field((), description="Ids of sources; default: all.", json_schema_extra=_at(2))
