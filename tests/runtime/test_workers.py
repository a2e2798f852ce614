"""Jobs of an event loop in processes that can be killed: where they run, and what happens to misbehaving ones."""

import asyncio
import os
import signal

import pytest

from tasks.errors import FeedUnreadable, NotAFeed, Stopped, UnexpectedError
from tasks.runtime.reading import FeedJob, SharedReader, close_reader
from tasks.runtime.workers import WorkerConfig, WorkerPool

CONFIG = WorkerConfig(workers=1, time_limit_s=2, memory_size=700 * 1024 * 1024, patience=2)


def behave(deed: bytes) -> int:
    """In a worker, misbehave as the bytes say; otherwise return its process id."""
    if deed == b"die":
        os.kill(os.getpid(), signal.SIGKILL)
    if deed == b"spin":
        while True:
            pass
    if deed == b"eat":
        return len(bytearray(1 << 34))
    if deed == b"refuse":
        raise NotAFeed("nothing but a deed")
    if deed == b"fault":
        raise OverflowError("a fault of a library")
    return os.getpid()


def job(deed: str):
    return FeedJob(behave, (deed.encode(),), f"https://daily.example/{deed}")


@pytest.fixture(scope="module")
def pool():
    with WorkerPool(CONFIG) as one:
        yield one


async def test_a_job_runs_in_another_process_without_blocking_the_loop(pool):
    ticks = 0

    async def tick():
        nonlocal ticks
        while True:
            ticks += 1
            await asyncio.sleep(0)

    ticking = asyncio.create_task(tick())
    done_by = await pool.read(job("read"))
    ticking.cancel()

    assert done_by != os.getpid()
    assert ticks > 1


@pytest.mark.parametrize(
    ("deed", "error"),
    [
        ("die", FeedUnreadable),
        ("spin", FeedUnreadable),
        ("eat", FeedUnreadable),
        ("refuse", NotAFeed),
        ("fault", UnexpectedError),
    ],
)
async def test_a_misbehaving_job_affects_no_other(pool, deed, error):
    first, bad, last = await asyncio.gather(
        *(pool.read(job(one)) for one in ("good", deed, "good")), return_exceptions=True
    )

    assert (type(first), type(bad), type(last)) == (int, error, int)
    assert f"https://daily.example/{deed}" in str(bad) or deed == "refuse"


async def test_a_closed_pool_accepts_no_jobs(pool):
    with WorkerPool(CONFIG) as closed:
        pass

    with pytest.raises(Stopped):
        await closed.read(job("good"))


async def test_the_pool_of_this_process_is_restarted_after_closing():
    reader = SharedReader(CONFIG)

    before = await reader.read(job("good"))
    close_reader()
    after = await reader.read(job("good"))
    close_reader()

    assert before != after
