"""Older articles of a source: found in its sitemaps, listings and lists, fetched within a limit, resumed by the next run."""

import threading
from collections import Counter
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from deltalake import DeltaTable

from tests.backfill.archives import page
from tests.engine import Presslake
from tests.press import Story

pytestmark = pytest.mark.engine


class Site:
    """A site: its pages by path, and the requests of each."""

    def __init__(self) -> None:
        self.pages: dict[str, tuple[str, str]] = {}
        self.asked: Counter[str] = Counter()
        self.url = ""

    def story(self, path: str, number: int) -> str:
        self.pages[path] = ("text/html", page(Story(site=3, number=number)).decode())
        return f"{self.url}{path}"

    def listing(self, path: str, links: list[str], more: str = "") -> None:
        items = "".join(
            f"<li><a href='{url}'>A report on the harbour and its long winter, {n}</a></li>"
            for n, url in enumerate(links)
        )
        self.pages[path] = (
            "text/html",
            f"<!doctype html><html><body><main><ul>{items}</ul>{more}</main></body></html>",
        )

    def sitemap(self, path: str, root: str, items: list[tuple[str, str]]) -> None:
        tag = "url" if root == "urlset" else "sitemap"
        inner = "".join(
            f"<{tag}><loc>{url}</loc>{f'<lastmod>{at}</lastmod>' if at else ''}</{tag}>" for url, at in items
        )
        self.pages[path] = (
            "application/xml",
            f"<{root} xmlns='http://www.sitemaps.org/schemas/sitemap/0.9'>{inner}</{root}>",
        )


@pytest.fixture
def site() -> Iterator[Site]:
    site = Site()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            site.asked[self.path] += 1
            kind, body = site.pages.get(self.path, ("text/plain", ""))
            self.send_response(200 if self.path in site.pages else 404)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body.encode())))
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *_args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        site.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield site
        server.shutdown()
        thread.join()


def _fill(site: Site) -> Path:
    march = [site.story(f"/2024/03/{day:02}/report-of-the-day", day) for day in range(1, 5)]
    may = [site.story(f"/2024/05/0{day}/report-of-the-day", 10 + day) for day in range(1, 3)]
    plain = site.story("/a-report-without-a-date-in-its-address", 20)
    site.sitemap(
        "/index.xml",
        "sitemapindex",
        [
            (f"{site.url}/sitemap-2024-03.xml", ""),
            (f"{site.url}/sitemap-2024-05.xml", ""),
            (f"{site.url}/old.xml", "2023-01-01"),
        ],
    )
    site.sitemap("/sitemap-2024-03.xml", "urlset", [(url, "2024-06-01") for url in march] + [(plain, "2024-03-09")])
    site.sitemap("/sitemap-2024-05.xml", "urlset", [(url, "") for url in may])
    listed = [site.story(f"/2024/03/1{n}/a-report-of-the-listing", 30 + n) for n in range(4)]
    site.listing("/news", listed[:2])
    site.listing("/news?page=2", listed[:2])  # other pages are numbered in the path
    site.listing("/news/page/2/", listed[2:], more="<a rel=next href='/news/page/3/'>older</a>")
    site.listing("/news/page/3/", [site.story("/2022/01/01/a-report-that-is-too-old", 50)])
    site.story("/2024/03/30/a-report-of-the-list", 60)
    return Path()


def test_older_articles_are_found_fetched_within_the_limit_and_resumed(presslake: Presslake, site: Site):
    _fill(site)
    (presslake.home / "sources.yaml").write_text(f"""
defaults: {{crawl_delay_s: 0, max_per_host: 4, allow_networks: ["127.0.0.0/8"]}}
sources:
  - id: old-news
    sitemaps: ["{site.url}/index.xml"]
    listings: ["{site.url}/news"]
    urls: ["{site.url}/2024/03/30/a-report-of-the-list", "{site.url}/2021/03/30/a-report-of-another-year"]
""")
    words = ("backfill", "source", "--source", "old-news", "--since", "2024-03-01", "--until", "2024-03-31", "--json")

    first = presslake.run(*words, "--limit", "4").json()
    waiting = presslake.run("status", "--json").json()["frontier"]["old-news"]
    second = presslake.run(*words).json()

    assert (first["records"], first["pages"], first["pending"]) == (10, 4, 6)
    assert waiting == {"done": 4, "backfill": 6}
    assert (second["pages"], second["pending"], second["failed"]) == (6, 0, {})
    urls = DeltaTable(presslake.lake / "articles").to_pyarrow_table(columns=["url"])["url"].to_pylist()
    assert sorted(url.removeprefix(site.url).split("/")[-1] for url in urls) == sorted(
        ["report-of-the-day"] * 4
        + ["a-report-without-a-date-in-its-address", "a-report-of-the-list"]
        + ["a-report-of-the-listing"] * 4
    )
    assert not {"/old.xml", "/sitemap-2024-05.xml", "/2022/01/01/a-report-that-is-too-old"} & set(site.asked)
    assert all(site.asked[url.removeprefix(site.url)] == 1 for url in urls)
