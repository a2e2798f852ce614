"""A batch's captures are counted when it is decided."""

from tasks.index.capture_counts import read_counts
from tasks.reasons import Disposition
from tasks.values.rows import Outcome
from tests.deduplicate.deciding import NOW, decide


def test_a_batch_decided_twice_is_counted_once(index):
    looks = {
        "a.example/1": "A text of its own.",
        "a.example/2": (Outcome.FAILED, Disposition.DROPPED),
    }
    for _ in range(2):
        decide(index, "b1", looks, now=NOW)

    with index.read() as tx:
        counted = {(one.outcome, one.reason, one.novelty): one.captures for one in read_counts(tx)}
    assert counted == {("ok", "", "new"): 1, ("failed", "reason", ""): 1}
