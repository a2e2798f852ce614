"""Turn site addresses and OPML files into new sources for the catalogue."""

import re
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pydantic import ValidationError

from tasks.config.catalogue import Source, SourceRules
from tasks.config.settings import Settings
from tasks.config.splicing import ExistingCatalogue
from tasks.discover.asking import run_with_client
from tasks.discover.plan import adhoc_rules
from tasks.discover.proposing import ProbedFeed, SourceProposal, propose_source
from tasks.errors import BadUrl, ConfigError, ConnectFailed, ConnectionLost, ForbiddenAddress, ItemError, TlsFailed
from tasks.feeds.opml import LeftOut, read_opml, sources_of
from tasks.index.hosts import HostLimits
from tasks.politeness.client import PoliteClient
from tasks.politeness.site_files import robots_name
from tasks.runtime.places import worded
from tasks.values.permit import RobotsAnswer
from tasks.values.url import url_key

MAX_OPML_SIZE = 10_000_000
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_NOT_BY_TLS = (ConnectFailed, TlsFailed, ConnectionLost)
"""Errors of an https request that suggest a site without https."""

Propose = Callable[[str, Iterable[str]], Awaitable[SourceProposal]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Addition:
    """The result for one address: a new source, the id of a source that has it already, or why there is none."""

    address: str
    source: Source | None = None
    known_as: str | None = None
    trouble: str | None = None
    tried: tuple[ProbedFeed, ...] = ()


def add_sites(
    settings: Settings,
    known: ExistingCatalogue,
    addresses: Sequence[str],
    *,
    end: Callable[[Addition], None],
    begin: Callable[[str], None],
) -> tuple[Source, ...]:
    """Probe the sites one after the other, and return the new sources; raises ConfigError.

    `begin` is called with each address before it is probed, `end` with its result.
    """
    usual, wide = (adhoc_rules(known.defaults, networks) for networks in ((), settings.allow_networks))
    own = {source.id: source.effective(known.defaults) for source in known.sources}

    async def work(client: PoliteClient, limits: HostLimits) -> tuple[Source, ...]:
        async def propose_by(rules: SourceRules, url: str, ids: Iterable[str]) -> SourceProposal:
            def robots(origin: str) -> RobotsAnswer | None:
                return limits.robots(robots_name(origin, rules))

            return await propose_source(url, rules=rules, client=client, robots=robots, known_ids=set(ids))

        async def propose(url: str, ids: Iterable[str]) -> SourceProposal:
            try:
                return await propose_by(usual, url, ids)
            except ForbiddenAddress:
                if wide == usual:
                    raise
                # sweeps use the catalogue, so networks permitted by the setting must be written there
                found = await propose_by(wide, url, ids)
                named = found.source.model_copy(update={"allow_networks": wide.allow_networks})
                return replace(found, source=named)

        added: list[Source] = []
        for address in addresses:
            begin(address)
            addition = await _added(address, [*known.sources, *added], propose)
            added += [addition.source] if addition.source else []
            end(addition)
        return tuple(added)

    return run_with_client(settings, known.sources, own, work)


async def _added(address: str, sources: Sequence[Source], propose: Propose) -> Addition:
    ids = [source.id for source in sources]
    trouble: ItemError | None = None
    for url in candidates(address):
        if (owner := _namer([url], sources)) is not None:
            return Addition(address=address, known_as=owner)
        try:
            proposal = await propose(url, ids)
        except _NOT_BY_TLS as error:
            trouble = trouble or error
        except ItemError as error:
            trouble = error
            break
        else:
            return _addition(address, proposal, sources)
    why = f"{trouble.counted_as}: {trouble}" if trouble else "no address"
    return Addition(address=address, trouble=why)


def _addition(address: str, proposal: SourceProposal, sources: Sequence[Source]) -> Addition:
    source = proposal.source
    named = [url for url, _ in source.feeds_of()]
    if source.home_url is not None:
        named.append(source.home_url)
    if (owner := _namer(named, sources)) is not None:
        return Addition(address=address, known_as=owner, tried=proposal.tried)
    return Addition(address=address, source=source, tried=proposal.tried)


def candidates(address: str) -> tuple[str, ...]:
    """Return the URLs to try for an address: itself or, for a bare domain, https and then http."""
    address = address.strip()
    if _SCHEME.match(address):
        return (address,)
    bare = address if "/" in address else f"{address}/"
    return f"https://{bare}", f"http://{bare}"


def _namer(urls: Iterable[str], sources: Iterable[Source]) -> str | None:
    """Return the source that names one of the URLs already, as its home or a feed."""
    wanted = set(_keys(urls))
    for source in sources:
        named = [url for url, _ in source.feeds_of()] + ([source.home_url] if source.home_url else [])
        if wanted & set(_keys(named)):
            return source.id
    return None


def _keys(urls: Iterable[str]) -> Iterator[str]:
    for url in urls:
        try:
            yield url_key(url)
        except BadUrl:
            continue


def read_list(path: Path, known: ExistingCatalogue) -> tuple[tuple[Source, ...], tuple[LeftOut, ...]]:
    """Return an OPML file's feeds as sources that are new to the catalogue, and the feeds left out; raises ConfigError."""
    try:
        with path.open("rb") as file:
            body = file.read(MAX_OPML_SIZE + 1)
    except OSError as error:
        raise ConfigError(f"{path}: {worded(error)}") from error
    if len(body) > MAX_OPML_SIZE:
        raise ConfigError(f"{path}: larger than {MAX_OPML_SIZE:,} bytes")
    outlines, left_out = read_opml(body, name=str(path))
    new, old = [], list(left_out)
    for outline in outlines:
        owner = _namer([outline.feed_url], known.sources)
        if owner is None:
            new.append(outline)
        else:
            old.append(
                LeftOut(title=outline.title or "", address=outline.feed_url, reason=f"already in source {owner}")
            )
    return sources_of(new, known_ids=known.ids), tuple(old)


def labelled(source: Source, *, tags: Sequence[str], country: str | None) -> Source:
    """Return a source with more tags, and a country; raises ConfigError if they are invalid."""
    more = {"tags": tuple(dict.fromkeys((*source.tags, *tags))), "country": country or source.country}
    try:
        return Source.model_validate({**source.model_dump(), **more})
    except ValidationError as error:
        first = error.errors()[0]
        raise ConfigError(f"--{'tag' if first['loc'][0] == 'tags' else first['loc'][0]}: {first['msg']}") from error
