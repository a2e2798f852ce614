"""Check that a cluster's workers can reach the index, the lake and Prefect's API."""

from urllib.parse import urlsplit

from tasks.config.settings import Settings
from tasks.errors import ConfigError
from tasks.runtime.resources import opened_index

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


def check_shared(address: str, settings: Settings) -> None:
    """Check that the workers of a cluster can share the index and the lake.

    Raises ConfigError if the index is SQLite, or if the cluster is remote and the lake a directory.
    """
    if opened_index(settings).is_sqlite:
        raise ConfigError(
            f"the index is SQLite, which workers at {address} cannot share: name one in PostgreSQL with PRESSLAKE_INDEX"
        )
    if not _is_here(address) and not settings.lake.startswith("s3://"):
        raise ConfigError(
            f"the lake {settings.lake} is a directory, which workers at {address} cannot share: name one in S3"
        )


def check_api(address: str, api_url: str) -> None:
    """Check that a cluster's workers can reach Prefect's server; raise ConfigError if they cannot."""
    if not _is_here(address) and (not api_url or _is_here(api_url)):
        raise ConfigError(
            f"workers at {address} cannot reach the Prefect server at {api_url or 'no address'}: set PREFECT_API_URL"
        )


def _is_here(address: str) -> bool:
    host = urlsplit(address if "//" in address else f"//{address}").hostname or ""
    return host in LOOPBACK
