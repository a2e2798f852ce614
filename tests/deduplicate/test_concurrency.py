"""Processes that decide equal and overlapping batches concurrently give the results of one process."""

import multiprocessing
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from multiprocessing.connection import Connection
from multiprocessing.synchronize import Barrier

import pytest

from tasks.deduplicate.deciding import decide_batch
from tasks.index import announcing, outbox
from tasks.index.announcing import Announcement
from tasks.index.database import Index, open_index
from tasks.index.schema import articles, edges
from tasks.values.batch import Batch
from tasks.values.page import Page
from tests.deduplicate.pages import batch_of, page, story

NOW = datetime(2026, 3, 1, 12, 30, tzinfo=UTC)
Share = Callable[[], list[list[Batch]]]
STORIES, OUTLETS, PROCESSES = 8, 6, 4


def make_pages(outlet: int) -> dict[str, Page]:
    """Return every story in an outlet's own version."""
    return {
        f"{outlet}.example/{number}": page(
            story(number, words=160 + 10 * outlet, changed=outlet), published_at=NOW - timedelta(hours=outlet)
        )
        for number in range(STORIES)
    }


def overlapping() -> list[list[Batch]]:
    """Give all batches to every process, in different orders; a batch shares a third of its pages with the next."""
    pages = {key: one for outlet in range(OUTLETS) for key, one in make_pages(outlet).items()}
    keys = list(pages)
    parts = [keys[start : start + 12] for start in range(0, len(keys), 8)]
    batches = [batch_of(f"b{number}", {key: pages[key] for key in part}, now=NOW) for number, part in enumerate(parts)]
    return [batches, batches[::-1], batches[5:] + batches[:5], batches[::2] + batches[1::2]]


def apart() -> list[list[Batch]]:
    """Give each process small batches of different outlets, so that copies are decided concurrently."""
    shares: list[list[Batch]] = [[] for _ in range(PROCESSES)]
    for outlet in range(OUTLETS):
        for key, one in make_pages(outlet).items():
            shares[outlet % PROCESSES].append(batch_of(f"b{key}", {key: one}, now=NOW))
    return shares


def decide_share(url: str, share: Share, number: int, start: Barrier) -> None:
    # each process makes its own batches: a full pipe would block the parent if a child fails to start
    with open_index(url) as index:
        start.wait(timeout=60)
        for batch in share()[number]:
            decide_batch(batch, index=index, now=NOW)


def announce(index: Index, batches: Sequence[Batch]) -> None:
    with index.write() as tx:
        for batch in batches:
            urls = [
                Announcement(
                    url=look.due.url, url_key=look.due.url_key, host=look.due.host, source_id="a", announced_by="f"
                )
                for look in batch.looks
            ]
            announcing.announce(tx, urls, now=NOW)


def found(index: Index) -> tuple[set[tuple[str, ...]], set[frozenset[str]], Counter[str]]:
    """Return the edges, the clusters, and how many representatives each has."""
    with index.read() as tx:
        lines = {(row.a, row.b, row.kind) for row in tx.execute(edges.select())}
        rows = tx.execute(articles.select()).all()
    clusters: dict[str, set[str]] = {}
    for row in rows:
        clusters.setdefault(row.cluster_id, set()).add(row.article_id)
    first = Counter(row.cluster_id for row in rows if row.is_representative)
    return lines, {frozenset(members) for members in clusters.values()}, first


@pytest.mark.parametrize("share", [overlapping, apart])
def test_four_concurrent_deciders_find_what_one_finds(forking, index_url, tmp_path, share):
    shares = share()
    batches = list({batch.batch_id: batch for part in shares for batch in part}.values())
    with open_index(f"sqlite:///{tmp_path / 'alone.db'}") as alone:
        announce(alone, batches)
        for batch in batches:
            decide_batch(batch, index=alone, now=NOW)
        expected_edges, expected_clusters, _ = found(alone)

    with open_index(index_url) as index:
        announce(index, batches)
        exit_codes = decide_at_once(forking, index_url, share)
        with index.read() as tx:
            items = outbox.pending(tx, limit=999)
        lines, clusters, first = found(index)

    assert exit_codes == [0] * PROCESSES
    assert (lines, clusters) == (expected_edges, expected_clusters)
    assert set(first.values()) == {1}
    assert sorted(item.batch_id for item in items) == sorted(batch.batch_id for batch in batches)
    assert [item.sequence for item in items] == list(range(1, len(batches) + 1))
    revisions = [(row.article_id, row.revision) for item in items for row in item.articles]
    assert len(revisions) == len(set(revisions)) == STORIES * OUTLETS


@pytest.fixture(scope="module")
def forking() -> Iterator[Connection]:
    """A process that forks the deciders: importing their modules costs more than deciding."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    parent = context.Process(target=serve, args=(theirs,))
    parent.start()
    theirs.close()
    with ours:
        yield ours
    parent.join(timeout=30)
    parent.kill()
    parent.join()


def decide_at_once(forking: Connection, url: str, share: Share) -> list[int | None]:
    """Decide a share in concurrent processes; return their exit codes."""
    forking.send((url, share))
    return forking.recv() if forking.poll(timeout=150) else []


def serve(asked: Connection) -> None:
    """Fork the deciders for each request."""
    with suppress(EOFError):
        while True:
            asked.send(fork_all(*asked.recv()))


def fork_all(url: str, share: Share) -> list[int | None]:
    context = multiprocessing.get_context("fork")
    start = context.Barrier(PROCESSES)
    processes = [context.Process(target=decide_share, args=(url, share, number, start)) for number in range(PROCESSES)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(timeout=90)
        process.kill()
        process.join()
    return [process.exitcode for process in processes]
