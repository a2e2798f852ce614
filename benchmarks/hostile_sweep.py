"""Sweep hostile sources and a good one; measure callbacks that block an event loop, and memory. Part of `make bench-hostile`."""

import gzip
import json
import os
import random
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import psutil

from benchmarks.loops import LONGEST_S
from benchmarks.whole_run import Meter, metered
from flows.server.defaults import set_prefect_defaults
from flows.server.local import local_server

CHECKOUT = Path(__file__).resolve().parent.parent
MOST_SIZE = 600_000_000
RSS, HTML, TEXT = "application/rss+xml", "text/html; charset=utf-8", "text/plain"
GOOD = "127.66.0.1"
STORIES = 5
ALL = "all together"

Answer = tuple[str, bytes]
"""A Content-Type and a body; a body with gzip's magic number is sent as gzip-encoded."""


def _rss(links: Iterator[str], more: str = "") -> Answer:
    items = "".join(f"<item><title>Item</title><link>{link}</link>{more}</item>" for link in links)
    return RSS, f"<rss version='2.0'><channel><title>S</title>{items}</channel></rss>".encode()


def _page(title: str, paragraphs: Iterator[str]) -> Answer:
    text = "".join(f"<p>{one}.</p>" for one in paragraphs)
    return HTML, f"<html><title>{title}</title><body><article><h1>{title}</h1>{text}</article></body></html>".encode()


def _story(number: int) -> Answer:
    return _page(
        f"Ferry {number}",
        (
            f"On day {day} of strike {number} the harbour counted {day * 7 + number} boats, and {day} of them left"
            for day in range(12)
        ),
    )


def _half_alike() -> dict[str, Answer]:
    chance = random.Random(3)
    common = [" ".join(f"w{chance.randrange(10**6)}" for _ in range(12)) for _ in range(12_000)]
    pages = {
        f"/long/{number}": _page(
            f"Long {number}",
            (one if place % 2 else one.replace("w", f"v{number}") for place, one in enumerate(common)),
        )
        for number in range(16)
    }
    return {"/feed": _rss(iter(pages)), **pages}


def hostile_sources(good: str) -> dict[str, dict[str, Answer]]:
    """Return each hostile source's responses by path; `good` is the URL of the good source.

    A source with `/feed` has a feed, one with `/map` a sitemap, all others a front page.
    """
    bases = b'<rss xml:base="/b/">' + b'<a xml:base="c/">' * 200 + b"<item/>" * 200_000 + b"</a>" * 200 + b"</rss>"
    attributes = " ".join(f"a{number}='1'" for number in range(40_000))
    rules = "".join(f"Disallow:*ab{number % 10}\n" for number in range(36_000))
    name = "".join(random.Random(1).choices("abcdefghijklmnopqrstuvwxyz0123456789", k=3_900))
    old = "<pubDate>Mon, 01 Jan 1990 00:00:00 GMT</pubDate>"
    return {
        "bytes-in-robots": {"/robots.txt": (TEXT, b"User-agent: *\nSitemap: /\xff\x00.xml\n"), "/": (HTML, b"<p>x")},
        "long-feed-link": {"/": (HTML, f'<link rel="alternate" type="{RSS}" href="/{name}">'.encode())},
        "many-feed-links": {"/": (HTML, b"<base><body>" + b"<a href='/rss'>x</a>" * 40_000)},
        "nested-bases": {"/feed": (RSS, gzip.compress(bases))},
        "blank-charset": {"/feed": ("text/xml; charset=" + " " * 60_000 + ";", b"<rss><channel><item/></channel></rss>")},
        "many-attributes": {"/feed": (RSS, f"<rss {attributes}><channel/></rss>".encode())},
        "empty-elements": {"/map": ("application/xml", gzip.compress(b"<urlset>" + b"<a/>" * 12_400_000))},
        "wild-rules": {
            "/robots.txt": (TEXT, f"User-agent: *\n{rules}".encode()),
            "/feed": _rss(f"/{number}{'a' * 4000}" for number in range(250)),
        },
        "anothers-stories": {"/feed": _rss((f"{good}/{number}" for number in range(STORIES)), old)},
        "half-alike": _half_alike(),
    }  # fmt: skip


@contextmanager
def _served(routes: dict[str, dict[str, Answer]]) -> Iterator[int]:
    """Serve the routes of each address during the block; yield the port."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            content_type, body = routes[str(self.server.server_address[0])].get(self.path, ("", b""))
            self.send_response(200 if content_type else 404)
            self.send_header("Content-Type", content_type)
            if body.startswith(b"\x1f\x8b"):
                self.send_header("Content-Encoding", "gzip")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_args: object) -> None:
            """Log nothing."""

    port, servers = 0, []
    for address in routes:
        server = ThreadingHTTPServer((address, port), Handler)
        port = server.server_address[1]
        servers.append(server)
        threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield port
    finally:
        for server in servers:
            server.shutdown()
            server.server_close()


def measure() -> int:
    """Sweep each hostile source with the good one, then all together; return the number of sweeps that exceed a bound.

    The bound on memory applies to single hostile sources; for all together, memory is only printed.
    """
    addresses = {name: f"127.66.0.{number}" for number, name in enumerate(hostile_sources(""), start=2)}
    routes: dict[str, dict[str, Answer]] = {address: {} for address in (GOOD, *addresses.values())}
    with tempfile.TemporaryDirectory() as folder, _served(routes) as port:
        os.environ["PREFECT_HOME"] = f"{folder}/prefect"
        set_prefect_defaults(is_quiet=True)
        routes[GOOD] |= {f"/{number}": _story(number) for number in range(STORIES)}
        routes[GOOD]["/feed"] = _rss(f"/{number}" for number in range(STORIES))
        for name, answers in hostile_sources(f"http://{GOOD}:{port}").items():
            routes[addresses[name]] |= answers
        with local_server(has_ui=False) as url:
            bad = 0
            for number, name in enumerate((*addresses, ALL)):
                home = Path(folder) / str(number)
                home.mkdir()
                chosen = addresses if name == ALL else {name: addresses[name]}
                home.joinpath("sources.yaml").write_text(_catalogue({"good": GOOD, **chosen}, routes, port))
                bad += _swept(home, url, name)
    return bad


def _catalogue(addresses: dict[str, str], routes: dict[str, dict[str, Answer]], port: int) -> str:
    lines = ["defaults: {crawl_delay_s: 0, max_per_host: 4, allow_networks: ['127.0.0.0/8']}", "sources:"]
    for name, address in addresses.items():
        url = f"http://{address}:{port}"
        kinds = {"/feed": f"feeds: ['{url}/feed']", "/map": f"sitemaps: ['{url}/map']"}
        what = next((said for path, said in kinds.items() if path in routes[address]), f"home_url: '{url}/'")
        lines.append(f"  - {{id: {name}, {what}}}")
    return "\n".join(lines) + "\n"


def _swept(home: Path, api_url: str, name: str) -> int:
    command = [sys.executable, "-m", "benchmarks.loops", str(home / "watched.json"), "ingest", "--json"]
    places = {"LAKE": home / "lake", "INDEX": f"sqlite:///{home / 'index.db'}", "CATALOGUE": home / "sources.yaml"}
    environment = {**os.environ, "PREFECT_API_URL": api_url, "PYTHONPATH": str(CHECKOUT)}
    environment |= {f"PRESSLAKE_{setting}": str(value) for setting, value in places.items()}
    with (
        subprocess.Popen(command, cwd=CHECKOUT, env=environment, stdout=subprocess.PIPE, text=True) as sweep,
        metered(psutil.Process(sweep.pid)) as meter,
    ):
        out = sweep.communicate(timeout=600)[0]
    report, watched = json.loads(out.splitlines()[-1]), json.loads((home / "watched.json").read_text())
    return _judged(name, watched, meter, report["articles"]["new"])


def _judged(name: str, watched: dict[str, Any], meter: Meter, articles: int) -> int:
    size, number = meter.peak_sizes.total(), len(watched["long"])
    is_bad = bool(number) or articles < STORIES or (size > MOST_SIZE and name != ALL)
    print(
        f"sweep: {name:17} {number} of {watched['callbacks']:5,} callbacks of ours over {LONGEST_S:g} s of CPU, the longest "
        f"{watched['longest_s']:.3f} s; peak PSS {size / 1e6:4.0f} MB without Prefect's server; {articles} articles"
        f"{'   TOO MUCH' if is_bad else ''}",
        flush=True,
    )
    for cpu_s, frames in watched["long"]:
        print(f"  {cpu_s:.3f} s in {', '.join(frames)}")
    return is_bad
