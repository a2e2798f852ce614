"""A long sequence in parts that one statement, one transaction or one list can hold. Pure."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TypeVar

T = TypeVar("T")


def in_chunks(values: Iterable[T], size: int) -> Iterator[list[T]]:
    """Yield the values in their order, `size` at a time; the last part may be shorter."""
    rest = iter(values)
    while part := list(islice(rest, size)):
        yield part
