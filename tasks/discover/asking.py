"""Make web requests for a person at the terminal: politely, with the hosts' pace from the index."""

import asyncio
import tempfile
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from tasks.config.catalogue import Source, SourceRules
from tasks.config.owners import Owners
from tasks.config.settings import Settings
from tasks.index.database import Index, is_missing, open_index
from tasks.index.hosts import HostLimits
from tasks.politeness.client import PoliteClient
from tasks.runtime.reading import close_reader
from tasks.runtime.resources import opened_index, web_config

T = TypeVar("T")


def run_with_client(
    settings: Settings,
    sources: tuple[Source, ...],
    rules: dict[str, SourceRules],
    work: Callable[[PoliteClient, HostLimits], Awaitable[T]],
) -> T:
    """Run `work` with a polite client; `sources` are the catalogue's, whose rules set the pace of their hosts."""
    owners = Owners.of(sources, rules)

    async def asking(limits: HostLimits) -> T:
        async with PoliteClient(web_config(settings), limits, in_flight=settings.connections, owners=owners) as client:
            return await work(client, limits)

    try:
        with index_for_pace(settings) as index:
            return asyncio.run(asking(HostLimits(index)))
    finally:
        close_reader()


@contextmanager
def index_for_pace(settings: Settings) -> Iterator[Index]:
    """Open the index or, if there is none yet, a temporary one."""
    with probe_settings(settings) as chosen:
        if chosen is settings:
            yield opened_index(settings)
            return
        with open_index(chosen.index) as index:
            yield index


@contextmanager
def probe_settings(settings: Settings) -> Iterator[Settings]:
    """Yield the settings, with a temporary index if theirs does not exist yet: a probe must not create it."""
    if not is_missing(settings.index):
        yield settings
        return
    with tempfile.TemporaryDirectory(prefix="presslake-") as folder:
        yield settings.model_copy(update={"index": f"sqlite:///{Path(folder)}/moment.db"})
