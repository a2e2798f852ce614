"""The object that makes a place a lake: which format it is of, and which lake it is."""

import json
import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime

from tasks.errors import ConfigError, LakeFormatError
from tasks.layout import LAKE_FORMAT, MARKER_KEY
from tasks.objects import MissingObject, ObjectStore

RACERS = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class LakeMarker:
    """What `presslake.json` says."""

    format: int
    lake_id: str
    created_at: datetime


def open_lake(store: ObjectStore, *, now: datetime) -> LakeMarker:
    """Read the lake's marker, writing it where there is none: of several who do so at once, one wins.

    Raises LakeFormatError for a lake of a newer format or a marker that cannot be read, ConfigError for a new lake on
    a store where several writers may win one conditional PUT, and LakeUnavailable.
    """
    try:
        content = store.get(MARKER_KEY)
    except MissingObject:
        _check_exclusive(store)
        store.put_new(MARKER_KEY, _new_marker(now))
        content = store.get(MARKER_KEY)
    return _parse(content, store.uri)


def _check_exclusive(store: ObjectStore) -> None:
    """Let writers race for one key: commits rest on there being one winner, and some S3 servers know of none."""
    key = f"probe-{uuid.uuid4()}"
    try:
        with ThreadPoolExecutor(RACERS) as pool:
            winners = sum(pool.map(lambda n: store.put_new(key, str(n).encode()), range(RACERS)))
    finally:
        store.delete(key)
    if winners > 1:
        raise ConfigError(
            f"{store.uri}: {winners} writers won one PUT with If-None-Match: this store cannot hold a lake"
        )


def _new_marker(now: datetime) -> bytes:
    created_at = now.astimezone(UTC).isoformat()
    return json.dumps({"format": LAKE_FORMAT, "lake_id": str(uuid.uuid4()), "created_at": created_at}).encode()


def _parse(content: bytes, where: str) -> LakeMarker:
    try:
        told = json.loads(content)
        told_format = int(told["format"])
        if told_format > LAKE_FORMAT:
            raise LakeFormatError(
                f"{where}: of lake format {told_format}; this Presslake reads up to {LAKE_FORMAT}: upgrade Presslake"
            )
        return LakeMarker(
            format=told_format,
            lake_id=str(uuid.UUID(told["lake_id"])),
            created_at=datetime.fromisoformat(told["created_at"]).astimezone(UTC),
        )
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise LakeFormatError(f"{where}: {MARKER_KEY} is there and is not a lake's: {type(error).__name__}") from error
