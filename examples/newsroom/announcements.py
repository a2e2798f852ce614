"""Render what announces stories: RSS, Atom, a news sitemap, JSON Feed and robots.txt. Pure.

Links in feeds carry tracking parameters; sitemaps and listings link to the same pages without.
"""

import json
from collections.abc import Iterable
from datetime import UTC, datetime
from email.utils import format_datetime
from html import escape

from examples.newsroom.pages import amp_path
from examples.newsroom.press import Outlet, Story

TRACKERS = "utm_source={}&utm_medium=feed&utm_campaign=all-stories"
ATOM_ENTRIES, JSON_ENTRIES = 8, 5
"""The number of newest stories in these feeds; the sitemap and the listing page have all."""


def rss(outlet: Outlet, stories: Iterable[Story], *, base_url: str) -> str:
    """Return RSS 2.0."""
    items = [
        _item(story.title, f"{base_url}{story.path}?{TRACKERS.format('rss')}", story.published_at, story.lede)
        for story in stories
    ]
    now = max((story.published_at for story in outlet.stories), default=datetime.now(UTC))
    items += [_item(one.title, base_url + one.path, now, "") for one in outlet.beside if items]
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<rss version="2.0"><channel>'
        f"<title>{escape(outlet.name)}</title><link>{base_url}/</link><description>All stories</description>"
        f"<language>{outlet.language}</language><ttl>30</ttl>\n" + "\n".join(items) + "\n</channel></rss>\n"
    )


def _item(title: str, url: str, published_at: datetime, lede: str) -> str:
    return (
        f"<item><title>{escape(title, quote=False)}</title><link>{escape(url)}</link>"
        f"<description><![CDATA[{lede}]]></description><pubDate>{format_datetime(published_at)}</pubDate></item>"
    )


def atom(outlet: Outlet, *, base_url: str) -> str:
    """Return Atom (RFC 4287) of the newest stories."""
    entries = [
        f"<entry><id>tag:meridian.invalid,2025:{story.path}</id><title>{escape(story.title)}</title>"
        f'<link rel="alternate" href="{base_url}{story.path}?{escape(TRACKERS.format("atom"))}"/>'
        f"<published>{story.published_at.isoformat()}</published><updated>{story.modified_at.isoformat()}</updated>"
        f"<author><name>{escape(story.author)}</name></author><summary>{escape(story.lede)}</summary></entry>"
        for story in outlet.stories[:ATOM_ENTRIES]
    ]
    updated = max(story.modified_at for story in outlet.stories).isoformat()
    return (
        '<?xml version="1.0" encoding="utf-8"?>\n<feed xmlns="http://www.w3.org/2005/Atom">'
        f"<id>{base_url}/</id><title>{escape(outlet.name)}</title><updated>{updated}</updated>\n"
        + "\n".join(entries)
        + "\n</feed>\n"
    )


def news_sitemap(outlet: Outlet, *, base_url: str) -> str:
    """Return a sitemap with Google's news extension; as on real sites, it includes AMP twins and documents."""
    urls = [
        f"<url><loc>{base_url}{story.path}</loc><lastmod>{story.modified_at.isoformat()}</lastmod><news:news>"
        f"<news:publication><news:name>{escape(outlet.name)}</news:name><news:language>{story.language}</news:language>"
        f"</news:publication><news:publication_date>{story.published_at.isoformat()}</news:publication_date>"
        f"<news:title>{escape(story.title)}</news:title></news:news></url>"
        for story in outlet.stories
    ]
    urls += [f"<url><loc>{base_url}{amp_path(story)}</loc></url>" for story in outlet.stories if "amp" in story.quirks]
    urls += [f"<url><loc>{base_url}{one.path}</loc></url>" for one in outlet.beside]
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9" '
        'xmlns:news="http://www.google.com/schemas/sitemap-news/0.9">\n' + "\n".join(urls) + "\n</urlset>\n"
    )


def json_feed(outlet: Outlet, *, base_url: str) -> str:
    """Return JSON Feed 1.1 of the newest stories."""
    items = [
        {
            "id": story.path,
            "url": f"{base_url}{story.path}?{TRACKERS.format('jsonfeed')}",
            "title": story.title,
            "summary": story.lede,
            "date_published": story.published_at.isoformat(),
            "language": story.language,
        }
        for story in outlet.stories[:JSON_ENTRIES]
    ]
    items += [{"id": one.path, "url": base_url + one.path, "title": one.title} for one in outlet.beside]
    feed = {
        "version": "https://jsonfeed.org/version/1.1",
        "title": outlet.name,
        "home_page_url": f"{base_url}/",
        "feed_url": f"{base_url}/feed.json",
        "items": items,
    }
    return json.dumps(feed, ensure_ascii=False, indent=1)


def robots(outlet: Outlet) -> str:
    """Return robots.txt (RFC 9309)."""
    closed = [one.path for one in outlet.beside if one.kind == "disallowed"]
    return "".join(("User-agent: *\n", *(f"Disallow: {path}\n" for path in closed or [""])))
