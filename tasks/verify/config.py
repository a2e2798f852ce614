"""The parameters of the flow `verify`."""

from pydantic import BaseModel, ConfigDict, Field


class VerifyConfig(BaseModel):
    """The choices for one verification."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    mend: bool = Field(
        False,
        description="Repair what can be repaired; what is taken out is set aside for 30 days.",
        json_schema_extra={"position": 1},
    )
    sample: int | None = Field(
        None,
        ge=1,
        description="Read the bytes of this many segments only, chosen at random.",
        json_schema_extra={"position": 2},
    )
