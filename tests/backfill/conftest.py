"""A lake and an index for backfills, and a runner that extracts in this process."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tasks.backfill.config import BackfillConfig
from tasks.backfill.extracting import UnitCount, extract_unit
from tasks.backfill.local import decide_unit
from tasks.backfill.report import BackfillReport
from tasks.backfill.taking import backfill_warc, read_rules
from tasks.config.settings import Settings
from tasks.deduplicate.archive import Archive
from tasks.errors import ItemError
from tasks.extract.again import extract_again
from tasks.extract.page import extract_page
from tasks.extract.stored_page import ExtractConfig, NamedPage
from tasks.index.database import Index
from tasks.lake.objects.stores import ObjectStore
from tasks.lake.reading import list_files
from tasks.lake.tables import open_table
from tasks.runtime.resources import close_opened, opened_index, opened_store
from tasks.verify.fault import VerifyReport
from tasks.verify.stored import read_file
from tasks.verify.verification import verify
from tests.postgres import make_index_file

CATALOGUE = """
sources:
  - {id: daily, home_url: "https://daily.example/", tags: [local]}
  - {id: weekly, home_url: "https://weekly.example/"}
"""
UNSTABLE = {"extracted_at", "run_id"}


class InThisProcess:
    """An extractor that runs in this process."""

    def extract(self, pages: Iterable[NamedPage]) -> Iterator[tuple[str, object]]:
        for _, one in pages:
            try:
                yield one.capture_id, extract_page(one, ExtractConfig())
            except ItemError as error:
                yield one.capture_id, error


class Inline:
    """A runner that extracts when its result is requested; a test's `step` is called at each step and may raise there."""

    def __init__(
        self,
        settings: Settings,
        config: BackfillConfig,
        *,
        workers: int = 1,
        step: Callable[[str], None] = lambda _: None,
    ):
        self.workers = workers
        self._store, self._index, self._step = opened_store(settings), opened_index(settings), step
        self._rules = read_rules(settings, config)

    def submit(self, job_id: str, number: int) -> Callable[[], UnitCount]:
        def result() -> UnitCount:
            self._step(f"extract {number}")
            found = extract_unit(job_id, number, store=self._store, pool=InThisProcess(), now=datetime.now(UTC))
            self._step(f"extracted {number}")
            return found

        return result

    def decide(self, job_id: str, number: int):
        self._step(f"decide {number}")
        archive = Archive(
            self._store, lambda rows: extract_again(rows, pool=InThisProcess(), store=self._store, options={})
        )
        found = decide_unit(
            job_id,
            number,
            index=self._index,
            store=self._store,
            archive=archive,
            rules=self._rules,
            now=datetime.now(UTC),
        )
        self._step(f"decided {number}")
        return found


@dataclass(frozen=True)
class Place:
    """A lake with its index."""

    settings: Settings

    @property
    def store(self) -> ObjectStore:
        return opened_store(self.settings)

    @property
    def index(self) -> Index:
        return opened_index(self.settings)

    def backfill(self, *paths: object, runner: Callable[..., object] = Inline, **choices) -> BackfillReport:
        config = BackfillConfig(paths=[str(one) for one in paths], **{"unit_pages": 4, **choices})
        return backfill_warc(
            config,
            self.settings,
            runner(self.settings, config),
            run_id=f"backfill-{datetime.now(UTC)}",
            on_step=lambda *_: None,
        )

    def rows(self, table: str) -> list[dict]:
        """Return a table's rows without the columns that differ between runs."""
        found = [
            row for file in list_files(open_table(self.store, table), table) for row in read_file(self.store, file)
        ]
        kept = [{name: value for name, value in row.items() if name not in UNSTABLE} for row in found]
        return sorted(kept, key=lambda row: (row["url"], row["fetched_at"], row.get("revision") or 0))

    def verify(self, *, mend: bool = False) -> VerifyReport:
        return verify(
            index=self.index, store=self.store, now=datetime.now(UTC) + timedelta(hours=2), is_repairing=mend, sample=None,
            revisit_after=(),
            on_step=lambda *_: None,
        )  # fmt: skip

    def scratch(self) -> list[str]:
        return [one.key for one in self.store.list("scratch/")]


def place_in(folder: Path) -> Place:
    folder.mkdir(exist_ok=True)
    make_index_file(folder / "index.db")
    (folder / "sources.yaml").write_text(CATALOGUE)
    return Place(
        Settings(lake=str(folder / "lake"), index=f"sqlite:///{folder / 'index.db'}", catalogue=folder / "sources.yaml")
    )


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    yield place_in(tmp_path / "one")
    close_opened()


@pytest.fixture
def other_place(tmp_path: Path) -> Iterator[Place]:
    yield place_in(tmp_path / "other")
    close_opened()


class Interrupted(BaseException):
    """Simulates a kill between two steps."""


def ending_at(step: str) -> Callable[..., Inline]:
    """Return a runner that raises Interrupted at a step."""

    def end(name: str) -> None:
        if name == step:
            raise Interrupted

    return lambda settings, config: Inline(settings, config, step=end)
