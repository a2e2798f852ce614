"""Proposing a source for a home page."""

from datetime import UTC, datetime

import pytest

from tasks.config.catalogue import Source
from tasks.discover.proposing import new_id, propose_source
from tasks.errors import HttpRefused, NotAFeed, TransientError
from tasks.feeds.html_links import FoundBy
from tasks.values.feed import FeedKind
from tasks.values.permit import RobotsAnswer
from tests.discover.conftest import RULES, Press, Said

SITE = "https://www.daily.example"
HOME = f"{SITE}/"
RSS = f"<rss><channel><item><link>{SITE}/2026/a-1</link></item></channel></rss>"
URLSET = f"<urlset><url><loc>{SITE}/2026/b-1</loc></url></urlset>"
PAGE = '<html><head><title>The Daily</title><link rel="alternate" type="application/rss+xml" href="/rss"></head><body><a href="/2026/a-1">A</a></body></html>'


def robots(body):
    return lambda origin: RobotsAnswer(origin=origin, status=200, body=body, fetched_at=datetime.now(UTC))


async def propose(pages, robots_txt=b"", known_ids=()):
    return await propose_source(HOME, rules=RULES, client=Press(pages), robots=robots(robots_txt), known_ids=known_ids)


async def test_if_the_pages_linked_feed_works_nothing_else_is_tried():
    pages = {HOME: Said(body=PAGE), f"{SITE}/rss": Said(body=RSS), f"{SITE}/news.xml": Said(body=URLSET)}

    proposal = await propose(pages, f"Sitemap: {SITE}/news.xml".encode(), known_ids=["daily-example"])

    assert proposal.source == Source(id="daily-example-2", name="The Daily", home_url=HOME, feeds=(f"{SITE}/rss",))
    assert [(one.url, one.found_by, one.entries) for one in proposal.tried] == [(f"{SITE}/rss", FoundBy.LINK, 1)]


async def test_linked_feeds_are_tried_before_common_paths():
    pages = {HOME: Said(body=PAGE), f"{SITE}/news.xml": Said(body=URLSET), f"{SITE}/feed.xml": Said(body=RSS)}

    proposal = await propose(pages, f"Sitemap: {SITE}/news.xml".encode())

    assert (proposal.source.feeds, proposal.source.sitemaps) == ((), (f"{SITE}/news.xml",))
    assert [(one.found_by, one.reason) for one in proposal.tried] == [
        (FoundBy.LINK, "http_404"),
        (FoundBy.ROBOTS, None),
    ]


async def test_common_paths_are_tried_last_and_all_attempts_are_reported():
    proposal = await propose({HOME: Said(body=PAGE), f"{SITE}/feed.xml": Said(body=RSS)})

    assert proposal.source.feeds == (f"{SITE}/feed.xml",)
    assert {one.reason for one in proposal.tried if one.found_by is FoundBy.COMMON and one.entries == 0} == {"http_404"}


async def test_one_feed_at_several_urls_is_proposed_once():
    pages = {
        HOME: Said(body=PAGE.replace("/rss", "/gone")),
        f"{SITE}/rss": Said(body=RSS),
        f"{SITE}/feed/": Said(body=RSS, via=((302, f"{SITE}/rss"),)),
        f"{SITE}/rss.xml": Said(body=RSS),
    }

    assert (await propose(pages)).source.feeds == (f"{SITE}/feed/",)


async def test_a_moved_feed_is_proposed_at_its_new_url():
    pages = {HOME: Said(body=PAGE), f"{SITE}/rss": Said(body=RSS, via=((301, f"{SITE}/new.rss"),))}

    assert (await propose(pages)).source.feeds == (f"{SITE}/new.rss",)


async def test_a_sitemap_index_is_proposed_as_a_sitemap():
    index = f"<sitemapindex><sitemap><loc>{SITE}/1.xml</loc></sitemap></sitemapindex>"
    pages = {HOME: Said(body=PAGE), f"{SITE}/index.xml": Said(body=index), f"{SITE}/1.xml": Said(body=URLSET)}

    source = (await propose(pages)).source

    assert (source.feeds, source.sitemaps) == ((), (f"{SITE}/index.xml",))


async def test_without_a_feed_the_page_is_proposed_as_a_listing():
    source = (await propose({HOME: Said(body=PAGE)})).source

    assert dict(source.feeds_of()) == {HOME: FeedKind.LISTING}


async def test_without_a_front_page_there_is_no_source():
    with pytest.raises(HttpRefused):
        await propose({HOME: Said(status=403)})


async def test_a_feed_url_is_proposed_as_a_source():
    source = (await propose({HOME: Said(body=RSS.replace("<item>", "<title>Daily news</title><item>", 1))})).source

    assert (source.name, source.home_url, source.feeds) == ("Daily news", None, (HOME,))


async def test_a_host_that_asks_to_wait_is_reported_as_such():
    with pytest.raises(TransientError, match="requires a wait until 2026-03-01 12:00 UTC"):
        await propose({HOME: datetime(2026, 3, 1, 12, tzinfo=UTC)})


async def test_a_url_that_is_neither_page_nor_feed_is_refused():
    with pytest.raises(NotAFeed):
        await propose({HOME: Said(body="%PDF-1.7")})


@pytest.mark.parametrize(
    ("name", "source_id"),
    [
        ("The Daily", "the-daily"),
        ("Süddeutsche", "suddeutsche"),
        ("新聞", "source"),
        ("", "source"),
        ("a" * 99, "a" * 60),
        ("taken", "taken-2"),
    ],
)
def test_a_source_id_is_derived_from_a_name(name, source_id):
    assert new_id(name, ["taken"]) == source_id
    Source(id=source_id)
