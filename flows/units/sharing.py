"""Whether workers of a cluster can reach what a backfill needs: an index and a lake that they share, Prefect's API."""

from urllib.parse import urlsplit

from tasks.config.settings import Settings
from tasks.errors import ConfigError
from tasks.runtime.resources import opened_index

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


def check_shared(address: str, settings: Settings) -> None:
    """Check the places that the settings name against a cluster's address; raises ConfigError."""
    if opened_index(settings).is_sqlite:
        raise ConfigError(
            f"the index is SQLite, which workers at {address} cannot share: name one in PostgreSQL with PRESSLAKE_INDEX"
        )
    if not _is_here(address) and not settings.lake.startswith("s3://"):
        raise ConfigError(
            f"the lake {settings.lake} is a directory, which workers at {address} cannot share: name one in S3"
        )


def check_api(address: str, api_url: str) -> None:
    """Check that a cluster's workers can reach Prefect's server; raises ConfigError."""
    if not _is_here(address) and (not api_url or _is_here(api_url)):
        raise ConfigError(
            f"workers at {address} cannot reach the Prefect server at {api_url or 'no address'}: set PREFECT_API_URL"
        )


def _is_here(address: str) -> bool:
    host = urlsplit(address if "//" in address else f"//{address}").hostname or ""
    return host in LOOPBACK
