"""The catalogue's sources against the web: are they alive, what may a site offer, and OPML in and out."""

import asyncio
from collections.abc import Awaitable, Callable, Collection
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from tasks.config.catalogue import Catalogue, Defaults
from tasks.config.loading import load_catalogue
from tasks.config.owners import NO_OWNERS, Owners
from tasks.config.settings import Settings
from tasks.discover.check import FeedCheck, SourceCheck, check_sources
from tasks.discover.plan import adhoc_rules
from tasks.discover.proposing import SourceProposal, propose_source, sources_yaml
from tasks.errors import ConfigError, ItemError
from tasks.feeds.opml import read_opml, sources_of, write_opml
from tasks.feeds.refusals import Refusals
from tasks.index.feeds import select_feeds
from tasks.index.hosts import HostLimits
from tasks.politeness.client import PoliteClient
from tasks.politeness.site_files import robots_name
from tasks.runtime.reading import close_reader
from tasks.runtime.resources import opened_index, web_config
from tasks.values.display import Rows, Table, shown
from tasks.values.permit import RobotsAnswer

T = TypeVar("T")
MAX_OPML_SIZE = 10_000_000


def check(settings: Settings, ids: Collection[str]) -> tuple[SourceCheck, ...]:
    """Look at every feed of the chosen sources, all of them for no id; raises ConfigError."""
    catalogue = load_catalogue(settings.catalogue)
    chosen = catalogue.select(ids).sources
    rules = catalogue.rules()
    with opened_index(settings).read() as tx:
        named = [feed_url for source in chosen for feed_url, _ in source.feeds_of()]
        states = {feed.feed_url: feed for feed in select_feeds(tx, named, due_by=None)}
    now = datetime.now(UTC)
    return _ask(
        settings, catalogue, lambda client: check_sources(chosen, rules=rules, states=states, client=client, now=now)
    )


def propose(settings: Settings, home_url: str) -> SourceProposal:
    """Try what a site may have; raises ConfigError, with the reason, where it has nothing."""
    catalogue = _catalogue_if_any(settings)
    rules = adhoc_rules(catalogue.defaults if catalogue else Defaults(), settings.allow_networks)
    known = {source.id for source in catalogue.sources} if catalogue else set()
    limits = HostLimits(opened_index(settings))

    def robots(origin: str) -> RobotsAnswer | None:
        return limits.robots(robots_name(origin, rules))

    try:
        return _ask(
            settings,
            catalogue,
            lambda client: propose_source(home_url, rules=rules, client=client, robots=robots, known_ids=known),
        )
    except ItemError as error:
        raise ConfigError(f"{home_url}: {error.counted_as}: {error}") from error


def import_opml(settings: Settings, path: Path) -> str:
    """Return an OPML file's feeds as sources, in the catalogue's YAML; comments count what was left out. Raises ConfigError."""
    try:
        with path.open("rb") as file:
            body = file.read(MAX_OPML_SIZE + 1)
    except OSError as error:
        raise ConfigError(f"{path}: {(error.strerror or str(error)).lower()}") from error
    if len(body) > MAX_OPML_SIZE:
        raise ConfigError(f"{path}: larger than {MAX_OPML_SIZE:,} bytes")
    catalogue = _catalogue_if_any(settings)
    known = {source.id for source in catalogue.sources} if catalogue else set()
    refusals = Refusals()
    found = sources_of(read_opml(body, name=str(path), refusals=refusals), known_ids=known)
    left_out = "".join(f"# left out: {one.number} addresses, {one.reason}\n" for one in refusals.listed())
    return left_out + sources_yaml(found)


def export_opml(settings: Settings) -> bytes:
    """Return the catalogue's feeds as OPML 2.0; raises ConfigError."""
    return write_opml(load_catalogue(settings.catalogue).sources, title="Presslake", now=datetime.now(UTC))


def check_table(checks: Collection[SourceCheck]) -> Table:
    """Return the checks as a table, a line each feed."""
    rows: Rows = [_check_row(one, feed) for one in checks for feed in one.feeds]
    healthy = sum(one.is_healthy for one in checks)
    return (
        f"{healthy} of {len(checks)} sources give entries",
        ("source", "feed", "reachable", "robots", "items", "newest", "next poll", "warnings"),
        rows,
    )


def tried_table(proposal: SourceProposal) -> Table:
    """Return what was tried at a site."""
    rows: Rows = [
        (one.url, one.kind.value, one.found_by.value, one.entries, shown(one.newest_at), one.reason or "works")
        for one in proposal.tried
    ]
    return f"Tried for {proposal.source.id}", ("feed", "kind", "found by", "items", "newest", "came to"), rows


def _check_row(one: SourceCheck, feed: FeedCheck) -> tuple[object, ...]:
    reachable = "yes" if feed.is_reachable else "no"
    due = shown(feed.due_at) or "not polled yet"
    warnings = "; ".join(feed.warnings)
    return (
        one.source_id,
        feed.feed_url,
        reachable,
        feed.robots.value,
        feed.entries,
        shown(feed.newest_at),
        due,
        warnings,
    )


def _ask(settings: Settings, catalogue: Catalogue | None, work: Callable[[PoliteClient], Awaitable[T]]) -> T:
    """Run what needs the web, politely."""
    owners = Owners.of(catalogue.sources, catalogue.rules()) if catalogue else NO_OWNERS

    async def asking() -> T:
        limits = HostLimits(opened_index(settings))
        async with PoliteClient(web_config(settings), limits, in_flight=settings.connections, owners=owners) as client:
            return await work(client)

    try:
        return asyncio.run(asking())
    finally:
        close_reader()


def _catalogue_if_any(settings: Settings) -> Catalogue | None:
    return load_catalogue(settings.catalogue) if settings.catalogue.exists() else None
