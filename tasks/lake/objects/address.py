"""The S3 configuration as a plain value, in a module without boto3, whose import costs half a second."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class S3Config:
    """How to connect to S3; credentials come from boto3's own chain.

    `threads` is the size of the connection pool, `attempts` how often a request is tried before it fails.
    """

    endpoint_url: str | None = None
    region: str | None = None
    threads: int = 16
    attempts: int = 8
