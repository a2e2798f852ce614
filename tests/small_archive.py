"""A test's own lake and index, and sweeps over given URLs, in this process and without Prefect."""

import itertools
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from pathlib import Path
from typing import Any

from tasks.config.catalogue import SourceRules
from tasks.config.owners import NO_OWNERS, Owners
from tasks.deduplicate.deciding import decide_batch
from tasks.errors import ItemError
from tasks.extract.extraction import extract_batch
from tasks.extract.page import extract_page
from tasks.extract.refused import entomb_refused
from tasks.extract.stored_page import ExtractConfig
from tasks.fetch.fetching import fetch_batch
from tasks.index import announcing
from tasks.index.announcing import Announcement
from tasks.index.database import Index, bind_lake, open_index
from tasks.index.hosts import HostLimits
from tasks.lake.keys import warc_key
from tasks.lake.objects.stores import DirectoryStore, open_lake
from tasks.lake.tables import find_table
from tasks.politeness.client import PoliteClient
from tasks.store.publishing import publish_all
from tasks.values.batch import Batch
from tasks.values.reports import BatchReport
from tasks.values.url import host_of, url_key
from tasks.verify.verification import verify
from tasks.web.client import WebConfig
from tests.looks import look_at
from tests.postgres import make_index_file
from tests.web.loopback import AGENT

RULES = SourceRules(user_agent=AGENT, crawl_delay_s=0.0, max_per_host=8, allow_networks=(ip_network("127.0.0.0/8"),))


class Inline:
    """Extraction and parsing in this process."""

    def extract(self, pages):
        for _, page in pages:
            try:
                yield page.capture_id, extract_page(page, ExtractConfig())
            except ItemError as error:
                yield page.capture_id, error

    async def read(self, job):
        return job.read(*job.arguments)


@dataclass
class SmallArchive:
    """`ahead` is the offset of its clock for daily requests: after more than a day, each is made again.

    `deferred` are the URLs that the last sweep deferred, and until when; `before_tombstones` is a hook to simulate a
    kill.
    """

    home: Path
    index: Index
    rules: Mapping[str, SourceRules] = field(default_factory=lambda: {"daily": RULES})
    owners: Owners = NO_OWNERS
    ahead: timedelta = timedelta(0)
    numbers: Iterator[int] = field(default_factory=itertools.count)
    deferred: dict[str, datetime] = field(default_factory=dict)
    before_tombstones: Callable[[], None] = lambda: None

    @property
    def store(self) -> DirectoryStore:
        return DirectoryStore(self.home / "lake")

    def rows(self, table: str) -> list[dict[str, Any]]:
        found = find_table(self.store, table)
        return found.to_pyarrow_table().to_pylist() if found else []

    async def sweep(self, urls: Mapping[str, str] | Iterable[str], **due: str) -> BatchReport:
        """Fetch, extract, deduplicate and publish these URLs, each of a source (by default `daily`)."""
        named = urls if isinstance(urls, Mapping) else dict.fromkeys(urls, "daily")
        with self.index.write() as tx:
            announcing.announce(tx, [_announcement(*one) for one in named.items()], now=datetime.now(UTC))
        looks = tuple(look_at(url, source_id=source_id, **due) for url, source_id in named.items())
        batch = Batch(batch_id=f"b{next(self.numbers)}-{uuid.uuid4().hex[:6]}", run_id="r1", looks=looks)
        fetched = await self._fetched(batch)
        self.deferred = {look.due.url: look.deferred_until for look in fetched.looks if look.deferred_until}
        extracted = extract_batch(
            fetched,
            pool=Inline(),
            read_segment=self.store.get,
            now=datetime.now(UTC),
            extracted_one=lambda: None,
            options={name: one.extract for name, one in self.rules.items()},
        )
        self.before_tombstones()
        entomb_refused(extracted, get=self.store.get, put=self.store.put)
        report = decide_batch(extracted, index=self.index, now=datetime.now(UTC))
        publish_all(self.index, self.store)
        return report

    async def _fetched(self, batch: Batch) -> Batch:
        limits = HostLimits(self.index, clock=lambda: datetime.now(UTC) + self.ahead)
        config = WebConfig(user_agent="", timeout_s=5.0, deadline_s=10.0)
        async with PoliteClient(config, limits, owners=self.owners, reader=Inline()) as client:
            return await fetch_batch(
                batch,
                client=client,
                rules=self.rules,
                segment_key=warc_key(batch.batch_id, datetime.now(UTC).date()),
                software="presslake/0",
                max_segment_size=10**8,
                put=self.store.put,
                fetched_one=lambda: None,
                meet_policies=limits.meet_policies,
            )

    def faults(self, *, mend: bool = False) -> dict[str, int]:
        """Return the faults that `verify` finds, by kind."""
        report = verify(
            index=self.index,
            store=self.store,
            now=datetime.now(UTC) + timedelta(hours=2),
            is_repairing=mend,
            sample=None,
            revisit_after=(),
            on_step=lambda *_: None,
        )
        return report.found


@contextmanager
def opened_archive(home: Path, **changes: Any) -> Iterator[SmallArchive]:
    """Make an empty archive in a folder."""
    home.mkdir(parents=True, exist_ok=True)
    with open_index(make_index_file(home / "index.db")) as index:
        archive = SmallArchive(home, index, **changes)
        bind_lake(index, lake_id=open_lake(archive.store), lake_uri=archive.store.uri)
        yield archive


def _announcement(url: str, source_id: str) -> Announcement:
    return Announcement(url=url, url_key=url_key(url), host=host_of(url), source_id=source_id, announced_by="press")
