"""Chaos: hundreds of kills while sweeping one press; then count what was lost, is duplicated or dangles.

`python -m tests.e2e.chaos` is the long form: on SQLite with a directory, on PostgreSQL with Ceph RGW, and with Prefect's
server killed during sweeps of the real flow.
"""

import argparse
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from deltalake import DeltaTable
from sqlalchemy import func, select, update
from sqlalchemy.engine import make_url

from tasks.index import frontier
from tasks.index.database import Index, open_index
from tasks.index.frontier import Selection, State
from tasks.index.schema import articles as articles_table
from tasks.index.schema import frontier as frontier_table
from tasks.index.schema import outbox as outbox_table
from tasks.lake.objects.stores import ObjectStore, S3Config, open_store
from tasks.values.url import url_key
from tasks.verify.fault import HARMLESS, FaultKind, VerifyReport
from tasks.verify.verification import verify
from tests.e2e.chaos_press import lines, pass_time
from tests.e2e.chaos_worker import GAVE_UP, STEPS, Life, Nursery, wrong_clock
from tests.e2e.flaky_s3 import flaky_s3
from tests.e2e.prefect_chaos import killable_server, sweep_without_server
from tests.engine import Presslake
from tests.postgres import connected, find_binaries, fresh_database, started_server
from tests.press import Press, running_press
from tests.servers import KEY, SECRET, make_bucket, started_ceph

KILLED = -signal.SIGKILL
DANGLING = frozenset({
    FaultKind.MISSING_SEGMENT,
    FaultKind.DAMAGED_SEGMENT,
    FaultKind.DAMAGED_RECORD,
    FaultKind.WRONG_PAYLOAD_DIGEST,
    FaultKind.MISSING_FILE,
    FaultKind.DAMAGED_FILE,
})  # fmt: skip
BY_CLOCK = "any instant"
CUT_EVERY, SHOWN_EVERY, LAST_LIVES = 8, 25, 10


@dataclass(frozen=True, kw_only=True)
class Place:
    """A run's lake and index; `plain_url` is the store's address without the faults that `endpoint_url` injects."""

    name: str
    lake: str
    index: str
    endpoint_url: str | None = None
    plain_url: str | None = None

    def store(self) -> ObjectStore:
        return open_store(self.lake, s3=S3Config(endpoint_url=self.plain_url or self.endpoint_url))


@dataclass(frozen=True, kw_only=True)
class Tables:
    """A run's results that do not depend on time: rows as tuples, as multisets."""

    articles: Counter[tuple]
    captures: Counter[tuple]
    clusters: frozenset[frozenset[str]]
    captured_twice: int


@dataclass(kw_only=True)
class Toll:
    """The differences of a chaos run to an undisturbed one."""

    place: str
    kills: Counter[str] = field(default_factory=Counter)
    cuts: int = 0
    steps: int = 0
    articles: int = 0
    captures: int = 0
    lost: int = 0
    twice: int = 0
    dangling: int = 0
    differing: int = 0
    unsettled: int = 0
    faults: dict[str, int] = field(default_factory=dict)
    orphan_segments: int = 0
    seconds: float = 0.0

    @property
    def is_none(self) -> bool:
        return not (self.lost or self.twice or self.dangling or self.differing or self.unsettled or self.faults)


@dataclass(kw_only=True)
class Killer:
    """Starts lives (worker processes) and kills them: at each step in turn, and at random times.

    `slow` is a nursery whose clock is behind; alternating between the two simulates clock changes.
    """

    nursery: Nursery
    slow: Nursery | None = None
    chance: random.Random
    longest_s: float
    kills: Counter[str] = field(default_factory=Counter)
    cuts: int = 0
    steps: int = 0
    turn: int = 0
    is_slow: bool = False

    def end_one(self, life: Life, *, progress: float) -> None:
        """Start a life and try to kill it; `progress` is the fraction of the phase that has passed."""
        self.turn += 1
        step = STEPS[self.turn // 2 % len(STEPS)] if self.turn % 2 else None
        passes = self.chance.choice((1, 1, 2)) if step else 1
        nursery = self._next_nursery(progress)
        nursery.start(
            replace(life, batches=2, die_at=step, passes=passes, trouble=0.1, seed=self.chance.randrange(2**32))
        )
        if step is None:
            time.sleep(self.chance.uniform(0, self.longest_s))
        ended = nursery.end(is_killed=step is None)
        if ended == KILLED:
            self.kills[step or BY_CLOCK] += 1
            self._tell()
        elif ended not in {0, GAVE_UP}:
            raise RuntimeError(f"a life ended by itself, with {ended}")

    def _next_nursery(self, progress: float) -> Nursery:
        """Choose a clock: behind at first, then jumping ahead and back, and right at the end."""
        was_slow = self.is_slow
        self.is_slow = self.slow is not None and (progress < 1 / 3 or (progress < 2 / 3 and self.chance.random() < 0.5))
        self.steps += was_slow != self.is_slow
        return self.slow if self.slow and self.is_slow else self.nursery

    def cut_connections(self, life: Life) -> None:
        """Terminate every database connection during a life, as a restart does."""
        self.nursery.start(replace(life, batches=1, trouble=0.1, seed=self.chance.randrange(2**32)))
        time.sleep(self.chance.uniform(0, self.longest_s))
        url = make_url(life.index)
        with connected(url) as connection:
            query = (
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s AND pid <> pg_backend_pid()"
            )
            connection.execute(query, [url.database])
        ended = self.nursery.end(is_killed=False)
        if ended not in {0, GAVE_UP}:
            raise RuntimeError(f"a life whose database went away ended with {ended}")
        self.cuts += 1

    def _tell(self) -> None:
        if self.kills.total() % SHOWN_EVERY == 0:
            sys.stderr.write(f"{self.kills.total()} kills\n")


def run_chaos(
    press: Press, place: Place, reference: Place, folder: Path, *, kills: int, batch_size: int, seed: int,
    longest_s: float = 1.2, clock_step_s: int = 3600, **environment: str,
) -> Toll:  # fmt: skip
    """Sweep a press twice, with changes between, undisturbed and under kills; return the differences.

    `batch_size` (URLs) determines how much work there is to kill: a life rarely completes over two batches. The clock is moved
    forwards and backwards by `clock_step_s` if libfaketime is installed.
    """
    begun = time.monotonic()
    urls, catalogue = folder / "urls.txt", press.catalogue(folder / "sources.yaml", max_per_host=8)
    slow_clock = wrong_clock(-clock_step_s)
    with Nursery(**environment) as nursery, ExitStack() as stack:
        slow = stack.enter_context(Nursery(**environment, **slow_clock)) if slow_clock else None
        killer = Killer(nursery=nursery, slow=slow, chance=random.Random(seed), longest_s=longest_s)
        for phase in range(2):
            again = pass_time(press) if phase else set()
            urls.write_text(lines(press))
            calm = _life(reference, catalogue, urls, batch_size=100)
            rough = _life(place, catalogue, urls, batch_size=batch_size)
            _recall(reference, again)
            _finish(nursery, calm, reference)
            _recall(place, again)
            had, wanted = killer.kills.total(), kills if phase else round(kills * 0.75)
            while killer.kills.total() < wanted and _pending(place):
                killer.end_one(rough, progress=(killer.kills.total() - had) / (wanted - had))
                if place.index.startswith("postgresql") and killer.turn % CUT_EVERY == 0:
                    killer.cut_connections(rough)
            _finish(nursery, replace(rough, batch_size=100), place)
    toll = _count_toll(press, place, read_tables(reference))
    toll.kills, toll.cuts, toll.steps = killer.kills, killer.cuts, killer.steps
    toll.seconds = round(time.monotonic() - begun, 1)
    return toll


def read_tables(place: Place) -> Tables:
    """Return a run's results."""
    store = place.store()
    articles = _rows(store, "articles", ["article_id", "revision", "text_digest", "novelty"])
    captures = _rows(store, "captures", ["capture_id", "url_key", "outcome", "novelty", "article_id", "revision"])
    with open_index(place.index) as index, index.read() as tx:
        clusters: dict[str, set[str]] = {}
        for article_id, cluster_id in tx.execute(select(articles_table.c.article_id, articles_table.c.cluster_id)):
            clusters.setdefault(cluster_id, set()).add(article_id)
    ids = Counter(row[0] for row in captures)
    return Tables(
        articles=Counter(articles),
        captures=Counter(row[1:] for row in captures),
        clusters=frozenset(map(frozenset, clusters.values())),
        captured_twice=sum(number - 1 for number in ids.values()),
    )


def verified(place: Place) -> VerifyReport:
    """Verify a run's index against its lake."""
    with open_index(place.index) as index:
        return verify(
            index=index,
            store=place.store(),
            now=datetime.now(UTC),
            is_repairing=False,
            sample=None,
            revisit_after=(),
            on_step=lambda *_: None,
        )


def _life(place: Place, catalogue: Path, urls: Path, *, batch_size: int) -> Life:
    return Life(
        lake=place.lake, index=place.index, endpoint_url=place.endpoint_url, catalogue=str(catalogue), urls=str(urls),
        batch_size=batch_size,
    )  # fmt: skip


def _finish(nursery: Nursery, life: Life, place: Place) -> None:
    """Complete the work in one undisturbed life; transient failures (a busy machine) become due at once."""
    for _ in range(LAST_LIVES):
        nursery.start(life)
        if (ended := nursery.end(is_killed=False)) not in {0, GAVE_UP}:
            raise RuntimeError(f"the last life ended with {ended}")
        if not _pending(place):
            return
        with open_index(place.index) as index, index.write() as tx:
            tx.execute(
                update(frontier_table).where(frontier_table.c.state == State.DUE).values(due_at=datetime.now(UTC))
            )
    raise RuntimeError("there are always URLs left")


def _pending(place: Place) -> int:
    with open_index(place.index) as index, index.read() as tx:
        unpublished = tx.execute(select(func.count()).select_from(outbox_table)).scalar_one()
        known = tx.execute(select(func.count()).select_from(frontier_table)).scalar_one()
        return unpublished + frontier.count_pending(tx, Selection()) if known else 1


def _recall(place: Place, urls: set[str]) -> None:
    if urls:
        with open_index(place.index) as index, index.write() as tx:
            keys = frozenset(map(url_key, urls))
            frontier.recall(tx, Selection(url_keys=keys), now=datetime.now(UTC))


def _rows(store: ObjectStore, table: str, columns: list[str]) -> list[tuple]:
    read = DeltaTable(store.delta_uri(table), storage_options=store.storage_options()).to_pyarrow_table(columns=columns)
    return list(zip(*(read.column(name).to_pylist() for name in columns), strict=True))


def _count_toll(press: Press, place: Place, calm: Tables) -> Toll:
    rough, report = read_tables(place), verified(place)
    known = {row[0] for row in calm.articles}
    with open_index(place.index) as index:
        unsettled = _count_unsettled(index, press)
    one_way, other_way = calm.articles - rough.articles, rough.articles - calm.articles
    return Toll(
        place=place.name,
        articles=rough.articles.total(),
        captures=rough.captures.total(),
        lost=sum(number for row, number in one_way.items()),
        twice=sum(n for row, n in other_way.items() if row[0] in known) + rough.captured_twice,
        dangling=sum(report.found.get(kind.value, 0) for kind in DANGLING),
        differing=(calm.captures - rough.captures).total()
        + (rough.captures - calm.captures).total()
        + len(calm.clusters ^ rough.clusters),
        unsettled=unsettled,
        faults={kind: number for kind, number in report.found.items() if FaultKind(kind) not in HARMLESS},
        orphan_segments=report.found.get(FaultKind.ORPHAN_SEGMENT.value, 0),
    )


def _count_unsettled(index: Index, press: Press) -> int:
    """Count the URLs that are not in a final state."""
    with index.read() as tx:
        states = dict(tx.execute(select(frontier_table.c.url_key, frontier_table.c.state)).tuples().all())
    return sum(states.get(url_key(url)) != State.DONE for url in press.urls()) + len(states) - len(press.urls())


@contextmanager
def local_place(folder: Path, name: str) -> Iterator[Place]:
    """Yield a place with a directory and an SQLite file."""
    home = folder / name
    home.mkdir()
    yield Place(name=name, lake=str(home / "lake"), index=f"sqlite:///{home / 'index.db'}")


@contextmanager
def server_place() -> Iterator[Place]:
    """Yield a place with a durable PostgreSQL and a Ceph RGW bucket."""
    binaries = find_binaries()
    if binaries is None:
        sys.exit("PostgreSQL is not installed here")
    os.environ |= {"AWS_ACCESS_KEY_ID": KEY, "AWS_SECRET_ACCESS_KEY": SECRET, "AWS_EC2_METADATA_DISABLED": "true"}
    with (
        started_ceph() as plain_url,
        flaky_s3(plain_url, share=0.01, seed=1) as (url, troubles),
        started_server(binaries) as server,
        fresh_database(server) as database,
    ):
        open_index(database).close()
        lake = f"s3://{make_bucket(plain_url)}/lake"
        yield Place(name="PostgreSQL, Ceph RGW", lake=lake, index=database, endpoint_url=url, plain_url=plain_url)
        _say(f"requests to S3 by trouble: {dict(troubles)}")


def main() -> None:
    """Run the long form, and print its results."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--articles", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=20260301)
    parser.add_argument(
        "--server-kills", type=int, default=8, help="of Prefect's server, under sweeps of the real flow"
    )
    parser.add_argument("--on", choices=("local", "servers", "prefect", "all"), default="all")
    asked = parser.parse_args()
    tolls = []
    for kind in ("local", "servers", "prefect"):
        if asked.on in {kind, "all"}:
            tolls.append(_run_prefect(asked) if kind == "prefect" else _run_long(kind, asked))
            _show(tolls[-1:])
    if len(tolls) > 1:
        _show(tolls)
    sys.exit(0 if all(toll.is_none for toll in tolls) else 1)


def _run_long(kind: str, asked: argparse.Namespace) -> Toll:
    folder = Path(tempfile.mkdtemp(prefix="chaos-"))
    sites = 40
    try:
        place = local_place(folder, "SQLite, directory") if kind == "local" else server_place()
        with (
            running_press(sites=sites, articles=-(-asked.articles // sites), network=30) as press,
            local_place(folder, "undisturbed") as reference,
            place as rough,
        ):
            return run_chaos(
                press, rough, reference, folder, kills=asked.kills, seed=asked.seed,
                batch_size=max(2, asked.articles // asked.kills), longest_s=1.2 if kind == "local" else 3.0,
                clock_step_s=3600 if kind == "local" else 600,  # S3 refuses clocks that are off by 15 minutes
            )  # fmt: skip
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _run_prefect(asked: argparse.Namespace) -> Toll:
    """Sweep with the real flow while Prefect's server is killed and restarted, then once undisturbed."""
    begun, chance, kills = time.monotonic(), random.Random(asked.seed), Counter()
    folder = Path(tempfile.mkdtemp(prefix="chaos-"))
    try:
        with running_press(sites=8, articles=25, network=36) as press, killable_server(folder / "prefect") as server:
            catalogue = press.catalogue(folder / "sources.yaml", crawl_delay_s=0.3)
            presslake = Presslake(folder, {"PREFECT_API_URL": server.url, "PREFECT_HOME": str(folder / "prefect")})
            for number in range(asked.server_kills):
                if number == asked.server_kills // 2:
                    pass_time(press)
                code = sweep_without_server(
                    presslake, server, press, catalogue, away_s=chance.uniform(0, 3), chance=chance
                )
                kills[f"Prefect's server, sweep ended with {code}"] += 1
            presslake.ingest("--catalogue", catalogue, "--refetch")
            place = Place(name="Prefect's server", lake=str(folder / "lake"), index=f"sqlite:///{folder / 'index.db'}")
            toll = _count_by_press(press, place)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    toll.kills, toll.seconds = kills, round(time.monotonic() - begun, 1)
    return toll


def _count_by_press(press: Press, place: Place) -> Toll:
    """Count lost and duplicated articles by comparison with the press and its texts."""
    rows = _rows(place.store(), "articles", ["url", "revision", "text"])
    report = verified(place)
    newest = {url: text for url, _, text in sorted(rows)}
    lost = sum(newest.get(url) != story.text for url, story in press.by_url().items())
    with open_index(place.index) as index:
        unsettled = _count_unsettled(index, press)
    return Toll(
        place=place.name,
        articles=len(rows),
        captures=read_tables(place).captures.total(),
        lost=lost,
        twice=len(rows) - len({row[:2] for row in rows}),
        dangling=sum(report.found.get(kind.value, 0) for kind in DANGLING),
        unsettled=unsettled,
        faults={kind: number for kind, number in report.found.items() if FaultKind(kind) not in HARMLESS},
        orphan_segments=report.found.get(FaultKind.ORPHAN_SEGMENT.value, 0),
    )


def _show(tolls: list[Toll]) -> None:
    _say(
        "| on | kills | cut off | clock moved | articles | captures | lost | twice | dangling | other faults | orphan segments | s |"
    )
    _say("|---|---|---|---|---|---|---|---|---|---|---|---|")
    for one in tolls:
        other = one.differing + one.unsettled + sum(one.faults.values())
        cells = (one.place, one.kills.total(), one.cuts, one.steps, one.articles, one.captures, one.lost, one.twice, one.dangling, other,
                 one.orphan_segments, one.seconds)  # fmt: skip
        _say(f"| {' | '.join(map(str, cells))} |")
    for one in tolls:
        _say(f"{one.place}: killed at " + ", ".join(f"{step} {n}" for step, n in one.kills.most_common()))
        if not one.is_none:
            _say(f"{one.place}: {one}")


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
