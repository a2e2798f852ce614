"""Trace one marked URL through a sweep in this process: the modules it passes, its types, and its parses.

    python -m tests.e2e.walk

A module counts if an argument of one of its frames contains the marker; a form is such an argument's type; a parse is a call
of can_ada, urlsplit, urlparse or httpx.URL. The Prefect engine is excluded. Feeds and pages, which a sweep parses in other
processes, are parsed here; the figures are given with and without them.
"""

# ruff: noqa: T201 - a command that prints

import asyncio
import sys
import tempfile
import threading
import urllib.parse
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, fields, is_dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import CodeType, FrameType, FunctionType

import can_ada
import httpx

from tasks.config.catalogue import Catalogue, Defaults, Source
from tasks.config.parameters import IngestConfig
from tasks.deduplicate.deciding import decide_batch
from tasks.discover.plan import plan_sweep
from tasks.discover.polling import poll_feeds
from tasks.discover.schedule import PollConfig
from tasks.errors import ItemError
from tasks.extract.extraction import extract_batch
from tasks.extract.page import extract_page
from tasks.extract.stored_page import ExtractConfig
from tasks.fetch.claim import claim_batch
from tasks.fetch.fetching import fetch_batch
from tasks.index import feeds
from tasks.index.database import open_index
from tasks.index.hosts import HostLimits
from tasks.lake.objects.stores import S3Config, open_store
from tasks.politeness.client import PoliteClient
from tasks.store.publishing import publish_all
from tasks.web.client import WebConfig
from tests.web.loopback import AGENT, answer, page, serve

ROOT = Path(__file__).parents[2]
OURS = tuple(f"{ROOT / room}/" for room in ("flows", "tasks"))
MARKER = "marker-7f3a"
DEPTH = 3
CONTAINERS = (tuple, list, dict, set, frozenset)

STORY = " ".join(f"The harbour of Westmouth opened its gate number {number} on Monday." for number in range(60))
PAGE = f"<html><head><title>Harbour opens</title></head><body><article><h1>Harbour opens</h1><p>{STORY}</p></article></body></html>"
FEED = '<rss version="2.0"><channel><title>Daily</title><item><title>Harbour opens</title><link>{url}</link></item></channel></rss>'


@dataclass(slots=True, kw_only=True)
class Walk:
    """The trace: arguments that contain the marker, and parses, each by place.

    A place is a module, a function and a type, and whether a sweep does this in another process (`is_aside`).
    """

    places: Counter[tuple[str, str, str, bool]] = field(default_factory=Counter)
    parses: Counter[str] = field(default_factory=Counter)
    is_aside: bool = False

    def modules(self, *, aside: bool = True) -> set[str]:
        """Return the modules that the URL passes; `aside` includes those in other processes."""
        return {module for module, _, _, is_aside in self.places if aside or not is_aside}

    def forms(self, *, aside: bool = True, containers: bool = False) -> set[str]:
        """Return the URL's types; `containers` includes the built-in containers."""
        forms = {form for _, _, form, is_aside in self.places if aside or not is_aside}
        return forms if containers else forms - {one.__name__ for one in CONTAINERS}

    def see(self, frame: FrameType, event: str, _: object) -> None:
        """Inspect the arguments of a call of our code; a callback of `sys.setprofile`."""
        code = frame.f_code
        if event != "call" or not code.co_filename.startswith(OURS):
            return
        for name in _arguments(code):
            value = frame.f_locals.get(name)
            if holds(value):
                module, form = frame.f_globals["__name__"], type(value).__name__
                self.places[module, code.co_qualname, form, self.is_aside] += 1

    def parsed(self, *values: object) -> None:
        """Count a parse of the marked URL."""
        if any(holds(value) for value in values):
            frame = sys._getframe(2)
            self.parses[f"{frame.f_globals['__name__']}.{frame.f_code.co_qualname}"] += 1


def holds(value: object, depth: int = DEPTH) -> bool:
    """Whether a value contains the marker, down to `depth` levels."""
    if isinstance(value, str):
        return MARKER in value
    if isinstance(value, bytes):
        return MARKER.encode() in value
    if depth == 0:
        return False
    if isinstance(value, dict):
        return any(holds(one, depth - 1) for pair in value.items() for one in pair)
    if isinstance(value, CONTAINERS):
        return any(holds(one, depth - 1) for one in value)
    if is_dataclass(value) and not isinstance(value, type):
        return any(holds(getattr(value, one.name, None), depth - 1) for one in fields(value))
    return False


def _arguments(code: CodeType) -> tuple[str, ...]:
    has_more = bool(code.co_flags & 0x04) + bool(code.co_flags & 0x08)  # *args, **kwargs
    return code.co_varnames[: code.co_argcount + code.co_kwonlyargcount + has_more]


@contextmanager
def watched() -> Iterator[Walk]:
    """Trace every call of this process during the block."""
    walk = Walk()
    with _counted_parses(walk):
        threading.setprofile(walk.see)
        sys.setprofile(walk.see)
        try:
            yield walk
        finally:
            sys.setprofile(None)
            threading.setprofile(None)


class _Joining:
    """can_ada's URL, whose `+` parses its argument."""

    def __init__(self, url: can_ada.URL, walk: Walk) -> None:
        self._url, self._walk = url, walk

    def __add__(self, text: str) -> "_Joining":
        self._walk.parsed(text)
        return _Joining(self._url + text, self._walk)

    def __getattr__(self, name: str) -> object:
        return getattr(self._url, name)

    def __str__(self) -> str:
        return str(self._url)


@contextmanager
def _counted_parses(walk: Walk) -> Iterator[None]:
    """Replace the parsers by counting ones, also where a module imported them by name."""
    parse, init = can_ada.parse, httpx.URL.__init__

    def counted_parse(url: str) -> _Joining:
        walk.parsed(url)
        return _Joining(parse(url), walk)

    def counted_init(self: httpx.URL, url: object = "", **more: object) -> None:
        walk.parsed(str(url))
        init(self, url, **more)  # type: ignore[arg-type]

    replaced = [(can_ada, "parse", parse, counted_parse), (httpx.URL, "__init__", init, counted_init)]
    for name in ("urlsplit", "urlparse"):
        original = getattr(urllib.parse, name)
        counted = _counted(original, walk)
        # only a module's existing names: lazy modules would import others and change the trace
        owners = [one for one in list(sys.modules.values()) if getattr(one, "__dict__", {}).get(name) is original]
        replaced += [(one, name, original, counted) for one in owners]
    for place, name, _, counter in replaced:
        setattr(place, name, counter)
    try:
        yield
    finally:
        for place, name, original, _ in replaced:
            setattr(place, name, original)


def _counted(original: FunctionType, walk: Walk) -> FunctionType:
    def counted(url: object, *more: object, **named: object) -> object:
        if sys._getframe(1).f_globals["__name__"] != "urllib.parse":  # urlparse calls urlsplit
            walk.parsed(url)
        return original(url, *more, **named)

    return counted  # type: ignore[return-value]


class _Here:
    """Parses feeds and extracts pages in this process, which a sweep does in others."""

    def __init__(self, walk: Walk) -> None:
        self._walk = walk

    async def read(self, job):
        with self._aside():
            return job.read(*job.arguments)

    def extract(self, pages):
        for _, one in pages:
            try:
                with self._aside():
                    result = extract_page(one, ExtractConfig())
            except ItemError as error:
                result = error
            yield one.capture_id, result

    @contextmanager
    def _aside(self):
        self._walk.is_aside = True
        try:
            yield
        finally:
            self._walk.is_aside = False


async def sweep(folder: Path) -> Walk:
    """Sweep a press of one feed with one article under trace; return the trace."""
    routes = {"/robots.txt": answer(404), f"/news/{MARKER}": page(PAGE.encode())}
    async with serve(routes) as server:
        routes["/feed"] = answer(200, FEED.format(url=server.url(f"/news/{MARKER}")).encode())
        source = Source(id="daily", name="Daily", feeds=(server.url("/feed"),))
        catalogue = Catalogue(sources=(source,), defaults=Defaults(allow_networks=("127.0.0.0/8",), crawl_delay_s=0.0))
        with open_index(f"sqlite:///{folder / 'index.db'}") as index, watched() as walk:
            stored = await _sweep(catalogue, index, open_store(str(folder / "lake"), s3=S3Config()), _Here(walk))
    if stored != 1:
        raise RuntimeError(f"{stored} articles were stored")
    return walk


async def _sweep(catalogue, index, store, here: _Here) -> int:
    now = datetime.now(UTC)
    plan = plan_sweep(IngestConfig(), catalogue, allow_networks=(), now=now)
    with index.write() as tx:
        feeds.add_feeds(tx, plan.feeds, now=now)
        polled = feeds.select_feeds(tx, (one.feed_url for one in plan.feeds), due_by=None)
    config = WebConfig(user_agent=AGENT, timeout_s=5.0, deadline_s=10.0)
    async with PoliteClient(config, HostLimits(index), owners=plan.owners, reader=here) as client:
        await poll_feeds(
            polled, client=client, rules=plan.rules, index=index, config=PollConfig(), polled_one=lambda: None,
            owners=plan.owners, reader=here,
        )  # fmt: skip
        batch = claim_batch(
            index, plan.selection, run_id="r1", limit=100, lease_s=300, host_budget_s=120, rules=plan.rules
        )
        fetched = await fetch_batch(
            batch, client=client, rules=plan.rules, segment_key="warc/dt=2026-01-01/b1.warc.gz", software="presslake/0",
            max_segment_size=10**8, put=store.put, fetched_one=lambda: None,
        )  # fmt: skip
    extracted = extract_batch(fetched, pool=here, read_segment=store.get, now=now, extracted_one=lambda: None)
    decide_batch(extracted, index=index, now=now)
    return publish_all(index, store)


def main() -> None:
    """Print the three figures, and what they count."""
    with tempfile.TemporaryDirectory() as folder:
        walk = asyncio.run(sweep(Path(folder)))
    _print_figures(walk, "with what other processes do", aside=True)
    _print_figures(walk, "in the sweep's own process", aside=False)
    for place, number in sorted(walk.parses.items()):
        print(f"parsed {number} times by {place}")
    if "-v" in sys.argv:
        for (module, function, form, is_aside), number in sorted(walk.places.items()):
            print(f"  {number:4} {module} {function} {form} {'(aside)' if is_aside else ''}")


def _print_figures(walk: Walk, what: str, *, aside: bool) -> None:
    modules, forms = walk.modules(aside=aside), walk.forms(aside=aside)
    containers = walk.forms(aside=aside, containers=True)
    print(f"{what}: {len(modules)} modules, {len(forms)} forms ({len(containers)} with containers), ", end="")
    print(
        f"{walk.parses.total()} parses\n  modules: {' '.join(sorted(modules))}\n  forms: {' '.join(sorted(containers))}"
    )


if __name__ == "__main__":
    main()
