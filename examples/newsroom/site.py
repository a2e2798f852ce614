"""Build everything that an outlet's server answers: paths, bytes, types, validators. Pure."""

import gzip
import hashlib
from dataclasses import dataclass
from datetime import datetime

from examples.newsroom import announcements, pages
from examples.newsroom.press import Outlet, Story

HTML = "text/html; charset=utf-8"
SLOWNESS_S = 2.0
FEEDS: dict[str, dict[str, tuple[str, ...]]] = {
    "courier": {"feeds": ("/feed/", "/sport/feed/")},  # the second is empty: the sports desk has a page and no feed yet
    "meridian": {"feeds": ("/atom.xml",), "sitemaps": ("/news-sitemap.xml",)},
    "talblick": {"feeds": ("/feed.json",), "listings": ("/aktuell",)},
}
"""The feeds, sitemaps and listings of each outlet, under the catalogue's names."""

_SHORT_SIZE = 500  # bytes; shorter bodies are not compressed
_PICTURE = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 64 36"><path fill="#89a" d="M0 0h64v36H0z"/></svg>"""
_DOCUMENT = b"""%PDF-1.4
1 0 obj <</Type /Catalog /Pages 2 0 R>> endobj
2 0 obj <</Type /Pages /Kids [3 0 R] /Count 1>> endobj
3 0 obj <</Type /Page /Parent 2 0 R /MediaBox [0 0 300 100]>> endobj
trailer <</Root 1 0 R>>
%%EOF
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """The response at one path. `delay_s` is the delay before it is sent."""

    body: bytes
    content_type: str
    modified_at: datetime
    delay_s: float = 0.0

    @property
    def etag(self) -> str:
        """A weak validator, since the page is sent both gzipped and plain (RFC 9110, 8.8.1)."""
        return f'W/"{hashlib.sha256(self.body).hexdigest()[:16]}"'

    @property
    def gzipped(self) -> bytes | None:
        """The gzipped body, deterministic; None if it is too short to compress."""
        is_worth_it = len(self.body) >= _SHORT_SIZE and not self.content_type.startswith("application/pdf")
        return gzip.compress(self.body, mtime=0) if is_worth_it else None


def build_site(outlet: Outlet, *, base_url: str, edition: int, edition_at: datetime) -> dict[str, Resource]:
    """Return all resources that the outlet answers with 200, by path."""
    site = _announced(outlet, base_url=base_url, edition_at=edition_at)
    for story in outlet.stories:
        site[story.path] = _story(story, outlet, base_url=base_url, edition=edition, edition_at=edition_at)
        if "amp" in story.quirks:
            twin = pages.amp_page(story, outlet, base_url=base_url).encode()
            site[pages.amp_path(story)] = Resource(body=twin, content_type=HTML, modified_at=story.modified_at)
    for one in outlet.beside:
        if one.kind == "document":
            site[one.path] = Resource(body=_DOCUMENT, content_type="application/pdf", modified_at=edition_at)
        elif one.kind == "disallowed":
            body = b"<!DOCTYPE html><title>Not yet</title><p>Nobody should have asked for this page.</p>"
            site[one.path] = Resource(body=body, content_type=HTML, modified_at=edition_at)
    return site


def _announced(outlet: Outlet, *, base_url: str, edition_at: datetime) -> dict[str, Resource]:
    front = pages.listing_page(outlet)
    texts = {
        "/robots.txt": (announcements.robots(outlet), "text/plain; charset=utf-8"),
        "/": (front, HTML),
        "/about/": (f"<!DOCTYPE html><title>{outlet.name}</title><p>All that is printed here is invented.</p>", HTML),
        "/media/photo.svg": (_PICTURE, "image/svg+xml"),
    }
    match outlet.id:
        case "courier":
            texts["/feed/"] = announcements.rss(outlet, outlet.stories, base_url=base_url), "application/rss+xml"
            texts["/sport/feed/"] = announcements.rss(outlet, (), base_url=base_url), "application/rss+xml"
        case "meridian":
            texts["/atom.xml"] = announcements.atom(outlet, base_url=base_url), "application/atom+xml"
            texts["/news-sitemap.xml"] = announcements.news_sitemap(outlet, base_url=base_url), "application/xml"
        case "talblick":
            texts["/feed.json"] = announcements.json_feed(outlet, base_url=base_url), "application/feed+json"
            texts["/aktuell"] = front, HTML
    return {
        path: Resource(body=text.encode(), content_type=content_type, modified_at=edition_at)
        for path, (text, content_type) in texts.items()
    }


def _story(story: Story, outlet: Outlet, *, base_url: str, edition: int, edition_at: datetime) -> Resource:
    html = pages.story_page(story, outlet, base_url=base_url, edition=edition)
    charset = "cp1252" if "windows_1252" in story.quirks else "utf-8"  # the header still says UTF-8
    return Resource(
        body=html.encode(charset, "xmlcharrefreplace"),
        content_type=HTML,
        # different teasers make a different page, even if the story is the same
        modified_at=story.modified_at if outlet.id == "talblick" else edition_at,
        delay_s=SLOWNESS_S if "slow" in story.quirks else 0.0,
    )
