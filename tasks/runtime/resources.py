"""Open the ports that the settings name, once a process: an S3 client costs 0.2 s, an engine has a pool.

Tasks take plain data and open what they need here; the clients opened are safe between threads.
"""

import atexit
from dataclasses import replace
from functools import lru_cache

from tasks.config.settings import Settings
from tasks.index.database import Index, bind_lake, open_index
from tasks.lake.keys import FIRST_KEYS
from tasks.lake.objects.stores import ObjectStore, S3Config, open_lake, open_store
from tasks.runtime.reading import READING, SharedReader
from tasks.web.client import WebConfig


def opened_index(settings: Settings) -> Index:
    """Return the index; raises ConfigError."""
    return _index(settings.index)


def opened_store(settings: Settings) -> ObjectStore:
    """Return the lake's object store; raises ConfigError."""
    return _store(settings.lake, settings.s3_endpoint_url, settings.s3_region)


def check_lake(settings: Settings) -> None:
    """Check that the lake can be used, is of our format, and is the one this index knows; raises ConfigError."""
    store = opened_store(settings)
    lake_id, is_used = open_lake(store), any(store.exists(key) for key in FIRST_KEYS)
    bind_lake(opened_index(settings), lake_id=lake_id, lake_uri=store.uri, is_used=is_used)


def web_config(settings: Settings) -> WebConfig:
    """Return how the web is asked; the user agent comes from the source."""
    return WebConfig(
        user_agent="",
        timeout_s=settings.timeout_s,
        deadline_s=settings.deadline_s,
        max_wire_size=settings.max_wire_size,
        max_decoded_size=settings.max_decoded_size,
        max_redirects=settings.max_redirects,
        max_connections=settings.connections,
    )


def reader_of(settings: Settings) -> SharedReader:
    """Return what reads feeds and long robots.txt files, in processes of its own."""
    limits = replace(READING, time_limit_s=settings.read_time_limit_s, memory_size=settings.read_memory_size)
    return SharedReader(limits)


def close_opened() -> None:
    """Give back what this process opened; the next call opens it again."""
    if _index.cache_info().currsize:
        for index in _indexes:
            index.close()
    _indexes.clear()
    _index.cache_clear()
    _store.cache_clear()


# a command that closes nothing would leave SQLite's write-ahead log beside the index
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
