"""Parse documents that announce articles through the table of formats, as sweeps do."""

from tasks.feeds.formats import FEED_TYPES, read_document
from tasks.feeds.html_links import linked_feeds as feeds_of_page
from tasks.feeds.html_links import read_page
from tasks.values.feed import FeedKind


def read(kind, body, *, url, now, content_type=None, own_urls=()):
    return read_document(kind, body, content_type=content_type, url=url, now=now, own_urls=own_urls)


def parse_feed(body, *, feed_url, now, content_type=None):
    return read(FeedKind.FEED, body, content_type=content_type, url=feed_url, now=now)


def parse_sitemap(body, *, sitemap_url, now):
    return read(FeedKind.SITEMAP, body, content_type=None, url=sitemap_url, now=now)


def parse_listing(body, *, page_url, now, content_type=None):
    return read(FeedKind.LISTING, body, content_type=content_type, url=page_url, now=now)


def linked_feeds(body, *, page_url, content_type=None, refusals=None):
    page = read_page(body, content_type, url=page_url)
    return () if page is None else feeds_of_page(page, feed_types=FEED_TYPES, refusals=refusals)
