"""Fuzz every parser of web content with damaged documents. `make fuzz`.

    python -m tests.e2e.fuzz [--minutes 10] [--only TARGET]... [--found FOLDER]

Hypothesis generates the inputs: whole documents that are cut, joined, repeated and sprinkled with tokens of their format. An
unexpected exception, or an input that takes longer than `LONGEST_S`, ends a target; the smallest such input is written to the
folder, and the exit code is 1. Two targets run concurrently.
"""

import argparse
import hashlib
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from hypothesis import HealthCheck, Phase, find, settings
from hypothesis import strategies as st
from hypothesis.errors import NoSuchExample

from tasks.errors import PresslakeError
from tasks.extract.jsonld import read_jsonld
from tasks.extract.page import extract_html
from tasks.extract.tree import parse_html
from tasks.feeds.formats import read_document
from tasks.feeds.opml import read_opml
from tasks.politeness.rights.page import header_signals, inline_signals, meta_signals
from tasks.politeness.rights.rsl import parse_rsl
from tasks.politeness.rights.site import read_robots
from tasks.politeness.robots import matched_path, policy_for
from tasks.politeness.tdmrep import parse_tdmrep
from tasks.values.feed import FeedKind
from tasks.web.headers import max_age_s, media_type, parse_http_date, parse_retry_after, robots_directives
from tasks.web.heads import mended_head
from tasks.web.text import decode_text, with_query_in

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
URL = "https://daily.example/2026/x?q=%C3%A4"
AGENT = "ExampleBot/1.0 (+https://example.org/bot)"
LONGEST_S = 30
ROUND = 500
"""Inputs between two checks of the time limit."""

XML_MARKS = ("<", ">", "&", "]]>", "<![CDATA[", "<!--", "-->", "<?xml version='1.0' encoding='utf-7'?>", "<!DOCTYPE x [<!ENTITY a 'b'>]>", "&a;", "&#0;", "&#x110000;", "xmlns='x'", "xmlns:a='b'", "xml:base='http://[::1'", "<a:b:c>", "</", "/>", "'", '"', "\ud800", "http://\\", "javascript:")  # fmt: skip
HTML_MARKS = (*XML_MARKS, "<base href='//['>", "<table><tr><td>", "<svg><title>", "<template>", "<noscript>", "<frameset>", "<script type='application/ld+json'>{", "</script>", "<meta charset=", "<p>", "<br>", "\0", "<plaintext>", "<a href=' \t\n/x'>")  # fmt: skip
TEXT = "The ferry sailed again on Sunday, four months after its engine failed in the sound. Forty people had waited. "


@dataclass(frozen=True, kw_only=True)
class Target:
    """A parser, valid documents for it, and the tokens of their format."""

    read: Callable[[bytes], object]
    whole: Sequence[bytes]
    marks: Sequence[str]


def _feed(kind: FeedKind, content_type: str) -> Callable[[bytes], object]:
    return lambda body: read_document(kind, body, content_type=content_type, url=URL, now=NOW)


def _robots(body: bytes) -> None:
    policy = policy_for(body, AGENT)
    policy.check(URL, user_agent=AGENT)
    read_robots(body, AGENT)
    matched_path(URL)


def _headers(body: bytes) -> None:
    mended_head(body)
    fields = [line.partition(":")[::2] for line in body.decode("latin-1").split("\r\n")]
    header_signals(tuple((name.lower(), value.strip()) for name, value in fields), token="examplebot")
    for _, value in fields:
        parse_retry_after(value, now=NOW)
        parse_http_date(value)
        max_age_s(value)
        media_type(value)
        robots_directives([value])


def _charset(body: bytes) -> None:
    content_type, _, rest = body.partition(b"\n")
    text, name = decode_text(rest, content_type.decode("latin-1"))
    text.encode("utf-8", "surrogatepass")
    with_query_in(URL, name)


def _jsonld(body: bytes) -> None:
    tree = parse_html(
        f"<html><script type='application/ld+json'>{body.decode('utf-8', 'replace')}</script><p>x</p></html>"
    )
    if tree is not None:
        read_jsonld(tree)


def _licences(body: bytes) -> None:
    for read in (parse_rsl, parse_tdmrep):
        try:
            read(body)
        except PresslakeError:
            continue
    text = body.decode("utf-8", "replace")
    meta_signals((("robots", text),), token="x")
    inline_signals(text, URL)


PAGE = f"""<!doctype html><html lang=en><head><title>Ferry returns | Gazette</title><meta property="og:type" content="article">
<meta property="article:published_time" content="2026-03-01T08:00:00Z"><link rel=canonical href="/2026/x">
<script type="application/ld+json">{{"@type": "NewsArticle", "headline": "Ferry returns", "author": {{"name": "A B"}}}}</script></head>
<body><nav><a href="/">Home</a></nav><article><h1>Ferry returns</h1><p class=byline>By A B, 1 March 2026</p><p>{TEXT * 3}</p>
<figure><img src=x><figcaption>The ferry</figcaption></figure><ul><li>{TEXT}</li></ul><table><tr><td>1</td><td>{TEXT}</td></tr></table>
<blockquote>{TEXT}</blockquote></article><aside><h2>More For You</h2><a href=/a>One</a></aside></body></html>""".encode()

TARGETS: Mapping[str, Target] = {
    "feed": Target(
        read=_feed(FeedKind.FEED, "application/rss+xml"),
        whole=(
            b"<rss version='2.0'><channel><title>D</title><link>/</link><item><title>A</title><link>/a</link><guid isPermaLink='true'>/a</guid><pubDate>Sun, 01 Mar 2026 08:00:00 GMT</pubDate></item></channel></rss>",
            b"<feed xmlns='http://www.w3.org/2005/Atom'><entry><title type='html'>&lt;b>A</title><link href='/a'/><updated>2026-03-01T08:00:00Z</updated></entry></feed>",
            b'{"version": "https://jsonfeed.org/version/1.1", "items": [{"id": "1", "url": "/a", "title": "A", "date_published": "2026-03-01T08:00:00Z"}]}',
        ),
        marks=(*XML_MARKS, "<item>", "</item>", "<link>", '"items": [', "\\ud800", "1e999", "{", "]"),
    ),
    "sitemap": Target(
        read=_feed(FeedKind.SITEMAP, "application/xml"),
        whole=(
            b"<urlset xmlns='http://www.sitemaps.org/schemas/sitemap/0.9'><url><loc>/a</loc><lastmod>2026-03-01</lastmod></url></urlset>",
            b"<sitemapindex><sitemap><loc>/map-2026-03.xml</loc><lastmod>2026-03-01T08:00:00+25:00</lastmod></sitemap></sitemapindex>",
            b"https://daily.example/a\nhttps://daily.example/b\n",
        ),
        marks=(*XML_MARKS, "<url>", "<loc>", "</loc>", "<lastmod>9999-99-99", "\n"),
    ),
    "listing": Target(read=_feed(FeedKind.LISTING, "text/html"), whole=(PAGE,), marks=HTML_MARKS),
    "opml": Target(
        read=lambda body: read_opml(body, name="x"),
        whole=(b"<opml version='2.0'><body><outline text='A'><outline type='rss' text='B' xmlUrl='/f'/></outline></body></opml>",),
        marks=(*XML_MARKS, "<outline ", "xmlUrl='", "htmlUrl='"),
    ),
    "robots": Target(
        read=_robots,
        whole=(b"User-agent: *\nDisallow: /x*y$\nCrawl-delay: 5\nSitemap: /s.xml\nContent-Usage: ai=n\nContent-Signal: search=yes\nLicense: /l.xml\n",),
        marks=("\r", "\n", "User-agent:", "Disallow:", "Allow: *", "$", "%", "%zz", "\xff", "\0", ":", "#", "Crawl-delay: nan", "*" * 50),
    ),
    "headers": Target(
        read=_headers,
        whole=(b"HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: 5\r\nX-Robots-Tag: bot: noindex, noai\r\nContent-Usage: train-ai=n\r\nRetry-After: Sun, 01 Mar 2026 08:00:00 GMT\r\nCache-Control: max-age=60\r\n\r\n",),
        marks=("\r\n", "\n", ":", ";", ",", "=", "\0", "\t", '"', "?", "99999999999999999999", "-1", "é"),
    ),
    "charset": Target(
        read=_charset,
        whole=("text/html; charset=windows-1251\nПриём".encode("cp1251"), "text/html\n<meta charset=shift_jis>日本".encode("shift_jis"), b"\n\xff\xfeh\0i\0"),
        marks=("charset=", "utf-16", "utf-7", "hz-gb-2312", "iso-2022-kr", "replacement", "x-user-defined", "\0", "\xff", "é", "<meta ", "punycode", "rot13"),
    ),
    "jsonld": Target(
        read=_jsonld,
        whole=(b'{"@context": "https://schema.org", "@graph": [{"@type": ["NewsArticle"], "headline": "A", "author": [{"@id": "#a"}], "datePublished": "2026-03-01"}, {"@id": "#a", "name": "B"}]}',),
        marks=('"', "{", "}", "[", "]", ",", ":", "\\", "\\u0000", "\\ud800", "//", "/*", "1e999", "NaN", "null", "</script>", "<!--", "&quot;", "[" * 200),
    ),
    "rights": Target(
        read=_licences,
        whole=(
            b"<rsl xmlns='https://rslstandard.org/rsl'><content url='/'><license><permits type='usage'>search</permits><prohibits type='usage'>ai-train</prohibits></license></content></rsl>",
            b'[{"location": "/*", "tdm-reservation": 1, "tdm-policy": "/p.json"}]',
            b"examplebot: noindex, max-snippet: 5, unavailable_after: 1 Mar 2026",
        ),
        marks=(*XML_MARKS, "[", "{", '"location":', "null", "noai,", ":", "*"),
    ),
    "page": Target(
        read=lambda body: extract_html(body, URL, content_type="text/html", fetched_at=NOW), whole=(PAGE,), marks=HTML_MARKS
    ),
}  # fmt: skip


def inputs(target: Target) -> st.SearchStrategy[bytes]:
    """Return a strategy for documents of the target's format, damaged to varying degrees."""
    marks = st.sampled_from([mark.encode("utf-8", "surrogatepass") for mark in target.marks])
    whole = st.sampled_from(list(target.whole))

    @st.composite
    def damaged(draw: st.DrawFn) -> bytes:
        body = bytearray(draw(whole))
        for _ in range(draw(st.integers(0, 8))):
            start = draw(st.integers(0, len(body)))
            end = min(len(body), start + draw(st.integers(0, 40)))
            kind = draw(st.sampled_from(("insert", "cut", "double", "byte", "join")))
            if kind == "insert":
                body[start:start] = draw(marks) * draw(st.sampled_from((1, 1, 1, 3, 300)))
            elif kind == "cut":
                del body[start:end]
            elif kind == "double":
                body[start:start] = body[start:end] * draw(st.sampled_from((1, 2, 200)))
            elif kind == "byte":
                body[start:end] = draw(st.binary(max_size=6))
            else:
                body[start:] = draw(whole)[draw(st.integers(0, 400)) :]
        return bytes(body)

    return st.one_of(
        damaged(), damaged(), damaged(), st.lists(marks, max_size=60).map(b"".join), st.binary(max_size=300)
    )


class TooLong(BaseException):
    """One input took longer than `LONGEST_S`. A BaseException, so that no parser catches it."""


def failure_of(read: Callable[[bytes], object], body: bytes) -> str | None:
    """Return how a parser fails on an input; None if it parses it or refuses it with one of our errors."""

    def stop(_signal: int, _frame: object) -> None:
        raise TooLong

    signal.signal(signal.SIGALRM, stop)
    signal.alarm(LONGEST_S)
    try:
        read(body)
    except PresslakeError:
        return None
    except TooLong:
        return f"longer than {LONGEST_S} s"
    except Exception:  # noqa: BLE001 - unexpected exceptions are what fuzzing looks for
        return traceback.format_exc(limit=-4)
    finally:
        signal.alarm(0)
    return None


def fuzz(name: str, *, minutes: float, found: Path) -> int:
    """Fuzz one target for `minutes`; write the smallest failing input and return 1 if there is one."""
    target, ends_at, number = TARGETS[name], time.monotonic() + 60 * minutes, 0
    sought = settings(
        max_examples=ROUND,
        deadline=None,
        database=None,
        phases=(Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
    )
    while time.monotonic() < ends_at:
        try:
            body = find(inputs(target), lambda one: failure_of(target.read, one) is not None, settings=sought)
        except NoSuchExample:
            number += ROUND
            continue
        path = found / f"{name}-{hashlib.sha256(body).hexdigest()[:12]}"
        found.mkdir(parents=True, exist_ok=True)
        path.write_bytes(body)
        print(  # noqa: T201
            f"{name}: fails after {number:,} inputs at {path}: {body[:200]!r}\n{failure_of(target.read, body)}",
            flush=True,
        )
        return 1
    print(f"{name}: {number:,} inputs, each read or refused", flush=True)  # noqa: T201
    return 0


def main() -> int:
    """Run the targets, two at a time, each in its own process."""
    options = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    options.add_argument("--minutes", type=float, default=10.0, help="for each target")
    options.add_argument(
        "--only", action="append", choices=sorted(TARGETS), help="this target alone; may be given again"
    )
    options.add_argument(
        "--found", type=Path, default=Path("fuzz-found"), help="where inputs go that a parser fails at"
    )
    options.add_argument("--here", choices=sorted(TARGETS), help=argparse.SUPPRESS)
    chosen = options.parse_args()
    if chosen.here:
        return fuzz(chosen.here, minutes=chosen.minutes, found=chosen.found)

    def run(name: str) -> int:
        command = [sys.executable, "-m", "tests.e2e.fuzz", "--here", name, "--minutes", str(chosen.minutes)]
        return subprocess.run([*command, "--found", str(chosen.found)], check=False).returncode

    with ThreadPoolExecutor(2) as pool:
        return int(any(pool.map(run, chosen.only or sorted(TARGETS))))


if __name__ == "__main__":
    sys.exit(main())
