"""The shape of a text: what near-duplicates are found and compared by, as it lies in the index. Pure."""

import struct
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Self


@dataclass(frozen=True, kw_only=True)
class Shape:
    """What is compared of one text: its words' number, the sketch (63 bits a hash), and hashes of 32 bits.

    These are of its shingles, its numbers, its vocabulary (the different words, numbers among them) and the names in that. They
    are packed, each value once, smallest first: most shapes are stored and read and compared with nothing.
    """

    algorithm: int
    words: int
    sketch: tuple[int, ...]
    packed_shingles: bytes
    packed_numbers: bytes
    packed_vocabulary: bytes = b""
    packed_names: bytes = b""

    @classmethod
    def of(
        cls,
        *,
        algorithm: int,
        words: int,
        sketch: tuple[int, ...],
        shingles: Iterable[int],
        numbers: Iterable[int],
        vocabulary: Iterable[int] = (),
        names: Iterable[int] = (),
    ) -> Self:
        """Return the shape that these make."""
        return cls(
            algorithm=algorithm,
            words=words,
            sketch=sketch,
            packed_shingles=pack("I", shingles),
            packed_numbers=pack("I", numbers),
            packed_vocabulary=pack("I", vocabulary),
            packed_names=pack("I", names),
        )

    @cached_property
    def shingles(self) -> frozenset[int]:
        """The hashes of its shingles."""
        return frozenset(unpack("I", self.packed_shingles))

    @cached_property
    def numbers(self) -> frozenset[int]:
        """The hashes of its numbers."""
        return frozenset(unpack("I", self.packed_numbers))

    @cached_property
    def vocabulary(self) -> frozenset[int]:
        """The hashes of its different words."""
        return frozenset(unpack("I", self.packed_vocabulary))

    @cached_property
    def names(self) -> frozenset[int]:
        """The hashes of its names."""
        return frozenset(unpack("I", self.packed_names))


def pack(kind: str, values: Iterable[int]) -> bytes:
    """Return the values, smallest first, as little-endian integers of struct's `kind`."""
    ordered = sorted(set(values))
    return struct.pack(f"<{len(ordered)}{kind}", *ordered)


def unpack(kind: str, packed: bytes) -> tuple[int, ...]:
    """Return what `pack` packed."""
    return struct.unpack(f"<{len(packed) // struct.calcsize(kind)}{kind}", packed)
