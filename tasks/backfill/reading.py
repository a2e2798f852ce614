"""Read the archives of a plan, in order, into units, and count by reason what is not a page."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from tasks.backfill.choosing import RecordFilter
from tasks.backfill.exchanges import NoPage, capture_id_of, page_of
from tasks.backfill.places import Archive, open_archive
from tasks.backfill.plan import BackfillPlan
from tasks.backfill.raw_files import DamagedArchive
from tasks.backfill.records import ArchivedRecord, Damage, RecordHead, read_records
from tasks.backfill.streams import ArchiveStream
from tasks.backfill.units import CutUnit, UnitCutter
from tasks.config.settings import Settings
from tasks.errors import ItemError, UnexpectedError
from tasks.index.announcing import Announcement
from tasks.runtime.guarding import guarded_item
from tasks.values.url import Url

SHOWN_TROUBLES = 20
SEEN_BEFORE = "seen"
"""The reason for a record that was taken in before."""


@dataclass(slots=True)
class ReadCounts:
    """Counts of what was read so far. `troubles` describe the first damaged places."""

    records: int = 0
    pages: int = 0
    skipped: Counter[str] = field(default_factory=Counter)
    failed: Counter[str] = field(default_factory=Counter)
    troubles: list[str] = field(default_factory=list)

    def refuse(self, reason: str, *, is_fault: bool, where: str = "") -> None:
        """Count a record that is not a page."""
        (self.failed if is_fault else self.skipped)[reason] += 1
        if is_fault and len(self.troubles) < SHOWN_TROUBLES:
            self.troubles.append(f"{where}: {reason}")


def cut_units(
    plan: BackfillPlan,
    choice: RecordFilter,
    cutter: UnitCutter,
    *,
    counts: ReadCounts,
    settings: Settings,
    is_taken: Callable[[str], bool],
    on_archive: Callable[[int], None] = lambda _: None,
) -> Iterator[CutUnit]:
    """Yield the units of all archives, in the plan's order; raises LakeUnavailable, IndexUnavailable.

    Damaged and unwanted records are counted. `is_taken` says whether a capture was taken in before.
    """
    for number, archive in enumerate(plan.archives):
        on_archive(number)
        try:
            with open_archive(archive, settings) as raw:
                reading = _Reading(archive, choice, cutter, counts, is_taken)
                yield from reading.units(ArchiveStream(raw))
        except DamagedArchive as error:
            counts.failed["damaged"] += 1
            counts.troubles.append(f"{archive.name}: {error}")
    if (last := cutter.close()) is not None:
        yield last


@dataclass(slots=True)
class _Reading:
    """One archive being read."""

    archive: Archive
    choice: RecordFilter
    cutter: UnitCutter
    counts: ReadCounts
    is_taken: Callable[[str], bool]
    whose: Announcement | None = None

    def units(self, stream: ArchiveStream) -> Iterator[CutUnit]:
        for found in read_records(stream, self._is_wanted):
            if isinstance(found, Damage):
                self.counts.failed["damaged"] += 1
                self._tell(found.offset, found.detail)
                continue
            self.counts.records += 1
            self._take(found)
            if self.cutter.is_full and (unit := self.cutter.close()) is not None:
                yield unit

    def _is_wanted(self, head: RecordHead) -> bool:
        """Whether to read a record's block; otherwise count the reason."""
        self.whose = None
        try:
            self.whose = self.choice.find(head)
        except NoPage as error:
            self.counts.refuse(error.reason, is_fault=error.is_fault, where=self._place(head.offset))
            return False
        capture_id = capture_id_of(head)
        if self.cutter.has(capture_id) or self.is_taken(capture_id):
            self.counts.skipped[SEEN_BEFORE] += 1
            return False
        return True

    def _take(self, record: ArchivedRecord) -> None:
        if record.block is None or self.whose is None:
            return
        place = self._place(record.head.offset)
        try:
            with guarded_item(place):
                self._add(record, self.whose, place)
        except UnexpectedError as error:
            self.counts.failed[error.counted_as] += 1
            self._tell(record.head.offset, error.detail.partition("\n")[0])
        except ItemError as error:  # a head that cannot be stored in our records
            self.counts.skipped[error.counted_as] += 1

    def _add(self, record: ArchivedRecord, whose: Announcement, place: str) -> None:
        try:
            page = page_of(record, now=self.choice.now)
        except NoPage as error:
            self.counts.refuse(error.reason, is_fault=error.is_fault, where=place)
            return
        source_id = self.choice.source_of(whose)
        obeyed = self.choice.owners.obedience_at(Url.of(page.url).site, self.choice.rules.get(source_id))
        self.cutter.add(page, whose, source_id=source_id, origin=self.archive.name, obeyed=obeyed)
        self.counts.pages += 1

    def _tell(self, offset: int, detail: str) -> None:
        if len(self.counts.troubles) < SHOWN_TROUBLES:
            self.counts.troubles.append(f"{self._place(offset)}: {detail}")

    def _place(self, offset: int) -> str:
        return f"{self.archive.name}:{offset}"
