"""Open the ports that the settings name, once per process: an S3 client costs 0.2 s, an engine has a pool.

Tasks take plain data and open what they need here. Threads may share the opened clients.
"""

import atexit
import resource
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import lru_cache
from importlib.metadata import version
from typing import TYPE_CHECKING

from tasks.config.settings import Settings
from tasks.errors import ConfigError, IndexUnavailable
from tasks.index import taken_down
from tasks.index.addresses import shown_address
from tasks.index.database import (
    Index,
    bind_lake,
    check_bound_lake,
    is_missing,
    open_index,
    open_reader,
)
from tasks.lake.keys import FIRST_KEYS, TAKEDOWNS, commit_key
from tasks.lake.objects.stores import ObjectStore, S3Config, open_lake, open_store
from tasks.runtime.lakes import open_lake_without_index

if TYPE_CHECKING:
    from tasks.config.owners import Owners
    from tasks.politeness.client import PoliteClient
    from tasks.runtime.reading import SharedReader
    from tasks.web.client import WebConfig
    from tasks.web.signing import Signer

READ_TIMEOUT_S = 600
"""The longest time that a read-only command waits for the index."""


def opened_index(settings: Settings) -> Index:
    """Return the index; raises ConfigError."""
    return _index(settings.index)


def opened_store(settings: Settings) -> ObjectStore:
    """Return the lake's object store; raises ConfigError."""
    return _store(settings.lake, settings.s3_endpoint_url, settings.s3_region)


def check_lake(settings: Settings) -> None:
    """Check that the lake can be used, is of our format, and is the one this index knows; raises ConfigError."""
    store = opened_store(settings)
    _bind(settings, store, open_lake(store))


def _bind(settings: Settings, store: ObjectStore, lake_id: str) -> None:
    """Bind the index to a lake, and copy its takedowns into the index."""
    is_used = any(store.exists(key) for key in FIRST_KEYS)
    index = opened_index(settings)
    bind_lake(index, lake_id=lake_id, lake_uri=store.uri, is_used=is_used)
    copy_takedowns(index, store)


def copy_takedowns(index: Index, store: ObjectStore) -> None:
    """Apply the lake's takedowns, and those undone, to the index: it may be new, or restored from an older backup."""
    if not store.exists(commit_key(TAKEDOWNS, 0)):
        return
    from tasks.lake.takedowns import read_takedowns  # noqa: PLC0415 - imports Arrow, which read-only commands do not need

    taken_down.agree(index, read_takedowns(store))


def check_known_lake(settings: Settings) -> None:
    """Check as `check_lake` does, for work on stored data: nothing is created if nothing is there.

    An index of an earlier version is migrated. Raises ConfigError.
    """
    _check_index(settings)
    open_lake_without_index(settings)
    check_lake(settings)


def known_lake_to_read(settings: Settings) -> ObjectStore:
    """Check as `check_known_lake` does, and return the lake for reading: the mount or account may be read-only."""
    _check_index(settings)
    store, lake_id = open_lake_without_index(settings)
    _bind(settings, store, lake_id)
    return store


def _check_index(settings: Settings) -> None:
    if is_missing(settings.index):
        raise ConfigError(
            f"the index {shown_address(settings.index)} does not exist: choose another with --index, or build one from the "
            "lake with `presslake reindex`"
        )


@contextmanager
def index_to_read(settings: Settings) -> Iterator[Index]:
    """Open the index for reading only: nothing is created or migrated. Raises ConfigError if there is none."""
    try:
        index = open_reader(settings.index, timeout_s=READ_TIMEOUT_S)
    except IndexUnavailable as error:
        raise ConfigError(f"the index {error}") from error
    with index:
        yield index


def lake_to_read(settings: Settings, index: Index) -> ObjectStore:
    """Open the lake of an index for reading only: nothing is created.

    Raises ConfigError if it is missing, or belongs to another index.
    """
    store, lake_id = open_lake_without_index(settings)
    check_bound_lake(index, lake_id=lake_id, lake_uri=store.uri)
    return store


def web_config(settings: Settings) -> "WebConfig":
    """Return the limits of web requests; user agents come from the sources."""
    from tasks.web.addresses import AddressLimits  # noqa: PLC0415
    from tasks.web.client import WebConfig  # noqa: PLC0415 - the HTTP client costs more than most commands

    return WebConfig(
        user_agent="",
        timeout_s=settings.timeout_s,
        deadline_s=settings.deadline_s,
        max_wire_size=settings.max_wire_size,
        max_decoded_size=settings.max_decoded_size,
        max_redirects=settings.max_redirects,
        max_connections=settings.connections,
        signer=signer_of(settings),
        addresses=AddressLimits(most=settings.max_per_address, shared_networks=settings.shared_networks),
    )


def signer_of(settings: Settings) -> "Signer | None":
    """Return the signer of requests, if a key is configured; raises ConfigError."""
    if settings.signing_key is None:
        return None
    if settings.signature_agent is None:
        raise ConfigError("PRESSLAKE_SIGNING_KEY needs PRESSLAKE_SIGNATURE_AGENT: where the public key is served")
    from tasks.web.signing import AgentForm, read_signer  # noqa: PLC0415

    return read_signer(settings.signing_key, settings.signature_agent, AgentForm(settings.signature_form))


def reader_of(settings: Settings) -> "SharedReader":
    """Return the reader of feeds and long robots.txt files, which has processes of its own."""
    from tasks.runtime.reading import READING, SharedReader  # noqa: PLC0415 - worker processes, which few commands need

    limits = replace(READING, time_limit_s=settings.read_time_limit_s, memory_size=settings.read_memory_size)
    return SharedReader(limits)


def polite_client(settings: Settings, owners: "Owners", *, is_of_many: bool = False) -> "PoliteClient":
    """Return the polite client of one batch, with permits from the index.

    With `is_of_many`, every origin visited at once keeps its connection, up to half of this process's file limit, so
    that a feed reuses the connection of its robots.txt and saves a handshake.
    """
    from tasks.index.hosts import HostLimits  # noqa: PLC0415
    from tasks.politeness.client import MAX_ORIGINS, PoliteClient  # noqa: PLC0415 - the HTTP client

    limits, config = HostLimits(opened_index(settings)), web_config(settings)
    if is_of_many:
        config = replace(config, max_idle=min(MAX_ORIGINS, _most_files() // 2))
    return PoliteClient(config, limits, in_flight=settings.connections, owners=owners, reader=reader_of(settings))


def _most_files() -> int:
    most, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return sys.maxsize if most == resource.RLIM_INFINITY else most


def software_name() -> str:
    """Return the software name and version for WARC segments."""
    return f"presslake/{version('presslake')}"


def close_opened() -> None:
    """Close what this process opened; the next call opens it again."""
    if _index.cache_info().currsize:
        for index in _indexes:
            index.close()
    _indexes.clear()
    _index.cache_clear()
    _store.cache_clear()


# without this, a command would leave SQLite's write-ahead log next to the index
atexit.register(close_opened)

_indexes: list[Index] = []


@lru_cache(maxsize=8)
def _index(url: str) -> Index:
    index = open_index(url)
    _indexes.append(index)
    return index


@lru_cache(maxsize=8)
def _store(uri: str, endpoint_url: str | None, region: str | None) -> ObjectStore:
    return open_store(uri, s3=S3Config(endpoint_url=endpoint_url, region=region))
