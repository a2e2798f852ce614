"""A site's front page into its entries, as a listing, and the feeds that it calls its own. Pure."""

from collections.abc import Container
from dataclasses import replace

from tasks.feeds.document import Document
from tasks.feeds.html_links import FoundBy, linked_feeds
from tasks.feeds.listing import page_of, read_links
from tasks.feeds.refusals import Refusals
from tasks.values.feed import Entry, FeedContent
from tasks.values.url import Url


def parse(document: Document, *, feed_types: Container[str]) -> FeedContent:
    """Return the page's links, and in `linked` the feeds of its head; raises NotAFeed."""
    page = page_of(document)
    content = read_links(page, document)
    refusals = Refusals()
    refusals.add(content.refused)
    linked = linked_feeds(page, feed_types=feed_types, refusals=refusals)
    feeds = tuple(Entry(url=Url.of(one.url)) for one in linked if one.found_by is FoundBy.LINK)
    return replace(content, linked=feeds, refused=refusals.listed())
