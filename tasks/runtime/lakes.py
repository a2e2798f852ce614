"""Open a lake without its index, for read-only commands: importing SQLAlchemy would take a quarter of their time."""

from tasks.config.settings import Settings
from tasks.errors import ConfigError
from tasks.lake.objects.stores import ObjectStore, S3Config, find_lake, open_store


def open_lake_without_index(settings: Settings) -> tuple[ObjectStore, str]:
    """Open the lake, without its index, for reading only, with its id. Raises ConfigError if there is none."""
    s3 = S3Config(endpoint_url=settings.s3_endpoint_url, region=settings.s3_region)
    store = open_store(settings.lake, s3=s3, only_reads=True)
    lake_id = find_lake(store)
    if lake_id is None:
        raise ConfigError(f"{store.uri}: no lake here; choose another with --lake")
    return store, lake_id
