"""The port to the object store: bytes under keys, and what its implementations share.

A key is a relative path of plain segments; tasks/lake/keys.py makes them.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import BinaryIO, Protocol

OCTETS = "application/octet-stream"

Body = bytes | BinaryIO
"""The body of a put: bytes, or a file, which is streamed from its beginning."""


class MissingObject(LookupError):
    """There is no object under this key; the message is the key."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectInfo:
    """One object as a listing shows it; `size` in bytes, `modified_at` aware UTC."""

    key: str
    size: int
    modified_at: datetime


class ObjectStore(Protocol):
    """Bytes under keys. Every method may raise LakeUnavailable, and ValueError for an invalid key."""

    @property
    def uri(self) -> str:
        """The store's address, for people."""
        ...

    def put(self, key: str, body: Body, *, content_type: str = OCTETS) -> None:
        """Store under the key, replacing any object there, atomically: readers see the old bytes or the new, never a part."""
        ...

    def put_new(self, key: str, body: bytes) -> bool:
        """Store only if the key is free; True for the one writer whose bytes are stored."""
        ...

    def get(self, key: str) -> bytes:
        """Return the object; raises MissingObject."""
        ...

    def get_range(self, key: str, offset: int, length: int) -> bytes:
        """Return `length` (at least 1) bytes from `offset`, fewer if the object ends earlier; raises MissingObject."""
        ...

    def exists(self, key: str) -> bool: ...

    def list(self, prefix: str) -> Iterator[ObjectInfo]:
        """Yield the objects whose key begins with `prefix` (any string), in the order of their keys."""
        ...

    def delete(self, key: str) -> None:
        """Remove the object; a missing one is no error."""
        ...

    def keeps_versions(self) -> bool | None:
        """Whether the store keeps what was replaced or deleted; None if it does not say. Raises LakeUnavailable."""
        ...

    def delta_uri(self, table: str) -> str:
        """Return a table's address for delta-rs."""
        ...

    def storage_options(self) -> dict[str, str] | None:
        """Return delta-rs's options; they contain secrets and must never be logged."""
        ...


def checked_key(key: str) -> str:
    """Return the key; raises ValueError for one that could lead out of the store."""
    plain = all(segment not in {"", ".", ".."} for segment in key.split("/"))
    if not plain or "\\" in key or not key.isprintable() or not key.isascii():
        raise ValueError(f"not a key of an object: {key!r}")
    return key


def check_range(offset: int, length: int) -> None:
    """Raise ValueError for an invalid range of bytes."""
    if offset < 0 or length < 1:
        raise ValueError(f"not a range of bytes: {length} from {offset}")


def one_line(error: BaseException) -> str:
    """Return a library's message as one short line, without terminal codes and frames of Rust, for our own messages."""
    text = re.sub(r"\x1b\[[0-9;]*m", "", str(error)) or type(error).__name__
    text = re.split(r"\n\s*0: ", text, maxsplit=1)[0]  # with RUST_BACKTRACE in the environment
    return " ".join(text.split())[:300]
