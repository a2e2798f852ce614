"""The sweep's stages in a loop, without Prefect, in a process that may be killed at any time or at a named step.

As a program, it forks such processes on demand: imports cost seconds, and tests kill hundreds of processes.
"""

import asyncio
import itertools
import json
import os
import random
import signal
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache, partial
from pathlib import Path
from typing import Any, Self, TypeVar

from tasks.config.loading import load_catalogue
from tasks.config.settings import load_settings
from tasks.deduplicate.deciding import decide_batch
from tasks.errors import ConfigError, DamagedTable, ItemError, LakeUnavailable, StageError
from tasks.extract.extraction import extract_batch
from tasks.extract.page import extract_page
from tasks.extract.stored_page import ExtractConfig, NamedPage, StoredPage
from tasks.fetch.claim import claim_batch
from tasks.fetch.fetching import fetch_batch
from tasks.forget.records import entomb_taken_down
from tasks.index import announcing, outbox, runs
from tasks.index.announcing import Announcement
from tasks.index.database import Index, bind_lake, open_index
from tasks.index.frontier import Selection
from tasks.index.hosts import HostLimits
from tasks.lake.keys import warc_key
from tasks.lake.objects.stores import ObjectInfo, ObjectStore, S3Config, open_lake, open_store
from tasks.lake.warc import SegmentWriter
from tasks.politeness.client import PoliteClient
from tasks.store.publishing import publish
from tasks.values.batch import Batch
from tasks.values.page import Page
from tasks.values.url import fetch_url, host_of, is_same_site, url_key
from tasks.web.client import WebConfig

STEPS = (
    "claimed",
    "segment_put",
    "fetched",
    "extracted",
    "deciding",
    "decided",
    "articles_put",
    "articles_committed",
    "captures_put",
    "published",
    "cleared",
)
"""The steps of the commit protocol in order; a process can be made to die at each."""

GAVE_UP = 3
"""The exit code after too many failures of a port: the run has failed, and another follows."""

REVISIT_AFTER = (timedelta(hours=1),)
T = TypeVar("T")


@dataclass(frozen=True)
class Life:
    """One process's work: at most `batches`, dying at the `passes`-th time it reaches `die_at`; `trouble` (0 to 1) of calls fail."""

    lake: str
    index: str
    catalogue: str
    urls: str
    endpoint_url: str | None = None
    batch_size: int = 20
    batches: int | None = None
    die_at: str | None = None
    passes: int = 1
    trouble: float = 0.0
    seed: int = 0


class Fate:
    """Kills the process at its step, as the loss of a machine would."""

    patience = 40
    """The number of retries of an unavailable port."""

    def __init__(self, life: Life) -> None:
        self._life = life
        self._passes = 0

    def step(self, name: str) -> None:
        assert name in STEPS, name
        if name == self._life.die_at:
            self._passes += 1
            if self._passes == self._life.passes:
                os.kill(os.getpid(), signal.SIGKILL)


class TroubledStore:
    """A store that fails at random, before or after performing an operation."""

    def __init__(self, store: ObjectStore, life: Life, fate: Fate) -> None:
        self._store = store
        self._share = life.trouble
        self._chance = random.Random(life.seed)
        self._fate = fate

    @property
    def uri(self) -> str:
        return self._store.uri

    def put(self, key: str, body: bytes, *, content_type: str = "application/octet-stream") -> None:
        if key.startswith("captures/"):
            self._fate.step("articles_committed")
        self._try(partial(self._store.put, key, body, content_type=content_type))
        for prefix, name in (("warc/", "segment_put"), ("articles/", "articles_put"), ("captures/", "captures_put")):
            if key.startswith(prefix):
                self._fate.step(name)

    def put_new(self, key: str, body: bytes) -> bool:
        return self._store.put_new(key, body)

    def get(self, key: str) -> bytes:
        return self._try(partial(self._store.get, key))

    def get_range(self, key: str, offset: int, length: int) -> bytes:
        return self._try(partial(self._store.get_range, key, offset, length))

    def exists(self, key: str) -> bool:
        return self._try(partial(self._store.exists, key))

    def list(self, prefix: str) -> Iterator[ObjectInfo]:
        return self._store.list(prefix)

    def delete(self, key: str) -> None:
        self._try(partial(self._store.delete, key))

    def delta_uri(self, table: str) -> str:
        return self._try(partial(self._store.delta_uri, table))

    def storage_options(self) -> dict[str, str] | None:
        return self._store.storage_options()

    def _try(self, call: Callable[[], T]) -> T:
        if self._chance.random() < self._share / 2:
            raise LakeUnavailable("503 Slow Down")
        result = call()
        if self._chance.random() < self._share / 2:
            raise LakeUnavailable("the connection was lost before the answer")
        return result


class DecidingIndex:
    """An index whose process may die after deciding and before the commit."""

    def __init__(self, index: Index, fate: Fate) -> None:
        self._index = index
        self._fate = fate

    @contextmanager
    def write(self) -> Iterator[Any]:
        with self._index.write() as tx:
            yield tx
            self._fate.step("deciding")

    @contextmanager
    def read(self) -> Iterator[Any]:
        with self._index.read() as tx:  # large comparisons are made before the lock
            yield tx

    @contextmanager
    def rehearse(self) -> Iterator[Any]:
        with self._index.rehearse() as tx:
            yield tx


class InlineExtractor:
    """Extraction in this process, since the whole process may die."""

    def extract(self, pages: Iterable[NamedPage]) -> Iterator[tuple[str, Page | ItemError]]:
        for _, page in pages:
            try:
                yield page.capture_id, _read(page)
            except ItemError as error:
                yield page.capture_id, error


@lru_cache(maxsize=1_000)
def _read(page: StoredPage) -> Page:
    """Extract a page, cached per process: many tests use copies of one lake."""
    return extract_page(page, ExtractConfig())


def persistently(call: Callable[[], T], patience: int) -> T:
    """Retry a call while a port is unavailable, as Prefect retries a task."""
    for _ in range(patience):
        try:
            return call()
        except DamagedTable:
            raise  # out of retries
        except StageError:
            continue
    return call()


def work(life: Life, fate: Fate | None = None) -> None:
    """Claim, fetch, extract, decide and publish until nothing is due, or the life's batches are done."""
    fate = fate or Fate(life)
    with open_index(life.index) as index:
        _work(life, index, fate)


def _work(life: Life, index: Index, fate: Fate) -> None:
    plain = open_store(life.lake, s3=S3Config(endpoint_url=life.endpoint_url))
    bind_lake(index, lake_id=open_lake(plain), lake_uri=plain.uri)
    store = TroubledStore(plain, life, fate)
    run_id, now = str(uuid.uuid4()), datetime.now(UTC)
    with index.write() as tx:
        runs.release_dead_runs(tx, now=now)
        runs.begin_run(tx, run_id=run_id, now=now)
    publish_all(index, store, fate)
    announced = [_announcement(*line.split()) for line in Path(life.urls).read_text().splitlines()]
    for _ in range(2):  # every entry is delivered twice
        with index.write() as tx:
            announcing.announce(tx, announced, now=now)
    catalogue = load_catalogue(Path(life.catalogue))
    rules = {source.id: source.effective(catalogue.defaults) for source in catalogue.sources}
    claim = partial(
        claim_batch, index, Selection(), run_id=run_id, limit=life.batch_size, lease_s=300, host_budget_s=120, rules=rules
    )  # fmt: skip
    for number in itertools.count():
        if number == life.batches or (batch := claim()) is None:
            break
        fate.step("claimed")
        _carry_through(batch, rules, index, store, fate)
    with index.write() as tx:
        runs.end_run(tx, run_id=run_id, now=datetime.now(UTC), summary=None)


def publish_all(index: Index, store: ObjectStore, fate: Fate) -> None:
    """Publish each batch in the outbox twice, and clear it."""
    while True:
        with index.read() as tx:
            items = outbox.pending(tx, limit=20)
        if not items:
            return
        for _ in range(2):
            persistently(lambda: publish(items, store=store, index_id=index.index_id), fate.patience)  # noqa: B023
        fate.step("published")
        with index.write() as tx:
            outbox.clear(tx, (item.sequence for item in items))
        fate.step("cleared")


def _carry_through(batch: Batch, rules: Any, index: Index, store: TroubledStore, fate: Fate) -> None:
    fetched = persistently(lambda: asyncio.run(_fetch(batch, rules, index, store)), fate.patience)
    fate.step("fetched")
    extracted = persistently(
        lambda: extract_batch(
            fetched, pool=InlineExtractor(), read_segment=store.get, now=datetime.now(UTC), extracted_one=lambda: None
        ),
        fate.patience,
    )
    fate.step("extracted")
    deciding = DecidingIndex(index, fate)
    for _ in range(2):
        report = persistently(
            lambda: decide_batch(extracted, index=deciding, now=datetime.now(UTC), revisit_after=REVISIT_AFTER),
            fate.patience,
        )
    entomb_taken_down(report, extracted.captures, index=index, store=store)
    fate.step("decided")
    publish_all(index, store, fate)


async def _fetch(batch: Batch, rules: Any, index: Index, store: ObjectStore) -> Batch:
    settings = load_settings()
    config = WebConfig(
        user_agent="",
        timeout_s=settings.timeout_s,
        deadline_s=settings.deadline_s,
        max_wire_size=settings.max_wire_size,
        max_decoded_size=settings.max_decoded_size,
        max_redirects=settings.max_redirects,
        max_connections=settings.connections,
    )
    async with PoliteClient(config, HostLimits(index), in_flight=settings.connections) as client:
        return await fetch_batch(
            batch,
            client=client,
            rules=rules,
            segment_key=warc_key(batch.batch_id, datetime.now(UTC).date()),
            software="presslake/chaos",
            max_segment_size=settings.max_segment_size,
            put=store.put,
            fetched_one=lambda: None,
            meet_policies=HostLimits(index).meet_policies,
        )


def _announcement(url: str, source_id: str) -> Announcement:
    fetched = fetch_url(url)
    return Announcement(
        url=fetched, url_key=url_key(fetched), host=host_of(fetched), source_id=source_id, announced_by="press"
    )


def wrong_clock(seconds: int) -> dict[str, str] | None:
    """Return the environment of a process whose clock is `seconds` ahead, with libfaketime; None if that is missing."""
    found = sorted(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"))
    return {"LD_PRELOAD": str(found[0]), "FAKETIME": f"{seconds:+d}", "NO_FAKE_STAT": "1"} if found else None


class Nursery:
    """A process that forks lives: `start` one, then `end` it by a kill or by waiting."""

    def __init__(self, **environment: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", __name__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, **environment},
            cwd=Path(__file__).resolve().parents[2],
        )

    def start(self, life: Life) -> None:
        """Start a life, and return when it has begun."""
        self._say(json.dumps(asdict(life)))
        self._process.stdout.readline()

    def end(self, *, is_killed: bool) -> int:
        """Kill the life or wait for it; return its exit code, or the negative signal number."""
        self._say("kill" if is_killed else "wait")
        return int(self._process.stdout.readline())

    def _say(self, line: str) -> None:
        self._process.stdin.write(f"{line}\n")
        self._process.stdin.flush()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.stdin.close()
        self._process.wait(timeout=60)
        self._process.stdout.close()


def _serve_lives() -> None:
    """Fork a process for each line of standard input; print its id and its exit code."""
    _warm_up()
    for line in sys.stdin:
        pid = os.fork()
        if pid == 0:
            sys.stdin.close()
            os.dup2(2, 1)
            os._exit(_live(Life(**json.loads(line))))
        _answer("begun")
        if sys.stdin.readline().strip() == "kill":
            os.kill(pid, signal.SIGKILL)  # not reaped yet, so the id cannot have been reused
        _, status = os.waitpid(pid, 0)
        _answer(str(os.waitstatus_to_exitcode(status)))


def _live(life: Life) -> int:
    try:
        work(life)
    except (StageError, ConfigError) as error:
        sys.stderr.write(f"gave up: {error}\n"[:300])
        return GAVE_UP
    return 0


def _answer(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _warm_up() -> None:
    """Warm up caches before there are threads."""
    page = b"<html><body><article><h1>Ferry</h1><p>" + b"The ferry left the harbour on time. " * 40 + b"</p></article>"
    writer = SegmentWriter("warm", software="-", created_at=datetime.now(UTC))
    ref = writer.add_exchange(
        url="http://press.example/1",
        request_head=b"",
        response_head=b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n",
        body=page,
        fetched_at=datetime.now(UTC),
    )
    record = writer.to_bytes()[ref.offset : ref.offset + ref.length]
    stored = StoredPage(capture_id="1", fetched_at=datetime.now(UTC), record=record)
    list(InlineExtractor().extract([("http://press.example/1", stored)]))
    is_same_site("http://a.example/1", "http://b.example/2")


if __name__ == "__main__":
    _serve_lives()
