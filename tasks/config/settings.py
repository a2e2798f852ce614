"""The settings: `PRESSLAKE_*` from the environment, then flags. The one reader of the environment.

What belongs to a source (crawl delay, user agent, networks) is in the catalogue instead; docs/settings.md lists both.
"""

import os
from pathlib import Path
from typing import Annotated

from pydantic import AliasChoices, Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from tasks.errors import ConfigError

MIB = 1024 * 1024


class Settings(BaseSettings):
    """Where things are and how much may be used; sizes in bytes, times in seconds."""

    model_config = SettingsConfigDict(env_prefix="PRESSLAKE_", extra="ignore", frozen=True)

    catalogue: Path = Field(Path("sources.yaml"), description="The file of sources.")
    lake: str = Field("lake", description="The lake: a directory, or s3://bucket/prefix.")
    index: str = Field("sqlite:///presslake.db", description="The index, as an SQLAlchemy URL.")

    s3_endpoint_url: str | None = Field(None, description="S3 endpoint; AWS_ENDPOINT_URL is heeded as well.")
    s3_region: str | None = Field(
        None,
        validation_alias=AliasChoices("PRESSLAKE_S3_REGION", "AWS_REGION"),
        description="S3 region; AWS_REGION and AWS_DEFAULT_REGION are heeded as well.",
    )

    batch_size: int = Field(250, ge=1, le=1000, description="URLs a batch: the unit of a task run.")
    batches_ahead: int = Field(2, ge=1, le=8, description="Batches that are fetched while others are extracted.")
    host_budget_s: float = Field(120, gt=0, description="The longest that one host may hold up its batch.")
    lease_s: float = Field(300, ge=1, description="A claimed URL comes back when its lease is not renewed this long.")

    sweep_s: float = Field(
        3600, ge=1, description="A sweep claims and polls nothing more after so long; the rest stays pending."
    )
    shard_start_s: float = Field(120, ge=1, description="A shard that no worker begins so long is done by its sweep.")

    connections: int = Field(50, ge=1, le=100, description="Requests in flight, a batch.")
    timeout_s: float = Field(15, gt=0, description="For one connect, read or write.")
    deadline_s: float = Field(60, gt=0, description="For one GET with its redirects.")
    max_wire_size: int = Field(10 * MIB, ge=1024, description="Bytes read off the wire, a response.")
    max_decoded_size: int = Field(20 * MIB, ge=1024, description="Bytes after the content coding is undone.")
    max_redirects: int = Field(5, ge=0, le=20, description="Redirects followed, a GET.")
    max_segment_size: int = Field(
        256 * MIB, ge=MIB, description="A batch stops asking when its WARC segment is so large."
    )
    allow_networks: Annotated[tuple[str, ...], NoDecode] = Field(
        (), description="CIDRs, parted by commas, outside the public internet that --url and --feed may reach."
    )

    revisit_after_h: Annotated[tuple[float, ...], NoDecode] = Field(
        (1, 6, 24, 168), description="Ages, parted by commas, at which a young article is looked at again, in hours."
    )

    extract_workers: int = Field(default_factory=lambda: os.cpu_count() or 1, ge=1, description="Extraction processes.")
    extract_time_limit_s: float = Field(
        25, gt=0, description="A page's worker is killed after so much CPU, or four times as long by the clock."
    )
    extract_memory_size: int = Field(1536 * MIB, ge=256 * MIB, description="Address space of an extraction process.")

    read_time_limit_s: float = Field(
        10, gt=0, description="The process that reads a feed is killed after so much CPU, or four times as long."
    )
    read_memory_size: int = Field(1024 * MIB, ge=256 * MIB, description="Address space of a process that reads feeds.")

    every_s: int = Field(900, ge=60, description="Seconds between the sweeps that `presslake up` schedules.")
    ui_port: int = Field(4200, ge=1, le=65535, description="Where `presslake up` serves Prefect's UI.")

    @field_validator("allow_networks", "revisit_after_h", mode="before")
    @classmethod
    def _split_commas(cls, value: object) -> object:
        return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value


def load_settings() -> Settings:
    """Read the environment; raises ConfigError naming the setting."""
    try:
        return Settings()
    except ValidationError as error:
        first = error.errors()[0]
        name = str(first["loc"][0]) if first["loc"] else "settings"
        raise ConfigError(f"PRESSLAKE_{name.upper()}: {first['msg']} (got {first['input']!r})") from error


def set_flags(**flags: object) -> Settings:
    """Let the flags that are not None win over the environment, for this process and its children; raises ConfigError.

    They go by way of the environment, and not of the flow's parameters, which Prefect stores: an index's URL may
    hold a password.
    """
    for name, value in flags.items():
        if value is not None:
            os.environ[f"PRESSLAKE_{name.upper()}"] = str(value)
    return load_settings()
