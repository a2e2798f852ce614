"""The parameters of the flow `maintain`."""

from pydantic import BaseModel, ConfigDict, Field

MIB = 1024 * 1024


class MaintainConfig(BaseModel):
    """The choices for one maintenance."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    dry_run: bool = Field(
        False,
        description="Show what would be done; change nothing.",
        json_schema_extra={"position": 1},
    )
    keep_days: int = Field(
        7,
        ge=7,
        le=3650,
        description="Days to keep replaced files, for readers of an older version of a table.",
        json_schema_extra={"position": 2},
    )
    file_mib: int = Field(
        64,
        ge=1,
        le=1024,
        description="Target size of packed files in MiB; packing needs about eight times as much memory.",
        json_schema_extra={"position": 3},
    )
    shapes_days: int = Field(
        90,
        ge=42,
        le=36500,
        description="Days, by article time, for which texts are compared with new ones.",
        json_schema_extra={"position": 4},
    )
