"""Measure the CPU of parsing hostile input, against a bound for each kind. `make bench-hostile`.

The tests count function calls, which are the same on every machine; time spent inside one call, as in a regular expression or a
decoder, is measured only here. Then hostile sources are swept beside a good one: no callback of an event loop in our code may
take over 0.1 s of CPU, nor all processes over 600 MB with one hostile source. Exits with 1 if a bound is exceeded.
"""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress

from benchmarks.hostile_sweep import measure
from tasks.errors import BadContentEncoding, DecompressionBomb
from tasks.politeness.robots import parse_robots
from tasks.web.decoding import decode_body
from tasks.web.text import decode_text
from tests.extract.reading import read_page
from tests.extract.test_hostile import NO_PAGES, PAGES
from tests.extract.test_jsonld import HOSTILE as BLOCKS
from tests.extract.test_jsonld import graph
from tests.politeness.test_robots import AGENT
from tests.politeness.test_robots import HOSTILE as ROBOTS
from tests.web.test_decoding import ENCODERS, MIB, zeros
from tests.web.test_text import HOSTILE as MARKUP

PAGE_S, BLOCK_S, ROBOTS_S, VERDICT_S, BODY_S, MARKUP_S = 20.0, 3.0, 1.0, 0.1, 1.0, 1.0


def main() -> int:
    """Measure everything, and return the exit code."""
    bad = 0
    for name, bound_s, act in _inputs():
        began = time.process_time()
        act()
        cpu_s = time.process_time() - began
        bad += cpu_s > bound_s
        print(f"{name:48} {cpu_s:8.3f} s of {bound_s:g}{'   TOO MUCH' if cpu_s > bound_s else ''}", flush=True)
    bad += measure()
    return 1 if bad else 0


def _inputs() -> Iterator[tuple[str, float, Callable[[], object]]]:
    for name, make in (PAGES | {name: lambda html=html: html for name, html in NO_PAGES.items()}).items():
        html = make()
        yield f"page: {name}", PAGE_S, lambda html=html: read_page(html)
    for name, block in BLOCKS.items():
        yield f"JSON-LD: {name}", BLOCK_S, lambda block=block: graph(block)
    for name, body in ROBOTS.items():
        policy = parse_robots(body)
        yield f"robots.txt: {name}", ROBOTS_S, lambda body=body: parse_robots(body)
        url = "https://news.example/" + "a" * 2000
        yield f"verdict: {name}", VERDICT_S, lambda policy=policy, url=url: policy.allows(url, user_agent=AGENT)
    for coding in ("gzip", "deflate", "br", "zstd"):
        body = zeros(60 * MIB, coding)
        yield f"bomb: {coding}", BODY_S, lambda body=body, coding=coding: _refused(body, coding)
    for coding in ("gzip", "zstd"):
        body = ENCODERS[coding](b"") * 200_000
        yield f"empty members: {coding}", BODY_S, lambda body=body, coding=coding: _refused(body, coding)
    yield "markup", MARKUP_S, lambda: [decode_text(body, "charset" * 10_000) for body in MARKUP]


def _refused(body: bytes, coding: str) -> None:
    with suppress(BadContentEncoding, DecompressionBomb):
        decode_body(body, coding, max_size=4 * MIB)


if __name__ == "__main__":
    sys.exit(main())
