"""A small lake and index made by real sweeps: articles, revisions, duplicates and near-duplicates, failures, a page in quarantine."""

import shutil
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from tasks.index import frontier, runs
from tasks.index.database import Index, open_index
from tasks.index.frontier import Selection
from tasks.index.recording import IDENTITIES
from tasks.index.schema import runs as runs_table
from tasks.lake.objects.stores import DirectoryStore
from tasks.values.url import url_key
from tasks.verify.fault import VerifyReport
from tasks.verify.set_aside import UndoReport, undo
from tasks.verify.verification import verify
from tests.e2e.chaos_press import lines, pass_time
from tests.e2e.chaos_worker import Fate, Life, work
from tests.postgres import Reusable, fresh_database
from tests.press import Press, Story, running_press

HOUR = timedelta(hours=1)
LATER = timedelta(hours=2)
"""Planted faults are checked when they are two hours old, past every grace period."""


class Interrupted(BaseException):
    """Simulates a kill between two steps."""


class Interruption(Fate):
    """Ends the work at a step, without ending this process."""

    patience = 3  # nothing is unavailable here: a failure means damage, and is permanent

    def __init__(self, at: str) -> None:
        self._at = at

    def step(self, name: str) -> None:
        if name == self._at:
            raise Interrupted


@dataclass(frozen=True)
class Poison(Story):
    """A page with more elements than the limit."""

    @property
    def paragraphs(self) -> tuple[str, ...]:
        return ("<i></i>" * 51_000,)


@dataclass(frozen=True)
class World:
    """A lake in a directory and its index, which the test may damage."""

    home: Path
    index_url: str
    index: Index
    press: Press

    @property
    def lake(self) -> Path:
        return self.home / "lake"

    @property
    def store(self) -> DirectoryStore:
        return DirectoryStore(self.lake)

    def verify(self, *, mend: bool = False, sample: int | None = None, later: timedelta = LATER) -> VerifyReport:
        return verify(
            index=self.index,
            store=self.store,
            now=datetime.now(UTC) + later,
            is_repairing=mend,
            sample=sample,
            revisit_after=(),
            on_step=lambda *_: None,
        )

    def undo(self, verify_id: str, store: DirectoryStore | None = None) -> UndoReport:
        return undo(index=self.index, store=store or self.store, verify_id=verify_id, on_step=lambda *_: None)

    def stored(self) -> dict[str, bytes]:
        """Return the objects that hold rows, by key."""
        return {
            one.key: self.store.get(one.key)
            for prefix in ("warc/", "articles/dt=", "captures/dt=", "quarantine/")
            for one in self.store.list(prefix)
        }

    def rows_of_index(self) -> set[tuple]:
        """Return the index's data of articles, without volatile numbers."""
        with self.index.read() as tx:
            return {
                (table.name, *(repr(cell) for name, cell in row.items() if name != "number"))
                for table in IDENTITIES
                for row in tx.execute(select(table)).mappings()
            }

    def sweep(self, fate: Fate | None = None) -> None:
        """Sweep the press, up to the step at which `fate` interrupts it."""
        sweep(self.home, self.index_url, self.press, fate)
        with self.index.write() as tx:
            for run_id in tx.execute(select(runs_table.c.run_id).where(runs_table.c.state == runs.RUNNING)).scalars():
                runs.end_run(tx, run_id=run_id, now=datetime.now(UTC), summary=None)


@pytest.fixture(scope="session")
def press() -> Iterator[Press]:
    with running_press(sites=3, articles=10, network=33) as running:
        yield running


@pytest.fixture(scope="session")
def swept(press: Press, prepared_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A template home with `lake`, `index.db` and the rest of a sweep's files."""
    home = tmp_path_factory.mktemp("swept")
    shutil.copy(prepared_file, home / "index.db")
    _sweep_twice(home, f"sqlite:///{home / 'index.db'}", press)
    return home


@pytest.fixture
def world(swept: Path, press: Press, tmp_path: Path) -> Iterator[World]:
    home = tmp_path / "world"
    shutil.copytree(swept, home)
    index_url = f"sqlite:///{home / 'index.db'}"
    with open_index(index_url) as index:
        yield World(home, index_url, index, press)


@pytest.fixture(scope="session")
def swept_on_postgresql(
    press: Press, postgres_server, prepared_database: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Path, Reusable]]:
    home = tmp_path_factory.mktemp("swept-on-postgresql")
    with fresh_database(postgres_server, template=prepared_database) as url:
        _sweep_twice(home, url, press)
        yield home, Reusable.keep(url)


@pytest.fixture
def world_on_postgresql(swept_on_postgresql, press: Press, tmp_path: Path) -> Iterator[World]:
    swept, database = swept_on_postgresql
    home = tmp_path / "world"
    shutil.copytree(swept, home)
    database.restore()
    with open_index(database.url) as index:
        yield World(home, database.url, index, press)


def sweep(home: Path, index_url: str, press: Press, fate: Fate | None = None) -> None:
    """Sweep a press into a home, up to the step at which `fate` interrupts it."""
    more = (f"{press.url(0, '/missing.html')} site-0", f"{press.url(0, '/private/1.html')} site-0")
    (home / "urls.txt").write_text("\n".join((lines(press), *more)))
    catalogue = press.catalogue(home / "sources.yaml", max_per_host=8)
    life = Life(lake=str(home / "lake"), index=index_url, catalogue=str(catalogue), urls=str(home / "urls.txt"))
    with suppress(Interrupted):
        work(life, fate or Interruption("nowhere"))


def _sweep_twice(home: Path, index_url: str, press: Press) -> None:
    first = {site: dict(stories) for site, stories in press.stories.items()}
    press.stories[1]["/news/poison.html"] = Poison(1, 90_000)
    sweep(home, index_url, press)
    del press.stories[1]["/news/poison.html"]
    again = pass_time(press)
    with open_index(index_url) as index, index.write() as tx:
        frontier.recall(tx, Selection(url_keys=frozenset(map(url_key, again))), now=datetime.now(UTC))
    sweep(home, index_url, press)
    for site, stories in first.items():  # so that the next world starts from the same state
        press.stories[site] = stories
    press.tick = 0
