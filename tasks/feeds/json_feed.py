"""Parse a JSON Feed 1.1 (jsonfeed.org), or a similar object, into entries. Pure."""

import json
from typing import Any

import orjson

from tasks.errors import NotAFeed
from tasks.feeds.collector import Collector, Item, Link, Rank, add_items, base_of_channel, plain_title
from tasks.feeds.document import Document
from tasks.feeds.rss_atom import MAX_ENTRIES
from tasks.feeds.xml_tree import MAX_FEED_LENGTH, xml_text
from tasks.values.feed import FeedContent


def parse(body: bytes, document: Document) -> FeedContent:
    """Parse an object with a list of `items`; raises NotAFeed."""
    text, feed_url = xml_text(body, document.content_type), document.url
    collector = Collector(base_url=feed_url, now=document.now, limit=MAX_ENTRIES)
    try:
        feed = _json(text[:MAX_FEED_LENGTH])
    except orjson.JSONDecodeError as error:
        raise NotAFeed(f"broken JSON at {feed_url}: {error.msg}") from error
    items = feed.get("items") if isinstance(feed, dict) else None
    if not isinstance(items, list):
        raise NotAFeed(f"JSON, but not a JSON Feed, at {feed_url}")
    home_url = feed.get("home_page_url")
    site = home_url if isinstance(home_url, str) else None
    base_url = base_of_channel(site, feed_url=feed_url, own_urls=document.own_urls)
    if len(items) > MAX_ENTRIES:
        collector.doubt(f"more than {MAX_ENTRIES:,} entries")
    add_items([_item(one, base_url) for one in items[:MAX_ENTRIES]], collector, feed_url=feed_url)
    collector.drop_equal_dates()
    title = feed.get("title")
    return FeedContent(
        entries=collector.entries,
        title=plain_title(title if isinstance(title, str) else None),
        warnings=collector.warnings,
        refused=collector.refusals.listed(),
    )


def _item(item: Any, base_url: str) -> Item:  # noqa: ANN401 - any JSON
    words = {name: value for name, value in item.items() if isinstance(value, str)} if isinstance(item, dict) else {}
    ranks = {"url": Rank.PAGE, "external_url": Rank.OTHER, "id": Rank.PERMALINK}
    links = (Link(rank=rank, text=words[name], base_url=base_url) for name, rank in ranks.items() if words.get(name))
    return Item(
        links=tuple(links),
        title=words.get("title"),
        published=words.get("date_published"),
        modified=words.get("date_modified"),
    )


def _json(text: str) -> Any:  # noqa: ANN401 - any JSON
    """Parse JSON; values that orjson refuses (lone surrogates, NaN, huge numbers) affect only their item.

    Raises JSONDecodeError.
    """
    try:
        return orjson.loads(text.encode("utf-8", "replace"))
    except orjson.JSONDecodeError as error:
        try:
            return json.loads(text, parse_int=float)  # Python refuses integers of 4,301 digits
        except (ValueError, RecursionError):
            raise error from None
