"""One look at one URL. Pure."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class DueUrl:
    """One URL of the frontier, claimed: where to look, what is known of it, and who announced it."""

    url: str
    url_key: str
    host: str
    source_id: str
    attempt: int
    etag: str | None = None
    last_modified: str | None = None
    payload_digest: str | None = None
    captured_at: datetime | None = None
    announced_title: str | None = None
    announced_at: datetime | None = None
