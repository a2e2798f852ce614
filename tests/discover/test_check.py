"""The check of sources, healthy and failing."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

from tasks.config.catalogue import Source
from tasks.discover.check import check_sources
from tasks.discover.probe import RobotsVerdict
from tasks.errors import DnsFailed, RobotsDisallowed, RobotsUnavailable
from tasks.values.feed import FeedKind, FeedState
from tests.discover.conftest import RULES, Press, Said

NOW = datetime.now(UTC).replace(microsecond=0)
SITE = "https://daily.example"
FEED = f"{SITE}/feed"


def rss(*days_ago):
    items = "".join(
        f"<item><link>{SITE}/{number}</link><pubDate>{format_datetime(NOW - timedelta(days=days))}</pubDate></item>"
        for number, days in enumerate(days_ago)
    )
    return Said(body=f"<rss><channel>{items}</channel></rss>")


async def check(pages, *, states=(), **source):
    source = Source(id="daily", name="Daily", **(source or {"feeds": (FEED,)}))
    (checked,) = await check_sources(
        [source],
        rules={"daily": RULES},
        states={state.feed_url: state for state in states},
        client=Press(pages),
        now=NOW,
    )
    return checked


async def test_a_healthy_source_has_items_a_newest_date_and_no_warnings():
    due_at = NOW + timedelta(hours=1)
    state = FeedState(feed_url=FEED, source_id="daily", kind=FeedKind.FEED, due_at=due_at)

    checked = await check({FEED: rss(1, 2, 3)}, states=[state])

    assert checked.is_healthy
    assert (checked.entries, checked.newest_at, checked.due_at) == (3, NOW - timedelta(days=1), due_at)
    assert checked.warnings == ()
    assert (checked.feeds[0].robots, checked.feeds[0].is_reachable) == (RobotsVerdict.ALLOWED, True)


async def test_each_problem_is_reported_with_its_feed():
    pages = {
        f"{SITE}/dns": DnsFailed("no address for daily.example"),
        f"{SITE}/robots": RobotsDisallowed(f"{SITE}/robots"),
        f"{SITE}/silent": RobotsUnavailable("answered 503"),
        f"{SITE}/gone": Said(status=410),
        f"{SITE}/html": Said(body="<html>Hello</html>"),
        f"{SITE}/empty": rss(),
        f"{SITE}/stale": rss(40),
        f"{SITE}/moved": Said(body=rss(1).body, via=((301, f"{SITE}/new"),)),
        f"{SITE}/waits": datetime(2026, 3, 1, 12, 30, tzinfo=UTC),
    }

    checked = await check(pages, feeds=tuple(pages))

    told = {
        feed.feed_url.rpartition("/")[2]: (feed.is_reachable, feed.robots.value, feed.warnings)
        for feed in checked.feeds
    }
    assert told == {
        "dns": (False, "unknown", ("dns_failed: no address for daily.example",)),
        "robots": (False, "disallowed", (f"robots_disallowed: {SITE}/robots",)),
        "silent": (False, "unavailable", ("robots_unavailable: answered 503",)),
        "gone": (True, "allowed", ("gone (410): remove it from the catalogue",)),
        "html": (True, "allowed", (f"not_a_feed: an HTML page at {SITE}/html",)),
        "empty": (True, "allowed", ("no entries",)),
        "stale": (True, "allowed", ("newest entry is 40 days old",)),
        "moved": (True, "allowed", (f"moved permanently to {SITE}/new",)),
        "waits": (False, "unknown", ("the host requires a wait until 2026-03-01 12:30 UTC",)),
    }


async def test_the_indexs_state_of_a_feed_is_reported():
    state = FeedState(feed_url=FEED, source_id="daily", kind=FeedKind.FEED, due_at=None, failures=11)

    checked = await check({FEED: rss(1)}, states=[state])

    assert checked.warnings == ("ended: scheduled sweeps skip it", "failed 11 times in a row")


async def test_a_sitemap_index_is_checked_through_its_newest_sitemap():
    sitemap, child = f"{SITE}/sitemap.xml", f"{SITE}/2026.xml"
    index = f"<sitemapindex><sitemap><loc>{SITE}/2020.xml</loc><lastmod>2020-01-01</lastmod></sitemap><sitemap><loc>{child}</loc><lastmod>2026-01-01</lastmod></sitemap></sitemapindex>"
    urls = f"<urlset><url><loc>{SITE}/a</loc></url><url><loc>{SITE}/b</loc></url></urlset>"

    checked = await check({sitemap: Said(body=index), child: Said(body=urls)}, sitemaps=(sitemap,))

    assert (checked.entries, checked.warnings) == (2, ())


async def test_a_source_without_feeds_is_checked_through_its_front_page():
    page = Said(body='<html><a href="/2026/story-1">A</a></html>')

    checked = await check({f"{SITE}/": page}, home_url=f"{SITE}/")

    assert checked.entries == 1
    assert checked.warnings == ("no feeds configured: uses the front page",)
