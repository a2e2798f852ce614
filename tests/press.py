"""A generated press on loopback for tests of whole sweeps: sites with one feed each, articles with known text, and request counts.

Each site has its own address, so that hosts differ. Articles are generated from their numbers, so that tests can
compute what is right.
"""

import hashlib
import random
import selectors
import sys
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socketserver import TCPServer

_WORDS = """
harbour council river bridge budget teacher station market winter library garden doctor ferry valley museum engine
orchard minister signal railway lantern village harvest committee theatre painter glacier meadow captain factory
""".split()
_VERBS = "opened closed welcomed rejected repaired painted measured visited promised delayed questioned praised".split()


def sentence(chance: random.Random) -> str:
    """Return a sentence of about a dozen words."""
    first, second, third = chance.sample(_WORDS, 3)
    return (
        f"The {first} near the {second} {chance.choice(_VERBS)} the {third} on day {chance.randrange(1, 365)}, "
        f"and {chance.randrange(2, 900)} people {chance.choice(_VERBS)} it."
    )


@dataclass(frozen=True)
class Story:
    """One article: `number` determines its text; `version` counts its corrections."""

    site: int
    number: int
    version: int = 1

    @property
    def path(self) -> str:
        return f"/news/{self.number}-{self.slug}.html"

    @property
    def slug(self) -> str:
        return hashlib.sha256(f"{self.site}.{self.number}".encode()).hexdigest()[:8]

    @property
    def title(self) -> str:
        return f"Report {self.site}.{self.number}: {random.Random(self.slug).choice(_WORDS)} and harbour"

    @property
    def paragraphs(self) -> tuple[str, ...]:
        chance = random.Random(f"{self.site}.{self.number}")
        made = [" ".join(sentence(chance) for _ in range(3)) for _ in range(4)]
        if self.version > 1:
            made[-1] += f" This report was corrected {self.version - 1} times after publication."
        return tuple(made)

    @property
    def text(self) -> str:
        return "\n".join(self.paragraphs)

    @property
    def html(self) -> str:
        return "".join(f"<p>{paragraph}</p>" for paragraph in self.paragraphs)


@dataclass
class Asked:
    """One request, with the monotonic times at which it arrived and at which its response was ready."""

    site: int
    path: str
    came_at: float
    answered_at: float | None = None


def most_in_flight(log: Iterable[Asked]) -> int:
    """Return the greatest number of concurrent requests."""
    events = [(one.came_at, 1) for one in log] + [(one.answered_at, -1) for one in log if one.answered_at is not None]
    under_way = most = 0
    for _, change in sorted(events):
        under_way += change
        most = max(most, under_way)
    return most


@dataclass
class Press:
    """The sites and their requests. `stories` are by site; `furniture` changes with every tick, the text does not.

    `pauses_s` is how long a site takes for each response; `headers` are additional ones, by site and path. `held` maps
    paths to the event that their response waits for. `listed` are foreign URLs in a site's feed, all dated `listed_at`.
    """

    addresses: tuple[str, ...]
    stories: dict[int, dict[str, Story]]
    port: int = 0
    tick: int = 0
    pauses_s: dict[int, float] = field(default_factory=dict)
    headers: dict[tuple[int, str], dict[str, str]] = field(default_factory=dict)
    held: dict[tuple[int, str], threading.Event] = field(default_factory=dict)
    listed: defaultdict[int, tuple[str, ...]] = field(default_factory=lambda: defaultdict(tuple))
    listed_at: datetime = datetime(1990, 1, 1, tzinfo=UTC)
    hits: Counter[tuple[str, str]] = field(default_factory=Counter)
    log: list["Asked"] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def url(self, site: int, path: str) -> str:
        return f"http://{self.addresses[site]}:{self.port}{path}"

    def urls(self) -> set[str]:
        return {self.url(site, path) for site, stories in self.stories.items() for path in stories}

    def by_url(self) -> dict[str, Story]:
        return {
            self.url(site, path): story for site, stories in self.stories.items() for path, story in stories.items()
        }

    def article_hits(self) -> Counter[str]:
        """Count the GETs of each article, by URL."""
        with self.lock:
            return Counter({
                f"http://{address}:{self.port}{path}": number
                for (address, path), number in self.hits.items()
                if path.startswith("/news/")
            })  # fmt: skip

    def catalogue(self, path: Path, *, crawl_delay_s: float = 0.0, max_per_host: int = 4) -> Path:
        """Write a catalogue of all sites, feeds only; written atomically, since another thread may read it."""
        politeness = f"crawl_delay_s: {crawl_delay_s}, max_per_host: {max_per_host}"
        lines = [f'defaults: {{{politeness}, allow_networks: ["127.0.0.0/8"]}}', "sources:"]
        for site in range(len(self.addresses)):
            lines += [f"  - id: site-{site}", f'    feeds: ["{self.url(site, "/feed.xml")}"]']
        written = path.with_name(f"{path.name}.{threading.get_ident()}")
        written.write_text("\n".join(lines) + "\n")
        return written.replace(path)

    def answer(self, address: str, path: str) -> tuple[int, str, bytes]:
        """Return status, media type and body."""
        site = self.addresses.index(address)
        if path == "/robots.txt":
            return 200, "text/plain", b"User-agent: *\nDisallow: /private/\n"
        if path == "/feed.xml":
            return 200, "application/rss+xml", self._feed(site)
        if path == "/":
            return 200, "text/html; charset=utf-8", self._front_page(site)
        story = self.stories[site].get(path)
        return (
            (200, "text/html; charset=utf-8", self._page(site, story))
            if story
            else (404, "text/plain", b"no such page")
        )

    def _feed(self, site: int) -> bytes:
        items = "".join(
            f"<item><title>{story.title}</title><link>{self.url(site, path)}</link></item>"
            for path, story in self.stories[site].items()
        )
        items += "".join(
            f"<item><title>Taken</title><link>{url}</link><pubDate>{format_datetime(self.listed_at)}</pubDate></item>"
            for url in self.listed[site]
        )
        return f'<rss version="2.0"><channel><title>Site {site}</title>{items}</channel></rss>'.encode()

    def _front_page(self, site: int) -> bytes:
        return (
            f'<!doctype html><html lang="en"><head><title>Site {site}</title>'
            '<link rel="alternate" type="application/rss+xml" href="/feed.xml"></head><body><p>News</p></body></html>'
        ).encode()

    def _page(self, site: int, story: Story) -> bytes:
        chance = random.Random(f"{story.slug}.{self.tick}")
        teasers = "".join(
            f'<article><h3><a href="/news/{chance.randrange(10**6)}.html">{sentence(chance)}</a></h3></article>'
            for _ in range(4)
        )
        return (
            f'<!doctype html><html lang="en"><head><title>{story.title} | Site {site}</title>'
            f'<meta property="og:type" content="article"><meta property="og:title" content="{story.title}">'
            f'<meta property="article:published_time" content="2026-01-{story.number % 28 + 1:02d}T08:00:00Z"></head>'
            f'<body><nav><a href="/">Home</a><a href="/about">About</a></nav><main><article><h1>{story.title}</h1>{story.html}'
            f"</article></main><section><h2>More For You</h2>{teasers}</section>"
            f"<footer><p>Site {site}, all rights reserved, edition {self.tick}</p></footer></body></html>"
        ).encode()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    press: Press

    def log_message(self, *_args: object) -> None:
        pass

    def do_GET(self) -> None:
        address = self.server.server_address[0]
        site = self.press.addresses.index(address)
        asked = Asked(site, self.path, time.monotonic())
        with self.press.lock:
            self.press.hits[address, self.path] += 1
            self.press.log.append(asked)
        time.sleep(self.press.pauses_s.get(site, 0.0))
        if event := self.press.held.get((site, self.path)):
            event.wait()
        status, media_type, body = self.press.answer(address, self.path)
        etag = f'"{hashlib.sha256(body).hexdigest()[:16]}"'
        if status == 200 and self.headers.get("If-None-Match") == etag:
            status, body = 304, b""
        self.send_response(status)
        self.send_header("Content-Type", media_type)
        self.send_header("ETag", etag)
        for name, value in self.press.headers.get((site, self.path), {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        asked.answered_at = time.monotonic()  # the client may send its next request before the next line has run
        self.wfile.write(body)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128
    timeout = 0  # of `handle_request`, which is called when there is a connection

    def server_bind(self) -> None:
        """Bind without resolving a name."""
        TCPServer.server_bind(self)
        self.server_name, self.server_port = self.server_address[:2]

    def handle_error(self, request: object, client_address: object) -> None:
        """Ignore clients that were killed in the middle of a request."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


@contextmanager
def running_press(*, sites: int, articles: int, network: int = 20) -> Iterator[Press]:
    """Serve `sites` sites of `articles` articles each, on 127.<network>.0.1 and up, until the block ends."""
    addresses = tuple(f"127.{network}.{site // 200}.{site % 200 + 1}" for site in range(sites))
    stories = {
        site: {story.path: story for story in (Story(site, number) for number in range(articles))}
        for site in range(sites)
    }
    press = Press(addresses, stories)
    handler = type("Handler", (_Handler,), {"press": press})
    servers = []
    for address in addresses:
        server = _Server((address, press.port), handler)
        press.port = server.server_address[1]
        servers.append(server)
    stopping = threading.Event()
    thread = threading.Thread(target=_serve, args=(servers, stopping), daemon=True)
    thread.start()
    try:
        yield press
    finally:
        stopping.set()
        thread.join()
        for server in servers:
            server.server_close()


def _serve(servers: Iterable[_Server], stopping: threading.Event) -> None:
    """Accept the connections of all sites in one thread: two hundred threads that wake twenty times a second would fill a core."""
    with selectors.DefaultSelector() as selector:
        for server in servers:
            selector.register(server, selectors.EVENT_READ)
        while not stopping.is_set():
            for key, _ in selector.select(0.05):
                key.fileobj.handle_request()
