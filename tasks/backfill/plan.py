"""The plan of a backfill: which archives are read, in which order.

Units are deduplicated in this order, not in that of their extraction.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from tasks.backfill.exchanges import NoPage, fetched_at_of
from tasks.backfill.places import Archive, archives_inside, find_archives, open_archive
from tasks.backfill.raw_files import DamagedArchive
from tasks.backfill.records import Damage, RecordHead, read_records
from tasks.backfill.streams import ArchiveStream
from tasks.config.settings import Settings
from tasks.errors import ConfigError
from tasks.runtime.progress import OnStep
from tasks.values.display import plural

LATEST = datetime.max.replace(tzinfo=UTC)
LOOKED_AT = 100
"""How many records at the beginning of an archive are searched for a date."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """A file that is not an archive, and why."""

    uri: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BackfillPlan:
    """The archives in the order of their first record's date, then of their names; and the files that are not archives."""

    archives: tuple[Archive, ...]
    refused: tuple[Refused, ...]

    @property
    def size(self) -> int:
        """The bytes to read."""
        return sum(one.size for one in self.archives)

    @property
    def line(self) -> str:
        """The plan in one line."""
        refused = f"; {plural(len(self.refused), 'file')} skipped: not an archive" if self.refused else ""
        return f"{plural(len(self.archives), 'archive')}, {self.size / 1_000_000:,.1f} MB{refused}"


def plan_backfill(paths: Iterable[str], settings: Settings, *, now: datetime, on_step: OnStep) -> BackfillPlan:
    """Find the archives and look into each; raises ConfigError if nothing is found, or no file is an archive."""
    named = find_archives(paths, settings)
    dated: list[tuple[datetime, str, Archive]] = []
    refused: list[Refused] = []
    for number, archive in enumerate(named):
        on_step("opening archives", number, len(named))
        try:
            dated += [(_begun_at(one, settings, now=now), one.name, one) for one in archives_inside(archive, settings)]
        except DamagedArchive as error:
            refused.append(Refused(uri=archive.uri, why=str(error)))
    if not dated:
        first = refused[0] if refused else Refused(uri=named[0].uri, why="it contains no WARC file")
        raise ConfigError(f"none of {len(named)} files is a WARC file; {first.uri}: {first.why}")
    dated.sort(key=lambda one: one[:2])
    return BackfillPlan(archives=tuple(one for _, _, one in dated), refused=tuple(refused))


def _begun_at(archive: Archive, settings: Settings, *, now: datetime) -> datetime:
    """Return the date of an archive's first record; raises DamagedArchive for a file that has no record."""
    is_archive = False
    with open_archive(archive, settings) as raw:
        for head in _first_heads(ArchiveStream(raw)):
            is_archive = True
            try:
                return fetched_at_of(head, now=now)
            except NoPage:
                continue
    if not is_archive:
        raise DamagedArchive("it contains no WARC record")
    return LATEST


def _first_heads(stream: ArchiveStream) -> Iterator[RecordHead]:
    for number, record in enumerate(read_records(stream, lambda _: False)):
        if isinstance(record, Damage) and (number == 0 and not stream.is_gzip):
            return  # a file that does not begin like an archive is not one, whatever follows
        if not isinstance(record, Damage):
            yield record.head
        if number == LOOKED_AT:
            return
