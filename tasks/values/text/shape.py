"""The shape of a text, by which near-duplicates are found and compared, as stored in the index. Pure."""

import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

MOST_COMPARED = 4096
"""The most shingles of a text that are compared; hashes are uniform, so that a sample gives the share of all (Broder
1997)."""

_GREATEST = 2**32 - 1


@dataclass(frozen=True, kw_only=True)
class Shape:
    """The shape of one text.

    It has the word count, the sketch (63-bit hashes), and 32-bit hashes of its shingles, its numbers, its vocabulary
    (distinct words, including numbers) and the names in it. The hashes are packed, distinct and sorted, since most
    shapes are stored and read without being compared.
    """

    algorithm: int
    words: int
    sketch: tuple[int, ...]
    packed_shingles: bytes
    packed_numbers: bytes
    packed_vocabulary: bytes = b""
    packed_names: bytes = b""

    @cached_property
    def shingles(self) -> frozenset[int]:
        """The hashes of its shingles."""
        return frozenset(unpack("I", self.packed_shingles))

    @cached_property
    def bound(self) -> int:
        """The greatest hash that is compared; a long text is represented by its smallest hashes."""
        if len(self.packed_shingles) <= 4 * MOST_COMPARED:
            return _GREATEST
        return unpack("I", self.packed_shingles[4 * MOST_COMPARED - 4 : 4 * MOST_COMPARED])[0]

    def sample(self, bound: int) -> frozenset[int]:
        """Return the shingle hashes up to a bound, which must not exceed its own."""
        if bound == _GREATEST:
            return self.shingles
        return self._sample if bound == self.bound else frozenset(one for one in self._sample if one <= bound)

    @cached_property
    def _sample(self) -> frozenset[int]:
        return frozenset(unpack("I", self.packed_shingles[: 4 * MOST_COMPARED]))

    def pack_up(self) -> None:
        """Drop the unpacked sets, which take some ten times the memory; they are unpacked again on demand."""
        for name in ("shingles", "_sample", "numbers", "vocabulary", "names"):
            self.__dict__.pop(name, None)

    @cached_property
    def numbers(self) -> frozenset[int]:
        """The hashes of its numbers."""
        return frozenset(unpack("I", self.packed_numbers))

    @cached_property
    def vocabulary(self) -> frozenset[int]:
        """The hashes of its distinct words."""
        return frozenset(unpack("I", self.packed_vocabulary))

    @cached_property
    def names(self) -> frozenset[int]:
        """The hashes of its names."""
        return frozenset(unpack("I", self.packed_names))


def pack(kind: str, values: Iterable[int]) -> bytes:
    """Return the values, smallest first, as little-endian integers of struct's `kind`."""
    ordered = sorted(dict.fromkeys(values))  # not a set: sorting is fast if the values are in order already
    return struct.pack(f"<{len(ordered)}{kind}", *ordered)


def pack_digests(digests: Sequence[bytes]) -> bytes:
    """Return the high halves of sorted, distinct 64-bit digests, like `pack("I", …)` but faster."""
    joined, size = b"".join(digests), 4 * len(digests)
    halves, turned = bytearray(size), bytearray(size)
    for place in range(4):
        halves[place::4] = turned[3 - place :: 4] = joined[place::8]
    if not _may_repeat(halves):
        return bytes(turned)
    return pack("I", struct.unpack(f">{len(digests)}I", halves))


def _may_repeat(values: bytearray) -> bool:
    """Whether these sorted big-endian 32-bit integers may contain a duplicate; nearly always False."""
    number = int.from_bytes(values)
    return bytes(4) in (number ^ number >> 32).to_bytes(len(values))  # equal neighbours xor to zero


def unpack(kind: str, packed: bytes) -> tuple[int, ...]:
    """Return the values that `pack` packed."""
    return struct.unpack(f"<{len(packed) // struct.calcsize(kind)}{kind}", packed)
