"""Measure the cost of rights: CPU per page of reading and deciding, and per document of parsing it. `make bench-rights`.

Each figure is the median of rounds in this process, without extraction. Exits with 1 if a page takes over half a millisecond.
"""

import json
import statistics
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime

from tasks.politeness.rights.documents import SiteDocument
from tasks.politeness.rights.mapping import refusal_of, verdict_on
from tasks.politeness.rights.page import header_signals, meta_signals
from tasks.politeness.rights.rsl import parse_rsl
from tasks.politeness.rights.site import NamedLicence, SiteRights, read_robots
from tasks.politeness.tdmrep import parse_tdmrep
from tasks.values.permit import Evidence, RobotsAnswer
from tasks.values.rights import PolicyKind, Purpose
from tasks.values.url import Url

MOST_MS = 0.5
ROUNDS, PAGES = 15, 200
AGENT = "Presslake/0.2 (+https://presslake.example/)"
ORIGIN = "https://gazette.example"

CRAWLERS = (
    "GPTBot CCBot ClaudeBot Google-Extended PerplexityBot Bytespider Applebot-Extended meta-externalagent".split()
)
ROBOTS = "\n".join(
    [
        *(f"User-agent: {name}\nDisallow: /" for name in CRAWLERS),
        "User-agent: *",
        "Content-Signal: search=yes, ai-train=no",
        "Content-Usage: train-ai=n, search=y",
        "Content-Usage: /news/ ai-use=n",
        *(f"Disallow: /section-{number}/*.pdf$" for number in range(150)),
    ]
).encode()
TDM = json.dumps([{"location": f"/dossier-{number}/*", "tdm-reservation": 1} for number in range(50)]).encode()
RSL = (
    '<rsl xmlns="https://rslstandard.org/rsl">'
    + "".join(
        f'<content url="/section-{number}/"><license><permits type="usage">search</permits></license></content>'
        for number in range(20)
    )
    + '<content url="/"><license><prohibits type="usage">ai-all</prohibits></license></content></rsl>'
).encode()
HEADERS = (
    ("content-type", "text/html"),
    ("content-usage", "train-ai=n"),
    ("x-robots-tag", "noai, max-snippet: 0"),
    ("tdm-reservation", "1"),
    *((f"x-{number}", "value") for number in range(20)),
)
METAS = (("robots", "noai, noimageai"), ("tdm-reservation", "1"), *((f"og:{number}", "value") for number in range(30)))


def main() -> int:
    """Measure, print, and return the exit code."""
    site = _site()
    urls = [Url.of(f"{ORIGIN}/news/2026/story-{number}.html") for number in range(PAGES)]
    parts: dict[str, Callable[[str], object]] = {
        "what the site's documents say": site.signals_for,
        "what the header says": lambda _: header_signals(HEADERS, token="presslake"),
        "what the elements say": lambda _: meta_signals(METAS, token="presslake"),
        "whether it is refused": lambda url: refusal_of(Purpose, site.signals_for(url)),
        "all of it": lambda url: _all_of(site, url),
    }
    for name, act in parts.items():
        cost_ms = _cost_ms(act, urls)
        print(f"{name:<34}{cost_ms:8.3f} ms a page")
    huge = {
        "robots.txt of 6 kB": (lambda: read_robots(ROBOTS, AGENT)),
        "robots.txt of 500 kB": (lambda: read_robots(ROBOTS * (500_000 // len(ROBOTS)), AGENT)),
        "tdmrep.json of 4 kB": (lambda: parse_tdmrep(TDM)),
        "licence of 2 kB": (lambda: parse_rsl(RSL)),
    }
    for name, read in huge.items():
        print(f"{name:<34}{_cost_ms(lambda _, read=read: read(), [Url.of(ORIGIN)] * 3):8.3f} ms a document")
    print(f"{cost_ms:.3f} ms a page; at most {MOST_MS}")
    return 0 if cost_ms <= MOST_MS else 1


def _all_of(site: SiteRights, url: str) -> object:
    signals = (
        *site.signals_for(url),
        *header_signals(HEADERS, token="presslake"),
        *meta_signals(METAS, token="presslake"),
    )
    return [verdict_on(purpose, signals) for purpose in Purpose], refusal_of(Purpose, signals)


def _site() -> SiteRights:
    read, licences = read_robots(ROBOTS, AGENT), parse_rsl(RSL)
    return SiteRights(
        policy=read.policy,
        robots=read.rights,
        robots_document=_document(PolicyKind.ROBOTS, "/robots.txt", ROBOTS),
        tdm=parse_tdmrep(TDM),
        tdm_document=_document(PolicyKind.TDMREP, "/.well-known/tdmrep.json", TDM),
        licences=(
            NamedLicence(url=f"{ORIGIN}/l.xml", licences=licences, document=_document(PolicyKind.RSL, "/l.xml", RSL)),
        ),
    )


def _document(kind: PolicyKind, path: str, body: bytes) -> SiteDocument:
    answer = RobotsAnswer(origin=ORIGIN, status=200, body=body, fetched_at=datetime(2026, 11, 29, tzinfo=UTC))
    evidence = Evidence(url=f"{ORIGIN}{path}", request_head=b"", response_head=b"", body=body, address=None)
    return SiteDocument(policy_id=path, kind=kind, origin=ORIGIN, answer=answer, evidence=evidence)


def _cost_ms(act: Callable[[str], object], urls: list[str]) -> float:
    rounds = []
    for _ in range(ROUNDS):
        began = time.process_time()
        for url in urls:
            act(url)
        rounds.append((time.process_time() - began) * 1000 / len(urls))
    return statistics.median(rounds)


if __name__ == "__main__":
    sys.exit(main())
