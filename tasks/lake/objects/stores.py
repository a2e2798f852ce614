"""Open the object store of a lake by its address (a directory or S3), and read or write the marker that makes it a lake."""

import json
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import unquote, urlsplit

from tasks.errors import ConfigError, LakeFormatError
from tasks.lake.keys import LAKE_FORMAT, MARKER_KEY, NEW_FORMAT
from tasks.lake.objects.address import S3Config
from tasks.lake.objects.directory import DirectoryStore, find_directory, open_directory
from tasks.lake.objects.port import MissingObject, ObjectInfo, ObjectStore, one_line

__all__ = [
    "DirectoryStore",
    "MissingObject",
    "ObjectInfo",
    "ObjectStore",
    "S3Config",
    "find_lake",
    "one_line",
    "open_lake",
    "open_store",
]

RACERS = 8


def open_store(uri: str, *, s3: S3Config, only_reads: bool = False) -> ObjectStore:
    """Open the object store at an address, or in the directory at a path; raises ConfigError when it cannot be used.

    With `only_reads` no directory is created.
    """
    scheme, separator, _ = uri.partition("://")
    for one in SCHEMES:
        if one.scheme == (scheme if separator else ""):
            return one.open(uri, s3, only_reads)
    raise ConfigError(f"{uri}: a lake is {' or '.join(one.form for one in SCHEMES if one.form)}")


def _open_path(uri: str, _: S3Config, only_reads: bool) -> ObjectStore:
    return (find_directory if only_reads else open_directory)(Path(uri).expanduser())


def _open_file(uri: str, s3: S3Config, only_reads: bool) -> ObjectStore:
    return _open_path(unquote(urlsplit(uri).path), s3, only_reads)


def _open_s3(uri: str, s3: S3Config, _only_reads: bool) -> ObjectStore:
    from tasks.lake.objects.s3 import open_s3  # noqa: PLC0415 - boto3 costs half a second

    bucket, _, prefix = uri.removeprefix("s3://").partition("/")
    return open_s3(bucket, prefix.strip("/"), s3)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scheme:
    """Opens the stores of one scheme; `form` shows people how to write an address."""

    scheme: str
    form: str
    open: Callable[[str, S3Config, bool], ObjectStore]


SCHEMES = (
    Scheme(scheme="", form="a directory", open=_open_path),
    Scheme(scheme="file", form="", open=_open_file),
    Scheme(scheme="s3", form="s3://bucket/prefix", open=_open_s3),
)
"""All object stores. To add one, write a module and add a row."""


def open_lake(store: ObjectStore) -> str:
    """Return the lake's id, and write its marker if there is none; if several processes do so at once, one wins.

    Raises LakeFormatError for a lake of a newer format or a marker that cannot be read, ConfigError for a new lake on
    a store where several writers may win one conditional PUT, and LakeUnavailable.
    """
    try:
        content = store.get(MARKER_KEY)
    except MissingObject:
        _check_exclusive(store)
        store.put_new(MARKER_KEY, _new_marker())
        content = store.get(MARKER_KEY)
    return _lake_id(content, store.uri)


def find_lake(store: ObjectStore) -> str | None:
    """Return the lake's id, or None if no lake is there yet. Raises LakeFormatError, LakeUnavailable."""
    try:
        content = store.get(MARKER_KEY)
    except MissingObject:
        return None
    return _lake_id(content, store.uri)


def _check_exclusive(store: ObjectStore) -> None:
    """Check that exactly one of several writers wins a conditional PUT: commits rely on it, and some S3 servers let several win."""
    from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415 - needed once per lake

    key = f"probe-{uuid.uuid4()}"
    try:
        with ThreadPoolExecutor(RACERS) as pool:
            winners = sum(pool.map(lambda n: store.put_new(key, str(n).encode()), range(RACERS)))
    finally:
        store.delete(key)
    if winners > 1:
        raise ConfigError(
            f"{store.uri}: {winners} writers succeeded with one PUT with If-None-Match: this store is not safe for a lake"
        )


def _new_marker() -> bytes:
    content = {"format": NEW_FORMAT, "lake_id": str(uuid.uuid4()), "created_at": datetime.now(UTC).isoformat()}
    return json.dumps(content).encode()


def _lake_id(marker: bytes, where: str) -> str:
    try:
        content = json.loads(marker)
        lake_format, lake_id = int(content["format"]), str(content["lake_id"])
    except (ValueError, TypeError, KeyError) as error:
        raise LakeFormatError(f"{where}: {MARKER_KEY} exists but does not belong to a lake") from error
    if lake_format > LAKE_FORMAT:
        raise LakeFormatError(
            f"lake {where} is of format {lake_format}; this Presslake reads up to {LAKE_FORMAT}: upgrade Presslake"
        )
    return lake_id
