"""Reading slices of stored objects."""

import pytest

from tasks.lake.objects.directory import open_directory
from tasks.lake.objects.port import MissingObject
from tasks.lake.stored_bytes import StoredBytes

BODY = bytes(range(256)) * 40


class Reads:
    """A store that records the ranges read."""

    def __init__(self, store):
        self._store = store
        self.ranges = []

    def get_range(self, key, offset, length):
        self.ranges.append((offset, length))
        return self._store.get_range(key, offset, length)


@pytest.fixture
def reads(tmp_path):
    store = open_directory(tmp_path)
    store.put("warc/a", BODY)
    return Reads(store)


@pytest.mark.parametrize(
    "places", [[(0, 10), (10, 10), (5000, 5120)], [(4000, 4100), (0, 3), (9000, 20_000)], [(7, 7)]]
)
def test_slices_equal_those_of_the_bytes(reads, places):
    stored = StoredBytes(reads, "warc/a", size=1000)

    assert [stored[start:stop] for start, stop in places] == [BODY[start:stop] for start, stop in places]


def test_sequential_slices_share_reads_and_a_long_one_is_read_at_once(reads):
    stored = StoredBytes(reads, "warc/a", size=1000)
    for start in range(0, 3000, 100):
        stored[start : start + 100]
    stored[3000:9000]

    assert reads.ranges == [(0, 1000), (1000, 1000), (2000, 1000), (3000, 6000)]


def test_a_missing_objects_slice_raises(reads):
    with pytest.raises(MissingObject):
        StoredBytes(reads, "warc/b")[0:1]
