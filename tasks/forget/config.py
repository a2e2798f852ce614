"""The parameters of the flow `forget`."""

from pydantic import BaseModel, ConfigDict, Field


class ForgetConfig(BaseModel):
    """The choices for one run. They include no URL, since Prefect stores the parameters of runs."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    takedown_id: str | None = Field(
        None,
        max_length=64,
        description="Id of the takedown to carry out again; default: all.",
        json_schema_extra={"position": 1},
    )
