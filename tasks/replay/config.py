"""The parameters of the flow `replay`."""

from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from tasks.errors import ItemError
from tasks.values.display import without_userinfo
from tasks.values.url import fetch_url

_DAY = r"^([0-9]{4}-[0-9]{2}-[0-9]{2})?$"


class ReplayedOutcome(StrEnum):
    """The outcomes of captures that have a page to read."""

    OK = "ok"
    SKIPPED = "skipped"
    QUARANTINED = "quarantined"
    FAILED = "failed"


class ReplayConfig(BaseModel):
    """The choices for one replay: it covers the stored captures that match all of them."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    dry_run: bool = Field(
        True, description="Show what would change; change nothing.", json_schema_extra={"position": 1}
    )
    sources: tuple[str, ...] = Field((), description="Ids of sources; default: all.", json_schema_extra={"position": 2})
    hosts: tuple[str, ...] = Field(
        (),
        description="Hosts that responded, such as www.example.org; default: all.",
        json_schema_extra={"position": 3},
    )
    urls: tuple[str, ...] = Field((), description="Single URLs.", json_schema_extra={"position": 4})
    since: str = Field(
        "",
        pattern=_DAY,
        description="Only pages fetched on this UTC day or later.",
        json_schema_extra={"position": 5},
    )
    until: str = Field(
        "",
        pattern=_DAY,
        description="Only pages fetched on this UTC day or earlier.",
        json_schema_extra={"position": 6},
    )
    outcomes: tuple[ReplayedOutcome, ...] = Field(
        (), description="Outcomes of captures; default: all with a page.", json_schema_extra={"position": 7}
    )
    reasons: tuple[str, ...] = Field(
        (),
        description="Reasons of captures, such as not_an_article; default: all.",
        json_schema_extra={"position": 8},
    )
    older: bool = Field(
        False,
        description="Only pages not yet extracted with the current rules.",
        json_schema_extra={"position": 9},
    )
    max_failed: float = Field(
        0.2,
        ge=0,
        le=1,
        description="Stop when more than this share of the first 200 pages fail.",
        json_schema_extra={"position": 10},
    )

    @field_validator("urls")
    @classmethod
    def _must_be_urls(cls, values: tuple[str, ...]) -> tuple[str, ...]:
        for value in values:
            try:
                fetch_url(value)
            except ItemError as error:
                raise ValueError(f"not a URL that can be fetched: {without_userinfo(value)!r}") from error
        return values

    @field_validator("since", "until")
    @classmethod
    def _must_be_a_day(cls, value: str) -> str:
        if value:
            date.fromisoformat(value)
        return value

    @model_validator(mode="after")
    def _must_be_in_order(self) -> Self:
        if self.since and self.until and self.since > self.until:
            raise ValueError(f"since {self.since} is after until {self.until}")
        return self

    @property
    def days(self) -> tuple[date, date]:
        """The first and the last day of the selection."""
        first = date.fromisoformat(self.since) if self.since else date.min
        return first, date.fromisoformat(self.until) if self.until else date.max

    def has_day(self, at: datetime) -> bool:
        """Whether an instant is on one of the selection's days."""
        first, last = self.days
        return first <= at.astimezone(UTC).date() <= last
