"""How S3 is reached, as a plain value: boto3 is imported where it is used alone, for it costs half a second."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class S3Config:
    """How S3 is reached; credentials come by boto3's own chain.

    `threads` is the size of the connection pool, `attempts` how often a request is tried before it has failed.
    """

    endpoint_url: str | None = None
    region: str | None = None
    threads: int = 16
    attempts: int = 8
