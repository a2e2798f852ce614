"""Documents that announce articles, read by what stands where: as the table of formats reads them in a sweep."""

from tasks.feeds.formats import FEED_TYPES, read_document
from tasks.feeds.html_links import linked_feeds as feeds_of_tree
from tasks.feeds.html_links import page_tree
from tasks.values.feed import FeedKind


def parse_feed(body, *, feed_url, now, content_type=None):
    return read_document(FeedKind.FEED, body, content_type=content_type, url=feed_url, now=now)


def parse_sitemap(body, *, sitemap_url, now):
    return read_document(FeedKind.SITEMAP, body, content_type=None, url=sitemap_url, now=now)


def parse_listing(body, *, page_url, now, content_type=None):
    return read_document(FeedKind.LISTING, body, content_type=content_type, url=page_url, now=now)


def linked_feeds(body, *, page_url, content_type=None, refusals=None):
    root = page_tree(body, content_type)
    if root is None:
        return ()
    return feeds_of_tree(root, page_url=page_url, feed_types=FEED_TYPES, refusals=refusals)
