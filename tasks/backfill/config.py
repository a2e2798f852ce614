"""The choices for a backfill, as the flow's form and the command line give them."""

from datetime import UTC, datetime
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from tasks.config.choices import Runner
from tasks.config.fields import Language
from tasks.config.parameters import parse_since

_INSTANT = r"^([0-9]{1,4}[mhdw]|[0-9]{4}-[0-9]{2}-[0-9]{2}([T ][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]+)?)?(Z|[+-][0-9]{2}:?[0-9]{2})?)?)?$"


def _at(position: int, **more: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON Schema
    return {"position": position, **more}


class BackfillConfig(BaseModel):
    """The choices for one backfill: from WARC files, or from the archives of sources themselves, if no path is given."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    paths: tuple[str, ...] = Field(
        (),
        description="WARC files (.warc, .warc.gz) and WACZ: paths, folders, globs, s3://bucket/key, or @FILE for a list "
        "with one of these a line. None: the sources' own sitemaps, listings and lists are read.",
        json_schema_extra=_at(1),
    )
    sources: tuple[str, ...] = Field(
        (), description="Only pages of these sources of the catalogue; default: all.", json_schema_extra=_at(2)
    )
    hosts: tuple[str, ...] = Field(
        (), description="Only pages of these hosts and their subdomains.", json_schema_extra=_at(3)
    )
    since: str = Field(
        "", pattern=_INSTANT, description="Only pages fetched since: a date, a time or an age.",
        json_schema_extra=_at(4, examples=["2024-01-01"]),
    )  # fmt: skip
    until: str = Field(
        "", pattern=_INSTANT, description="Only pages fetched until this time; a date includes the whole day.",
        json_schema_extra=_at(5, examples=["2024-12-31"]),
    )  # fmt: skip
    languages: tuple[Language, ...] = Field(
        (), description="Only articles in these languages (BCP 47: en, pt-BR).", json_schema_extra=_at(6)
    )
    source_from_host: bool = Field(
        False,
        description="Create a source for each host that no source of the catalogue owns.",
        json_schema_extra=_at(7),
    )
    dry_run: bool = Field(
        False, description="Read the archives and count what would be imported; store nothing.",
        json_schema_extra=_at(8),
    )  # fmt: skip
    runner: Runner = Field(
        Runner.LOCAL, description="Where pages are extracted: on this machine, or on a Dask or Ray cluster.",
        json_schema_extra=_at(9),
    )  # fmt: skip
    address: str = Field(
        "", description="The cluster's address; default: a cluster on this machine.", json_schema_extra=_at(10)
    )
    workers: int = Field(
        0, ge=0, le=1000, description="Units to extract in parallel; 0: one per worker.",
        json_schema_extra=_at(11),
    )  # fmt: skip
    unit_pages: int = Field(
        500, ge=1, le=5000, description="Pages per unit; a unit is extracted, decided and retried as a whole.",
        json_schema_extra=_at(12),
    )  # fmt: skip

    limit: int = Field(
        0,
        ge=0,
        description="Sources' own archives: fetch at most this many pages; 0: no limit.",
        json_schema_extra=_at(13),
    )
    hours: float = Field(
        1.0,
        gt=0,
        le=168,
        description="Sources' own archives: time after which no more pages are requested; the rest waits for the next run.",
        json_schema_extra=_at(14),
    )

    @model_validator(mode="after")
    def _must_fit_together(self) -> Self:
        now = datetime.now(UTC)
        begin, end = self.since_at(now), self.until_at(now)
        if begin and end and begin > end:
            raise ValueError(f"since ({self.since}) is after until ({self.until})")
        if not self.paths:
            self._check_source()
        if self.address and self.runner is Runner.LOCAL:
            raise ValueError("an address needs the runner dask or ray")
        return self

    def _check_source(self) -> None:
        if not self.since:
            raise ValueError("without paths, since is required: the first day to fetch")
        if self.hosts or self.languages or self.source_from_host or self.runner is not Runner.LOCAL:
            raise ValueError("hosts, languages, source_from_host and runner apply to WARC files only: give their paths")

    def since_at(self, now: datetime) -> datetime | None:
        """Return the first instant that is wanted, or None."""
        return parse_since(self.since, now=now) if self.since else None

    def until_at(self, now: datetime) -> datetime | None:
        """Return the last instant that is wanted, or None."""
        if not self.until:
            return None
        at = parse_since(self.until, now=now)
        is_day = len(self.until) == len("2024-12-31")
        return at.replace(hour=23, minute=59, second=59, microsecond=999_999) if is_day else at
