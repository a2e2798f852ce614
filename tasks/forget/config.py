"""The parameters of the flow `forget`."""

from pydantic import BaseModel, ConfigDict, Field


class ForgetConfig(BaseModel):
    """The choices for one run. They include no URL, since Prefect stores the parameters of runs."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    takedown_id: str | None = Field(
        None,
        max_length=64,
        description="The takedown that is carried out again, as `presslake forget` names it; without one, all of them.",
        json_schema_extra={"position": 1},
    )
