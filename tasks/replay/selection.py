"""The plan of a replay: which stored captures are read again, in units of one day and few segments."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from itertools import groupby

import pyarrow as pa

from tasks.index.statements import in_chunks
from tasks.lake.keys import ARTICLES, CAPTURES
from tasks.lake.objects.stores import ObjectStore
from tasks.lake.reading import StoredFile, list_files, read_columns
from tasks.lake.tables import find_table
from tasks.replay.config import ReplayConfig
from tasks.values.columns import revive
from tasks.values.rows import Capture, Outcome
from tasks.values.url import Url, host_of

UNIT = 200
"""The most captures per unit; about 5 s of two workers."""

PAGES_A_SECOND = 60.0
"""Pages per second and worker, for the estimate."""

READ_BY_EXTRACTION = frozenset({
    "tdm_reserved", "not_an_article", "index", "consent", "login", "paywall", "notice", "blocked", "extractor_crashed",
    "extractor_timed_out", "too_many_elements", "empty_extraction", "unexpected_error", "decompression_bomb",
    "bad_content_encoding",
})  # fmt: skip
"""The reasons that extraction gives. A page with another reason was never extracted, so a replay cannot change it."""

_LIGHT = ("capture_id", "source_id", "url_key", "final_url", "outcome", "reason", "status", "warc_key")


@dataclass(frozen=True, slots=True, kw_only=True)
class OlderRules:
    """Selects captures for `older`: `current` is the prefix of today's extractor names.

    `read` are the captures already read again with it; `extractors` are those of the rows, by segment.
    """

    current: str
    read: Collection[str]
    extractors: Mapping[str, Collection[str]]

    def has(self, capture_id: str, warc_key: str) -> bool:
        """Whether rules other than today's read the capture last, by the extractors of its segment's rows."""
        if capture_id in self.read:
            return False
        made_by = self.extractors.get(warc_key, ())
        return not made_by or any(not one.startswith(self.current) for one in made_by)


@dataclass(frozen=True)
class Plan:
    """The captures of a replay: how many by source, and the days that have some, each with its files."""

    store: ObjectStore
    config: ReplayConfig
    older: OlderRules | None
    files: Sequence[StoredFile]
    by_source: Mapping[str, int] = field(default_factory=dict)

    @cached_property
    def captures(self) -> int:
        """The number of pages."""
        return sum(self.by_source.values())

    def estimated_s(self, workers: int) -> float:
        """Return the estimated duration in seconds."""
        return round(self.captures / PAGES_A_SECOND / max(workers, 1), 1)

    def units(self) -> Iterator[tuple[Capture, ...]]:
        """Yield the captures, a unit at a time: day by day, segments in the order of their first capture."""
        for _, several in groupby(self.files, key=lambda file: file.day):
            chosen = sorted(_in_order(_of_files(self, several)), key=lambda one: one[0])
            yield from (tuple(one for _, one in part) for part in in_chunks(chosen, UNIT))


def make_plan(store: ObjectStore, config: ReplayConfig, older: OlderRules | None) -> Plan:
    """Select captures from the table; raises LakeUnavailable."""
    table = find_table(store, CAPTURES)
    first, last = config.days
    files = [file for file in list_files(table, CAPTURES) if first <= file.day <= last] if table else []
    counts: Counter[str] = Counter()
    kept: list[StoredFile] = []
    is_meant = _Chooser(config, older)
    for file in files:
        found = [row["source_id"] for row in read_columns(store, file, _LIGHT).to_pylist() if is_meant(row)]
        counts.update(found)
        kept += [file] if found else []
    return Plan(store=store, config=config, older=older, files=kept, by_source=dict(counts))


def read_extractors(store: ObjectStore, days: tuple[date, date]) -> dict[str, set[str]]:
    """Return the extractors of the rows by segment; raises LakeUnavailable."""
    found: dict[str, set[str]] = {}
    table = find_table(store, ARTICLES)
    for file in list_files(table, ARTICLES) if table else ():
        if days[0] <= file.day <= days[1]:
            rows = read_columns(store, file, ("warc_key", "extractor"))
            for key, extractor in zip(rows["warc_key"].to_pylist(), rows["extractor"].to_pylist(), strict=True):
                found.setdefault(key, set()).add(extractor)
    return found


class _Chooser:
    """The predicate for rows of `captures` in the selection."""

    def __init__(self, config: ReplayConfig, older: OlderRules | None) -> None:
        self._sources, self._hosts = frozenset(config.sources), frozenset(config.hosts)
        self._keys = frozenset(Url.of(url).key for url in config.urls)
        self._outcomes = frozenset(map(str, config.outcomes))
        self._reasons = frozenset(config.reasons)
        self._older = older

    def __call__(self, row: Mapping[str, str]) -> bool:
        return (
            has_page(row)
            and (not self._sources or row["source_id"] in self._sources)
            and (not self._keys or row["url_key"] in self._keys)
            and (not self._outcomes or row["outcome"] in self._outcomes)
            and (not self._reasons or row["reason"] in self._reasons)
            and (not self._hosts or host_of(row["final_url"]) in self._hosts)
            and (self._older is None or self._older.has(row["capture_id"], row["warc_key"]))
        )


def has_page(row: Mapping[str, object]) -> bool:
    """Whether a row of `captures` is of a page that was extracted."""
    if row["warc_key"] is None or row["outcome"] == Outcome.NOT_MODIFIED:
        return False
    return row["outcome"] == Outcome.OK or (row["status"] == 200 and row["reason"] in READ_BY_EXTRACTION)


def _of_files(plan: Plan, files: Iterable[StoredFile]) -> Iterator[Capture]:
    is_meant = _Chooser(plan.config, plan.older)
    for file in files:
        light = read_columns(plan.store, file, _LIGHT)
        places = [place for place, row in enumerate(light.to_pylist()) if is_meant(row)]
        if places:
            rows = read_columns(plan.store, file).take(pa.array(places, pa.int64()))
            yield from (revive(Capture, row) for row in rows.to_pylist())


def _in_order(captures: Iterable[Capture]) -> Iterator[tuple[tuple[object, ...], Capture]]:
    several = list(captures)
    begun: dict[str, object] = {}
    for one in sorted(several, key=lambda row: row.fetched_at):
        begun.setdefault(str(one.warc_key), one.fetched_at)
    for one in several:
        yield (begun[str(one.warc_key)], one.warc_key, one.warc_offset, one.capture_id), one
