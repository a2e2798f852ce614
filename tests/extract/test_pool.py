import os
import pickle
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from tasks.errors import CorruptRecord, ExtractorCrashed, ExtractorTimedOut, ItemError, Stopped, UnexpectedError
from tasks.extract.pool import ExtractorPool
from tasks.runtime.workers import JOBS_AHEAD
from tasks.values.page import Page
from tests.extract.stored import CONFIG, MIB, asked, fixtures, misbehave

GOOD = "good"


@pytest.fixture(scope="module")
def pool():
    with ExtractorPool(replace(CONFIG, time_limit_s=3, patience=2, memory_size=700 * MIB), read=misbehave) as one:
        yield one


@pytest.mark.parametrize(
    ("deed", "error"),
    [
        ("hang", ExtractorTimedOut),
        ("spin", ExtractorTimedOut),
        ("die", ExtractorCrashed),
        ("die_at_once", ExtractorCrashed),
        ("eat", ExtractorCrashed),
        ("fault", UnexpectedError),
        ("unsendable", UnexpectedError),
    ],
)
def test_a_page_that_misbehaves_is_quarantined_once_and_its_neighbours_are_extracted(pool, deed, error):
    pages = asked(GOOD, GOOD, deed, GOOD, GOOD, GOOD)

    found = list(pool.extract(pages))

    assert [capture_id for capture_id, _ in found] == [page.capture_id for _, page in pages]
    assert [type(one) for _, one in found] == [Page, Page, error, Page, Page, Page]


def test_few_pages_are_held_in_memory(pool):
    taken = []

    def pages():
        for url, page in asked(*[GOOD] * (JOBS_AHEAD + 20)):
            taken.append(page.capture_id)
            yield url, page

    found = pool.extract(pages())
    next(found)
    ahead = len(taken)

    assert (ahead, len(list(found))) == (JOBS_AHEAD, len(taken) - 1)


def test_several_misbehaving_pages_are_distinguished(pool):
    deeds = ["die", GOOD, "eat", "die_at_once", GOOD, "hang", "fault", GOOD]

    found = list(pool.extract(asked(*deeds)))

    assert [isinstance(one, Page) for _, one in found] == [deed == GOOD for deed in deeds]


def test_an_error_names_the_page_and_the_cause(pool):
    ((_, died), (_, faulty)) = pool.extract(asked("die", "fault"))

    assert str(died) == f"the worker died with exit code {-signal.SIGKILL} at https://daily.example/die/0"
    assert str(faulty) == "OverflowError: a fault of a library at https://daily.example/fault/1"


def test_a_hanging_page_is_killed_after_the_time_limit(pool):
    ((_, waited),) = pool.extract(asked("hang"))

    assert str(waited) == "killed after 6 s at https://daily.example/hang/0"


def test_a_busy_page_is_killed_by_cpu_time_but_a_delayed_one_is_not():
    with ExtractorPool(replace(CONFIG, time_limit_s=0.5, patience=600), read=misbehave) as pool:
        ((_, burned), (_, slowed)) = pool.extract(asked("spin", "doze"))

    assert str(burned) == "killed after 0.5 s of CPU at https://daily.example/spin/0"
    assert isinstance(slowed, Page)


def test_idle_workers_that_are_killed_are_replaced(pool):
    pids = {int(one.section) for _, one in pool.extract(asked(*[GOOD] * 8))}
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
    time.sleep(0.5)  # the pool checks its workers five times a second

    found = list(pool.extract(asked(GOOD, GOOD)))

    assert [type(one) for _, one in found] == [Page, Page]
    assert not pids & {int(one.section) for _, one in found}


def test_a_worker_is_replaced_after_its_pages():
    with ExtractorPool(replace(CONFIG, workers=1, pages_a_worker=2), read=misbehave) as pool:
        pids = [one.section for _, one in pool.extract(asked(*[GOOD] * 5))]

    assert [pids.count(pid) for pid in dict.fromkeys(pids)] == [2, 2, 1]


def test_a_damaged_record_stops_the_batch(pool):
    good, (url, damaged), last = asked(GOOD, GOOD, GOOD)

    with pytest.raises(CorruptRecord):
        list(pool.extract([good, (url, replace(damaged, record=damaged.record[:-20])), last]))


def test_batches_that_share_the_pool_do_not_affect_each_other(pool):
    batches = [asked(GOOD, "die_at_once", GOOD, "die"), asked(*[GOOD] * 6), asked("die_at_once", GOOD, GOOD)]

    with ThreadPoolExecutor(len(batches)) as threads:
        found = list(threads.map(lambda pages: [type(one) for _, one in pool.extract(pages)], batches))

    assert found == [[Page, ExtractorCrashed, Page, ExtractorCrashed], [Page] * 6, [ExtractorCrashed, Page, Page]]


@pytest.mark.parametrize("deeds", [["hang"], ["hang", *[GOOD] * 20]])
def test_a_batch_ends_without_new_workers_if_its_pool_is_closed(deeds):
    with ThreadPoolExecutor(1) as threads, ExtractorPool(replace(CONFIG, workers=1), read=misbehave) as pool:
        batch = threads.submit(lambda: list(pool.extract(asked(*deeds))))
        time.sleep(1)
        pool.close()

        with pytest.raises(Stopped):
            batch.result(timeout=10)
        with pytest.raises(Stopped):
            list(pool.extract(asked(GOOD)))


def test_an_empty_batch_starts_no_worker():
    with ExtractorPool(CONFIG) as pool:
        assert list(pool.extract([])) == []


def test_results_do_not_depend_on_run_worker_count_or_order():
    forwards, again = pages_by_id(2, fixtures()), pages_by_id(2, fixtures())
    backwards = pages_by_id(1, fixtures()[::-1])

    assert forwards == again == backwards
    assert len(forwards) == len(fixtures())


def pages_by_id(workers: int, pages) -> dict[str, bytes]:
    with ExtractorPool(replace(CONFIG, workers=workers)) as pool:
        return {capture_id: as_bytes(found) for capture_id, found in pool.extract(pages)}


def as_bytes(found: Page | ItemError) -> bytes:
    """Serialise a result field by field: pickle's bytes also depend on which equal strings are one object."""
    return repr(found).encode() if isinstance(found, Page) else pickle.dumps((type(found).__name__, str(found)))
