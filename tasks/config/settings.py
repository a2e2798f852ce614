"""The settings: `PRESSLAKE_*` from the environment, then flags. The one reader of the environment.

What belongs to a source (crawl delay, user agent, networks) is in the catalogue instead; docs/settings.md lists both.
"""

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from tasks.errors import ConfigError
from tasks.values.shared_networks import SHARED_NETWORKS

LEAST_EVERY_S, MOST_EVERY_S = 60, 30 * 86_400
MIB = 1024 * 1024
PREFIX = "PRESSLAKE_"
ALSO_READ = {"s3_region": ("AWS_REGION",)}
"""Variables of other programs, used for a setting if its own variable is not set."""


class Settings(BaseModel):
    """Locations and limits; sizes in bytes, times in seconds."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    catalogue: Path = Field(Path("sources.yaml"), description="The file of sources.")
    lake: str = Field("lake", description="The lake: a directory, or s3://bucket/prefix.")
    index: str = Field("sqlite:///presslake.db", description="The index, as an SQLAlchemy URL.")

    search_index: Path | None = Field(
        None, description="The folder of the search index; by default `presslake-search` beside the SQLite index."
    )

    s3_endpoint_url: str | None = Field(None, description="S3 endpoint; default: AWS_ENDPOINT_URL.")
    s3_region: str | None = Field(None, description="S3 region; default: AWS_REGION or AWS_DEFAULT_REGION.")

    batch_size: int = Field(250, ge=1, le=1000, description="URLs per batch, the unit of a task run.")
    batches_ahead: int = Field(2, ge=1, le=8, description="Batches to fetch while others are extracted.")
    host_budget_s: float = Field(120, gt=0, description="Longest time that one host may delay its batch.")
    lease_s: float = Field(
        300, ge=1, description="A claimed URL is released if its lease is not renewed for this time."
    )

    sweep_s: float = Field(
        3600, ge=1, description="After this time a sweep starts no more polls and batches; the rest stays pending."
    )
    shard_start_s: float = Field(
        120, ge=1, description="After this time the sweep runs a shard itself if no worker has started it."
    )

    connections: int = Field(50, ge=1, le=100, description="Concurrent requests per batch.")
    timeout_s: float = Field(15, gt=0, description="For one connect, read or write.")
    deadline_s: float = Field(60, gt=0, description="For one GET including redirects.")
    max_wire_size: int = Field(10 * MIB, ge=1024, description="Bytes of one response on the wire.")
    max_decoded_size: int = Field(20 * MIB, ge=1024, description="Bytes of one response after decoding.")
    max_redirects: int = Field(5, ge=0, le=20, description="Redirects in one GET.")
    max_segment_size: int = Field(
        256 * MIB, ge=MIB, description="A batch stops fetching when its WARC segment has this size."
    )
    max_per_address: int = Field(
        16, ge=1, le=100, description="Concurrent requests to one IP address, whatever its host names."
    )
    shared_networks: tuple[str, ...] = Field(
        SHARED_NETWORKS, description="Comma-separated CIDRs of addresses that serve many sites; exempt from that limit."
    )
    allow_networks: tuple[str, ...] = Field(
        (), description="Comma-separated CIDRs of non-public networks that --url and --feed may reach."
    )

    revisit_after_h: tuple[float, ...] = Field(
        (1, 6, 24, 168),
        description="Comma-separated ages in hours at which Presslake revisits a young article.",
    )

    extract_workers: int = Field(default_factory=lambda: os.cpu_count() or 1, ge=1, description="Extraction processes.")
    extract_time_limit_s: float = Field(
        25,
        gt=0,
        description="CPU time per page; its worker is killed after that, or after four times as long by the clock.",
    )
    extract_memory_size: int = Field(1536 * MIB, ge=256 * MIB, description="Address space of an extraction process.")

    markdown: bool = Field(True, description="Also store each text as markdown.")

    read_time_limit_s: float = Field(
        10,
        gt=0,
        description="CPU time per feed; its process is killed after that, or after four times as long by the clock.",
    )
    read_memory_size: int = Field(1024 * MIB, ge=256 * MIB, description="Address space of a process that reads feeds.")

    every_s: int = Field(
        900, ge=LEAST_EVERY_S, le=MOST_EVERY_S, description="Seconds between the sweeps that `presslake up` schedules."
    )
    browse_url: str | None = Field(None, description="URL of `presslake browse`, for links in reports.")
    contact: str | None = Field(
        None,
        max_length=300,
        description="Contact address or URL for site operators, shown by `presslake identity`.",
    )
    signing_key: Path | None = Field(
        None, description="PEM file with an Ed25519 private key, to sign https requests (Web Bot Auth)."
    )
    signature_agent: str | None = Field(
        None,
        pattern=r"^https://[^/?#@\s\"]+/?$",
        description="The https origin at which the public part of that key is served.",
    )
    signature_form: Literal["origin", "url", "string"] = Field(
        "origin",
        description="How Signature-Agent names it: an origin, the directory's URL, or an older draft's string.",
    )
    ui_port: int = Field(4200, ge=1, le=65535, description="Where `presslake up` serves Prefect's UI.")

    @field_validator("browse_url")
    @classmethod
    def _check_browse_url(cls, value: str | None) -> str | None:
        if value is None or re.fullmatch(r"https?://[^\s/?#@]+", value.rstrip("/")):
            return value.rstrip("/") if value else None
        raise ValueError("should be a URL without a path, such as https://news.example.org or http://127.0.0.1:8420")

    @field_validator("allow_networks", "shared_networks", "revisit_after_h", mode="before")
    @classmethod
    def _split_commas(cls, value: object) -> object:
        return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value


def variable_of(name: str, environment: Mapping[str, str]) -> str | None:
    """Return the name of the environment variable that gives a setting its value, or None if the default applies."""
    spelled = {variable.upper(): variable for variable in environment}
    candidates = (f"{PREFIX}{name.upper()}", *ALSO_READ.get(name, ()))
    return next((spelled[candidate] for candidate in candidates if candidate in spelled), None)


def read_origins(environment: Mapping[str, str], flags: Mapping[str, object]) -> dict[str, str]:
    """Return the origin of each setting's value: a flag, an environment variable by name, or the default."""
    origins = {}
    for name in Settings.model_fields:
        variable = variable_of(name, environment)
        origins[name] = f"--{name}" if flags.get(name) is not None else variable or "default"
    return origins


def load_settings() -> Settings:
    """Read the environment; raises ConfigError naming the setting."""
    variables = {name: variable_of(name, os.environ) for name in Settings.model_fields}
    given = {name: os.environ[variable] for name, variable in variables.items() if variable is not None}
    try:
        return Settings.model_validate(given)
    except ValidationError as error:
        first = error.errors()[0]
        name = str(first["loc"][0]) if first["loc"] else "settings"
        raise ConfigError(
            f"{PREFIX}{name.upper()}: {first['msg'].removeprefix('Value error, ')} (got {first['input']!r})"
        ) from error


def set_flags(**flags: object) -> Settings:
    """Let flags that are not None override the environment, in this process and its children; raises ConfigError.

    They are passed through the environment and not as parameters of the flow, since Prefect stores those, and an index's
    URL may contain a password.
    """
    for name, value in flags.items():
        if value is not None:
            os.environ[f"{PREFIX}{name.upper()}"] = str(value)
    return load_settings()
