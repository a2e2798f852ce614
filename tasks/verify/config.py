"""The parameters of the flow `verify`."""

from pydantic import BaseModel, ConfigDict, Field


class VerifyConfig(BaseModel):
    """What one verification does."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    mend: bool = Field(
        False,
        description="Mend what can be mended; what is taken out is set aside for 30 days.",
        json_schema_extra={"position": 1},
    )
    sample: int | None = Field(
        None,
        ge=1,
        description="Read the bytes of so many segments only, chosen at random.",
        json_schema_extra={"position": 2},
    )
