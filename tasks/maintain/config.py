"""The parameters of the flow `maintain`."""

from pydantic import BaseModel, ConfigDict, Field

MIB = 1024 * 1024


class MaintainConfig(BaseModel):
    """The choices for one maintenance."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    dry_run: bool = Field(
        False,
        description="Show what would be done, and change nothing.",
        json_schema_extra={"position": 1},
    )
    keep_days: int = Field(
        7,
        ge=7,
        le=3650,
        description="Days that replaced files stay: readers of an older version of a table may still need them.",
        json_schema_extra={"position": 2},
    )
    file_mib: int = Field(
        64,
        ge=1,
        le=1024,
        description="MiB that files of past days are packed into; packing takes about eight times as much memory.",
        json_schema_extra={"position": 3},
    )
    shapes_days: int = Field(
        90,
        ge=42,
        le=36500,
        description="Days of the articles' own time for which texts stay comparable with new ones.",
        json_schema_extra={"position": 4},
    )
