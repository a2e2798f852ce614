"""Choose the wanted records of an archive, and the source of each page. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from tasks.backfill.config import BackfillConfig
from tasks.backfill.exchanges import NoPage, check_kind, fetched_at_of
from tasks.backfill.records import RecordHead
from tasks.config.catalogue import Catalogue, SourceRules, accepts, new_id
from tasks.config.owners import NO_OWNERS, Owners
from tasks.discover.intake import attribute_url
from tasks.discover.plan import ADHOC
from tasks.errors import ItemError
from tasks.index.announcing import Announcement
from tasks.values.takedown import NOTHING, TAKEN_DOWN, KeptOut
from tasks.values.url import Url

ANNOUNCED_BY = "backfill"


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordFilter:
    """The filters of a backfill; None or empty means everything."""

    owners: Owners = NO_OWNERS
    rules: Mapping[str, SourceRules] = field(default_factory=dict)
    sources: frozenset[str] = frozenset()
    hosts: tuple[str, ...] = ()
    since: datetime | None = None
    until: datetime | None = None
    languages: tuple[str, ...] = ()
    source_from_host: bool = False
    kept_out: KeptOut = NOTHING
    max_size: int
    now: datetime

    def find(self, head: RecordHead) -> Announcement:
        """Return the announcement for a record's URL; raises NoPage for a record that is not wanted."""
        check_kind(head, max_size=self.max_size)
        at = fetched_at_of(head, now=self.now)
        if (self.since and at < self.since) or (self.until and at > self.until):
            raise NoPage("other_date")
        try:
            one = attribute_url(Url.parse(head.url), announcer=ADHOC, announced_by=ANNOUNCED_BY, owners=self.owners)
            host = one.url.bare_host
        except ItemError as error:
            raise NoPage(error.counted_as) from error
        if self.hosts and not any(host == wanted or host.endswith(f".{wanted}") for wanted in self.hosts):
            raise NoPage("other_host")
        if self.sources and one.source_id not in self.sources:
            raise NoPage("other_source")
        if self.kept_out.has_key(one.url_key) or self.kept_out.has_source(one.source_id):
            raise NoPage(TAKEN_DOWN)
        if (rules := self.rules.get(one.source_id)) and not accepts(one.url, rules):
            raise NoPage("excluded")
        return one

    def source_of(self, one: Announcement) -> str:
        """Return the id of the source that owns the page."""
        if one.source_id == ADHOC and self.source_from_host:
            return new_id(one.url.bare_host, ())
        return one.source_id


def is_in_language(language: str | None, wanted: Iterable[str]) -> bool:
    """Whether an article's language is wanted: `en` matches every variant of English."""
    tag = (language or "").lower()
    return any(tag == one or tag.startswith(f"{one}-") for one in wanted)


def record_filter_of(
    config: BackfillConfig, catalogue: Catalogue | None, *, max_size: int, now: datetime
) -> RecordFilter:
    """Return the filters that a backfill's parameters define; raises CatalogueError for an unknown source."""
    rules = catalogue.rules() if catalogue else {}
    chosen = catalogue.select(config.sources).sources if catalogue and config.sources else ()
    return RecordFilter(
        owners=Owners.of(catalogue.sources if catalogue else (), rules),
        rules=rules,
        sources=frozenset(one.id for one in chosen),
        hosts=tuple(_plain(host) for host in config.hosts),
        since=config.since_at(now),
        until=config.until_at(now),
        languages=tuple(one.lower() for one in config.languages),
        source_from_host=config.source_from_host,
        max_size=max_size,
        now=now,
    )


def _plain(host: str) -> str:
    return host.strip().lower().removeprefix("www.").strip(".")
