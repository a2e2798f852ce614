"""Polling, with a press that answers from a table and a real index."""

import os
import tracemalloc
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from sqlalchemy import select

from tasks.config.catalogue import Catalogue, Source
from tasks.config.owners import NO_OWNERS, Owners
from tasks.discover.polling import MAX_CHILDREN, poll_feeds
from tasks.discover.schedule import PollConfig
from tasks.errors import DnsFailed, IndexUnavailable, RobotsDisallowed, ServerBusy, TimedOut
from tasks.index.feeds import FeedAddress, add_feeds, select_feeds
from tasks.index.frontier import BACKFILL, NEWS
from tasks.index.hosts import HostLimits
from tasks.index.schema import feeds as feeds_table
from tasks.index.schema import frontier, robots
from tasks.lake.records import payload_digest
from tasks.politeness.client import PoliteClient
from tasks.politeness.site_files import robots_name
from tasks.runtime.reading import SharedReader
from tasks.values.feed import FeedKind
from tasks.web.client import WebConfig
from tests.discover.conftest import RULES, Press, Said
from tests.web.loopback import answer, serve

SITE = "https://daily.example"
FEED, SITEMAP, HOME = f"{SITE}/feed", f"{SITE}/sitemap.xml", f"{SITE}/"


def rss(*paths, more=""):
    items = "".join(f"<item><title>{path}</title><link>{SITE}/{path}</link></item>" for path in paths)
    return f"<rss><channel>{more}{items}</channel></rss>"


def urlset(*paths, lastmod=None):
    dated = f"<lastmod>{lastmod}</lastmod>" if lastmod else ""
    return f"<urlset>{''.join(f'<url><loc>{SITE}/{path}</loc>{dated}</url>' for path in paths)}</urlset>"


def sitemap_index(*children):
    named = "".join(
        f"<sitemap><loc>{url}</loc>{f'<lastmod>{at}</lastmod>' if at else ''}</sitemap>" for url, at in children
    )
    return f"<sitemapindex>{named}</sitemapindex>"


FOREIGN = "<item><title>b</title><link>https://elsewhere.example/b</link></item>"


class Sweeps:
    """Sweeps on one index and one press."""

    def __init__(self, index, press, *feeds, rules=RULES, owners=NO_OWNERS):
        self.index, self.press, self.rules, self.owners = index, press, rules, owners
        self.addresses = [
            FeedAddress(feed_url=url, source_id="daily", kind=kind) for url, kind in (feeds or [(FEED, FeedKind.FEED)])
        ]
        self.polled = 0

    async def __call__(self, due_by=None, **options):
        with self.index.write() as tx:
            add_feeds(tx, self.addresses, now=datetime.now(UTC))
            states = select_feeds(tx, (one.feed_url for one in self.addresses), due_by=due_by)
        return await poll_feeds(
            states,
            client=self.press,
            rules={"daily": self.rules},
            index=self.index,
            config=PollConfig(),
            polled_one=self._count,
            owners=self.owners,
            **options,
        )

    def _count(self):
        self.polled += 1

    def state(self, url=FEED):
        with self.index.read() as tx:
            return dict(tx.execute(select(feeds_table).where(feeds_table.c.feed_url == url)).mappings().one())

    def urls(self):
        with self.index.read() as tx:
            return set(tx.execute(select(frontier.c.url)).scalars())

    def priorities(self):
        with self.index.read() as tx:
            return {row.url.rpartition("/")[2]: row.priority for row in tx.execute(select(frontier))}


def in_minutes(instant):
    return (instant - datetime.now(UTC)).total_seconds() / 60


async def test_an_announced_url_is_in_the_frontier_once(index):
    sweep = Sweeps(index, Press({FEED: Said(body=rss("a", "b", "a", "a?utm_source=rss"))}))

    report = await sweep()

    assert sweep.urls() == {f"{SITE}/a", f"{SITE}/b"}
    assert (report.polled, report.discovered, report.failed, report.skipped) == (1, 2, {}, {})


async def test_a_sources_rules_exclude_urls(index):
    rules = RULES.__class__(user_agent="x", crawl_delay_s=0.0, max_per_host=1, exclude=("/sport/",))
    sweep = Sweeps(index, Press({FEED: Said(body=rss("sport/a", "b"))}), rules=rules)

    await sweep()

    assert sweep.urls() == {f"{SITE}/b"}


async def test_a_feed_that_answers_304_is_not_parsed_and_keeps_its_state(index):
    press = Press(
        {FEED: Said(body=rss("a", "b"), headers={"etag": '"1"', "last-modified": "Sun, 01 Mar 2026 10:00:00 GMT"})}
    )
    sweep = Sweeps(index, press)
    await sweep()
    before = sweep.state()
    press.pages[FEED] = Said(headers={"etag": '"1"'})

    report = await sweep()

    assert (report.polled, report.unchanged, report.discovered) == (1, 1, 0)
    after = sweep.state()
    assert press.visits[-1].etag == '"1"'
    for name in ("etag", "last_modified", "body_digest", "entries", "interval_s", "failures", "reason"):
        assert after[name] == before[name]
    assert after["entries"] == 2


async def test_a_feed_with_the_same_bytes_is_not_parsed(index):
    unreadable = b"whoever parses this fails"
    sweep = Sweeps(index, Press({FEED: Said(body=unreadable)}))
    with index.write() as tx:
        add_feeds(tx, sweep.addresses, now=datetime.now(UTC))
        tx.execute(feeds_table.update().values(body_digest=payload_digest(unreadable)))

    report = await sweep()

    assert (report.polled, report.unchanged, report.failed) == (1, 1, {})


async def test_dead_empty_and_html_feeds_are_counted_and_the_others_polled(index):
    urls = [f"{SITE}/{name}" for name in ("dead", "empty", "page", "robots", "busy", "slow", "good")]
    press = Press(
        {
            urls[0]: DnsFailed("no such host"),
            urls[1]: Said(body=rss()),
            urls[2]: Said(body="<html><body>Hello</body></html>"),
            urls[3]: RobotsDisallowed(urls[3]),
            urls[4]: ServerBusy("busy", status=503, retry_after_s=7200.0),
            urls[5]: TimedOut("slow"),
            urls[6]: Said(body=rss("a")),
        }
    )
    sweep = Sweeps(index, press, *((url, FeedKind.FEED) for url in urls))

    report = await sweep()

    assert report.failed == {"feed_dns_failed": 1, "feed_not_a_feed": 1, "feed_http_503": 1, "feed_timed_out": 1}
    assert report.skipped == {"feed_empty": 1, "feed_robots_disallowed": 1}
    assert (report.polled, report.discovered, sweep.polled) == (7, 1, 7)
    assert {failure.url for failure in report.failures} == {urls[0], urls[2], urls[4], urls[5]}
    assert in_minutes(sweep.state(urls[4])["due_at"]) >= 119
    assert sweep.state(urls[2])["reason"] == "feed_not_a_feed"


async def test_a_failing_feed_is_slowed_and_keeps_its_validators(index):
    press = Press({FEED: Said(body=rss("a"), headers={"etag": '"1"'})})
    sweep = Sweeps(index, press)
    await sweep()
    with index.write() as tx:
        tx.execute(feeds_table.update().values(interval_s=600.0))
    press.pages[FEED] = TimedOut("slow")

    waits = []
    for _ in range(12):
        await sweep()
        waits.append(in_minutes(sweep.state()["due_at"]))

    state = sweep.state()
    assert (state["failures"], state["etag"], state["interval_s"]) == (12, '"1"', 600.0)
    assert 17 < waits[0] < 23
    assert 34 < waits[1] < 45
    assert 0.9 * 24 * 60 - 1 < waits[-1] < 1.1 * 24 * 60 + 1


async def test_a_gone_feed_is_never_due(index):
    sweep = Sweeps(index, Press({FEED: Said(status=410)}))
    await sweep()

    report = await sweep(due_by=datetime.now(UTC) + timedelta(days=900))

    assert sweep.state()["due_at"] is None
    assert report.polled == 0


async def test_a_feed_whose_host_asks_to_wait_is_deferred_and_counted(index):
    until = datetime.now(UTC) + timedelta(minutes=5)
    sweep = Sweeps(index, Press({FEED: until}))

    report = await sweep()

    state = sweep.state()
    assert (report.polled, report.skipped, report.failed) == (0, {"feed_deferred": 1}, {})
    assert (state["due_at"], state["polled_at"], state["failures"]) == (until, None, 0)


async def test_a_feeds_hints_set_its_next_poll(index):
    sweep = Sweeps(
        index, Press({FEED: Said(body=rss("a", more="<ttl>600</ttl>"), headers={"cache-control": "max-age=60"})})
    )
    with index.write() as tx:
        add_feeds(tx, sweep.addresses, now=datetime.now(UTC))

    await sweep()

    assert sweep.state()["interval_s"] == 86_400.0


async def test_a_permanent_redirect_is_accepted_after_three_sightings(index):
    moved = f"{SITE}/rss"
    press = Press({FEED: Said(body=rss("a"), via=((301, moved),)), moved: Said(body=rss("a"))})
    sweep = Sweeps(index, press)

    for _ in range(5):
        await sweep()

    assert press.asked == [FEED] * 3 + [moved] * 2


async def test_a_temporary_redirect_is_never_accepted(index):
    press = Press({FEED: Said(body=rss("a"), via=((301, f"{SITE}/1"), (302, f"{SITE}/2")))})
    sweep = Sweeps(index, press)

    for _ in range(5):
        await sweep()

    assert press.asked == [FEED] * 5


async def test_a_feed_refused_at_its_new_url_is_polled_at_its_old_one_again(index):
    moved = f"{SITE}/rss"
    press = Press({FEED: Said(body=rss("a"), via=((301, moved),)), moved: Said(status=410)})
    sweep = Sweeps(index, press)
    for _ in range(3):
        await sweep()

    await sweep()
    await sweep()

    assert press.asked[-2:] == [moved, FEED]
    assert sweep.state()["due_at"] is not None


async def test_a_sitemap_index_is_followed_to_its_sitemaps_within_its_scope(index):
    press = Press(
        {
            SITEMAP: Said(body=sitemap_index((f"{SITE}/1.xml", None), (f"{SITE}/nested.xml", None), (SITEMAP, None))),
            f"{SITE}/1.xml": Said(body=urlset("a")),
            f"{SITE}/nested.xml": Said(
                body=sitemap_index((f"{SITE}/2.xml", None), (SITEMAP, None), (f"{SITE}/nested.xml", None))
            ),
            f"{SITE}/2.xml": Said(body=sitemap_index((f"{SITE}/too-deep.xml", None))),
        }
    )
    sweep = Sweeps(index, press, (SITEMAP, FeedKind.SITEMAP))

    report = await sweep()

    assert sorted(press.asked) == sorted([SITEMAP, f"{SITE}/1.xml", f"{SITE}/nested.xml", f"{SITE}/2.xml"])
    assert sweep.urls() == {f"{SITE}/a"}
    assert (report.polled, sweep.polled) == (1, 1)


async def test_sitemaps_of_an_unchanged_index_are_still_polled(index):
    child = f"{SITE}/1.xml"
    press = Press(
        {SITEMAP: Said(body=sitemap_index((child, None)), headers={"etag": '"1"'}), child: Said(body=urlset("a"))}
    )
    sweep = Sweeps(index, press, (SITEMAP, FeedKind.SITEMAP))
    await sweep()
    press.pages[child] = Said(body=urlset("a", "b"))

    report = await sweep()

    assert report.discovered == 1
    assert sweep.urls() == {f"{SITE}/a", f"{SITE}/b"}


async def test_sitemaps_of_an_index_have_their_own_validators(index):
    child = f"{SITE}/1.xml"
    press = Press(
        {SITEMAP: Said(body=sitemap_index((child, None))), child: Said(body=urlset("a"), headers={"etag": '"c"'})}
    )
    sweep = Sweeps(index, press, (SITEMAP, FeedKind.SITEMAP))
    await sweep()

    report = await sweep()

    assert press.visits[-1].etag == '"c"'
    assert (report.polled, report.unchanged) == (1, 1)


async def test_a_sitemap_unchanged_by_lastmod_is_not_requested(index):
    old, new = f"{SITE}/old.xml", f"{SITE}/new.xml"
    today = datetime.now(UTC).date().isoformat()
    press = Press(
        {
            SITEMAP: Said(body=sitemap_index((old, "2020-01-01"), (new, today))),
            old: Said(body=urlset("a")),
            new: Said(body=urlset("b")),
        }
    )
    sweep = Sweeps(index, press, (SITEMAP, FeedKind.SITEMAP))
    await sweep()
    press.visits.clear()

    await sweep()

    assert press.asked == [SITEMAP, new]


async def test_only_the_newest_sitemaps_of_a_large_index_are_read(index):
    children = [
        (f"{SITE}/{year}-{month:02}.xml", f"{year}-{month:02}-01")
        for year in range(2010, 2026)
        for month in range(1, 13)
    ]
    press = Press({SITEMAP: Said(body=sitemap_index(*children))} | {url: Said(body=urlset("a")) for url, _ in children})
    sweep = Sweeps(index, press, (SITEMAP, FeedKind.SITEMAP))

    await sweep()

    assert sorted(press.asked[1:]) == sorted(url for url, _ in children[-MAX_CHILDREN:])


async def test_a_sitemap_index_is_polled_as_often_as_its_fastest_sitemap(index):
    many = urlset(*(f"story-{number}" for number in range(168)))
    press = Press(
        {
            SITEMAP: Said(body=sitemap_index((f"{SITE}/1.xml", None), (f"{SITE}/2.xml", None))),
            f"{SITE}/1.xml": Said(body=many),
            f"{SITE}/2.xml": Said(body=urlset("old", lastmod="2020-01-01")),
        }
    )
    sweep = Sweeps(index, press, (SITEMAP, FeedKind.SITEMAP))

    await sweep()

    assert sweep.state(SITEMAP)["interval_s"] == pytest.approx(1800)


async def test_news_has_priority_over_the_archive(index):
    today = datetime.now(UTC).date().isoformat()
    body = "<urlset>" + "".join(
        f"<url><loc>{SITE}/{name}</loc>{dated}</url>"
        for name, dated in (
            ("new", f"<lastmod>{today}</lastmod>"),
            ("old", "<lastmod>2019-05-05</lastmod>"),
            ("undated", ""),
        )
    )
    sweep = Sweeps(index, Press({SITEMAP: Said(body=body + "</urlset>")}), (SITEMAP, FeedKind.SITEMAP))

    await sweep()

    assert sweep.priorities() == {"new": NEWS, "undated": NEWS, "old": BACKFILL}


HOME_WITH_FEED = '<html><head><link rel="alternate" type="application/rss+xml" href="/rss"></head><body><a href="/2026/linked-1">Linked</a></body></html>'


async def test_a_source_without_feeds_is_read_through_its_front_pages_feed(index):
    press = Press({HOME: Said(body=HOME_WITH_FEED), f"{SITE}/rss": Said(body=rss("a"))})
    sweep = Sweeps(index, press, (HOME, FeedKind.HOME))

    report = await sweep()

    assert sweep.urls() == {f"{SITE}/a"}
    assert (report.polled, sweep.polled) == (1, 1)


async def test_a_front_page_without_feeds_leads_to_the_sitemaps_of_robots_txt(index):
    body = f"Sitemap: {SITEMAP}\n".encode()
    with index.write() as tx:
        tx.execute(
            robots.insert().values(origin=robots_name(SITE, RULES), status=200, body=body, fetched_at=datetime.now(UTC))
        )
    press = Press(
        {HOME: Said(body='<html><a href="/2026/linked-1">Linked</a></html>'), SITEMAP: Said(body=urlset("a"))}
    )
    sweep = Sweeps(index, press, (HOME, FeedKind.HOME))

    await sweep()

    assert sweep.urls() == {f"{SITE}/a"}


@pytest.mark.parametrize("feed", [Said(status=404), Said(body=rss()), Said(body="<html>x</html>")])
async def test_the_front_pages_links_are_followed_if_nothing_else_yields_entries(index, feed):
    press = Press({HOME: Said(body=HOME_WITH_FEED), f"{SITE}/rss": feed})
    sweep = Sweeps(index, press, (HOME, FeedKind.HOME))

    await sweep()

    assert sweep.urls() == {f"{SITE}/2026/linked-1"}


BOTH = ((FEED, FeedKind.FEED), (HOME, FeedKind.FALLBACK))


async def test_the_front_page_is_not_polled_while_the_feed_works(index):
    press = Press({HOME: Said(body=HOME_WITH_FEED), FEED: Said(body=rss("a"))})
    sweep = Sweeps(index, press, *BOTH)

    await sweep()
    await sweep()

    assert press.asked == [FEED, FEED]
    assert sweep.polled == 2
    assert sweep.state(HOME)["polled_at"] is None


async def test_a_source_with_a_dead_feed_falls_back_to_its_front_page(index):
    press = Press({HOME: Said(body=HOME_WITH_FEED), FEED: Said(status=404), f"{SITE}/rss": Said(body=rss("a"))})
    sweep = Sweeps(index, press, *BOTH)

    report = await sweep()

    assert sweep.urls() == {f"{SITE}/a"}
    assert report.failed == {"feed_http_404": 1}


async def test_a_failing_fallback_is_not_counted_as_a_second_feed(index):
    sweep = Sweeps(index, Press({HOME: Said(status=404), FEED: Said(status=404)}), *BOTH)

    report = await sweep()

    assert (report.failed, report.polled_failed, report.polled) == ({"feed_http_404": 2}, {"feed_http_404": 1}, 1)


async def test_a_few_failures_of_a_feed_cause_no_fallback(index):
    press = Press({HOME: Said(body=HOME_WITH_FEED), FEED: TimedOut("slow"), f"{SITE}/rss": Said(body=rss("a"))})
    sweep = Sweeps(index, press, *BOTH)

    await sweep()
    await sweep()
    assert press.asked == [FEED, FEED]
    await sweep()

    assert press.asked[2:] == [FEED, HOME, f"{SITE}/rss"]


async def test_memory_does_not_grow_with_the_size_of_feeds(index):
    urls = [f"https://site{number}.example/feed" for number in range(300)]
    body = rss(*(f"story-{number}" for number in range(5)), more=f"<description>{'x' * 50_000}</description>").encode()
    press = _Generating(body)
    sweep = Sweeps(index, press, *((url, FeedKind.FEED) for url in urls))
    tracemalloc.start()

    report = await sweep()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert (report.polled, report.discovered) == (300, 5)
    assert peak < 10_000_000 < 300 * len(body)
    with index.read() as tx:
        recorded = tx.execute(select(feeds_table.c.entries)).scalars().all()
    assert recorded == [5] * 300


class _Generating(Press):
    """Answers each visit with unique bytes, and keeps no record."""

    def __init__(self, body):
        super().__init__({})
        self._body = body

    async def visit(self, visits, tell, *, is_full):
        for visit in visits:
            self.pages = {visit.url: Said(body=self._body + visit.url.encode())}
            self.visits = []
            await super().visit([visit], tell)


async def test_an_unavailable_index_raises_index_unavailable(index):
    sweep = Sweeps(index, Press({FEED: Said(body=rss(*(f"a{number}" for number in range(3000))))}))
    index.close()  # the next connection is the one made read-only
    with index.write() as tx:
        add_feeds(tx, sweep.addresses, now=datetime.now(UTC))
        states = select_feeds(tx, [FEED], due_by=None)
    with index.read() as tx:
        tx.exec_driver_sql("PRAGMA query_only=ON")

    with pytest.raises(IndexUnavailable):
        await poll_feeds(
            states,
            client=sweep.press,
            rules={"daily": RULES},
            index=index,
            config=PollConfig(),
            polled_one=lambda: None,
        )


async def test_a_real_server_is_polled_with_its_validators(index):
    rules = RULES.__class__(user_agent=RULES.user_agent, crawl_delay_s=0.0, max_per_host=1, allow_networks=_loopback())
    async with serve({"*": answer(404)}) as server:
        server.routes["/feed"] = answer(200, rss("a", "b").encode(), [("ETag", '"1"'), ("Content-Type", "text/xml")])
        sweep = Sweeps(index, None, (server.url("/feed"), FeedKind.FEED), rules=rules)
        async with PoliteClient(WebConfig(user_agent=RULES.user_agent), HostLimits(index)) as client:
            sweep.press = client
            first = await sweep()
            server.routes["/feed"] = answer(304, b"", [("ETag", '"1"')])
            second = await sweep()

    assert (first.discovered, first.unchanged) == (2, 0)
    assert (second.discovered, second.unchanged) == (0, 1)
    assert server.paths() == ["/robots.txt", "/feed", "/feed"]
    assert server.asked[-1].headers["if-none-match"] == '"1"'


def _loopback():
    from ipaddress import ip_network

    return (ip_network("127.0.0.0/8"),)


async def test_a_feed_is_polled_within_its_sources_bounds(index):
    press = Press({FEED: Said(body=rss("a"))})
    rules = replace(RULES, poll_min_s=120.0, poll_max_s=180.0)

    sweep = Sweeps(index, press, rules=rules)
    before = datetime.now(UTC)
    await sweep()

    assert timedelta(seconds=100) < sweep.state()["due_at"] - before < timedelta(seconds=210)


# Owners

GOOD = "https://good.example"
ABOUT_GOOD = {
    "rss": f"""<rss><channel><link>{GOOD}/</link><item><title>T</title><link>{GOOD}/1990/a-story</link>
        <pubDate>RFC</pubDate></item></channel></rss>""",
    "json": f"""{{"version": "https://jsonfeed.org/version/1.1", "title": "T", "home_page_url": "{GOOD}/",
        "items": [{{"id": "1", "url": "{GOOD}/1990/a-story", "title": "T", "date_published": "ISO"}}]}}""",
    "sitemap": f"<urlset><url><loc>{GOOD}/1990/a-story</loc><lastmod>ISO</lastmod></url></urlset>",
    "news sitemap": f"""<urlset xmlns:n="http://www.google.com/schemas/sitemap-news/0.9">
        <url><loc>{GOOD}/1990/a-story</loc><n:news><n:title>T</n:title>
        <n:publication_date>ISO</n:publication_date></n:news></url></urlset>""",
}


def two_sources():
    catalogue = Catalogue(sources=(Source(id="daily", home_url=HOME), Source(id="good", home_url=f"{GOOD}/")))
    return Owners.of(catalogue.sources, catalogue.rules())


def whose(index):
    with index.read() as tx:
        rows = tx.execute(select(frontier)).mappings()
        return {
            row["url"]: (row["source_id"], row["announced_title"], row["announced_at"], row["priority"]) for row in rows
        }


@pytest.mark.parametrize("date", [datetime(1996, 1, 1, 9, tzinfo=UTC), datetime.now(UTC) + timedelta(hours=20)])
@pytest.mark.parametrize("form", ABOUT_GOOD)
async def test_metadata_of_another_sources_article_is_not_trusted(index, form, date):
    said = ABOUT_GOOD[form].replace("RFC", format_datetime(date)).replace("ISO", date.isoformat())

    await Sweeps(index, Press({FEED: Said(body=said)}), owners=two_sources())()

    assert whose(index) == {f"{GOOD}/1990/a-story": ("good", None, None, NEWS)}


async def test_redirects_and_named_sitemaps_do_not_make_an_owner(index):
    child = f"{GOOD}/child.xml"
    listed = f"<urlset><url><loc>{GOOD}/a</loc></url><url><loc>{SITE}/b</loc></url></urlset>"
    press = Press(
        {SITEMAP: Said(body=sitemap_index((child, None)), via=((301, f"{GOOD}/index.xml"),)), child: Said(body=listed)}
    )

    await Sweeps(index, press, (SITEMAP, FeedKind.SITEMAP), owners=two_sources())()

    assert {url: row[0] for url, row in whose(index).items()} == {f"{GOOD}/a": "good", f"{SITE}/b": "daily"}


async def test_a_listings_links_to_a_subdomain_belong_to_the_subdomains_source(index):
    home, of_sport = "https://paper.com/", "https://sport.paper.com/"
    catalogue = Catalogue(sources=(Source(id="daily", home_url=home), Source(id="sport", home_url=of_sport)))
    links = [f"{place}2026/03/01/a-long-story-of-a-harbour" for place in (home, of_sport)]
    page = "".join(f'<p><a href="{link}">A long story of a harbour and a ferry</a></p>' for link in links)
    press = Press({home: Said(body=f"<html><body>{page}</body></html>")})

    await Sweeps(index, press, (home, FeedKind.LISTING), owners=Owners.of(catalogue.sources, catalogue.rules()))()

    assert [whose(index)[link][0] for link in links] == ["daily", "sport"]


async def test_an_owners_feed_replaces_the_date_of_another_announcer(index):
    date = datetime.now(UTC).replace(microsecond=0) - timedelta(days=30)
    said = ABOUT_GOOD["rss"].replace("RFC", format_datetime(date))
    owners, own_feed = two_sources(), f"{GOOD}/feed"
    await Sweeps(index, Press({FEED: Said(body=said)}), owners=owners)()

    with index.write() as tx:
        add_feeds(tx, [FeedAddress(feed_url=own_feed, source_id="good", kind=FeedKind.FEED)], now=datetime.now(UTC))
        states = select_feeds(tx, [own_feed], due_by=None)
    await poll_feeds(
        states,
        client=Press({own_feed: Said(body=said)}),
        rules={"good": RULES},
        index=index,
        config=PollConfig(),
        polled_one=int,
        owners=owners,
    )

    assert whose(index) == {f"{GOOD}/1990/a-story": ("good", "T", date, BACKFILL)}


async def test_an_undated_sitemap_index_is_read_over_several_sweeps_last_sitemaps_first(index):
    children = [f"{SITE}/s-{number}.xml" for number in range(60)]
    press = Press({SITEMAP: Said(body=sitemap_index(*((url, None) for url in children)))})
    press.pages |= {url: Said(body=urlset(f"story-{number}")) for number, url in enumerate(children)}
    sweep = Sweeps(index, press, (SITEMAP, FeedKind.SITEMAP))

    await sweep()
    first = sweep.urls()
    await sweep()

    assert {f"{SITE}/story-0", f"{SITE}/story-59"} <= set(first)
    assert len(first) == 50
    assert len(sweep.urls()) == 60


async def test_a_feed_that_always_answers_304_is_detected(index):
    press = Press({FEED: Said(body=rss("a"), headers={"etag": '"fixed"'})})
    sweep = Sweeps(index, press)
    await sweep()
    press.pages[FEED] = Said(status=304)
    for _ in range(3):
        await sweep()
    assert [visit.etag for visit in press.visits] == [None, '"fixed"', '"fixed"', '"fixed"']

    press.pages[FEED] = Said(body=rss("a", "b"), headers={"etag": '"fixed"'})
    await sweep()

    assert press.visits[-1].etag is None
    assert f"{SITE}/b" in sweep.urls()
    # an ETag that different bytes shared is not trusted
    assert (sweep.state()["etag"], sweep.state()["unchanged"]) == (None, 0)


async def test_an_unchanged_feed_is_requested_with_validators_again(index):
    body = rss(*(f"story-{number}" for number in range(84)))  # one every two hours
    press = Press({FEED: Said(body=body, headers={"etag": '"1"'})})
    sweep = Sweeps(index, press)
    for _ in range(6):
        await sweep()

    assert [visit.etag for visit in press.visits] == [None, '"1"', '"1"', '"1"', None, '"1"']


async def test_a_last_modified_in_the_future_is_no_validator(index):
    press = Press({FEED: Said(body=rss("a"), headers={"last-modified": "Sat, 16 Nov 2091 19:11:00 GMT"})})
    sweep = Sweeps(index, press)

    await sweep()

    assert sweep.state()["last_modified"] is None


async def test_after_the_sweeps_time_no_feed_is_polled_and_all_stay_due(index):
    press = Press({FEED: Said(body=rss("a"))})
    sweep = Sweeps(index, press, (FEED, FeedKind.FEED))

    report = await sweep(is_over=lambda: True)

    assert press.asked == []
    assert report.skipped == {"feed_deferred": 1}


async def test_urls_beyond_a_sources_budget_are_found_again_another_day(index):
    press = Press({FEED: Said(body=rss(*"abcdef"), headers={"etag": '"1"'})})
    sweep = Sweeps(index, press, (FEED, FeedKind.FEED), rules=replace(RULES, new_urls_a_day=4))

    first = await sweep()
    second = await sweep()

    assert (first.discovered, first.skipped) == (4, {"link_over_budget": 2})
    assert first.limits == ("daily: new_urls_a_day reached, 2 URLs postponed to another day",)
    assert (second.unchanged, second.skipped) == (0, {"link_over_budget": 2})  # it was parsed again


@pytest.mark.parametrize(("follow", "found"), [("any", 2), ("own", 1)])
async def test_a_source_that_follows_only_its_own_hosts_drops_foreign_links(index, follow, found):
    own = Source(id="daily", home_url=f"{SITE}/", feeds=(FEED,))
    rules = replace(RULES, follow=follow)
    press = Press({FEED: Said(body=rss("a").replace("</channel>", f"{FOREIGN}</channel>"))})
    sweep = Sweeps(index, press, (FEED, FeedKind.FEED), rules=rules, owners=Owners.of([own], {"daily": rules}))

    report = await sweep()

    assert report.discovered == found
    assert report.skipped == ({} if follow == "any" else {"link_foreign_host": 1})


def told_by(read, *arguments):
    """Return the id of the process that runs a job, and its result."""
    return os.getpid(), read(*arguments)


class Noting:
    """A reader that works as the shared one and records the process in which each document was parsed."""

    def __init__(self):
        self.read_in = {}

    async def read(self, job):
        self.read_in[job.item], done = await SharedReader().read(
            replace(job, read=told_by, arguments=(job.read, *job.arguments))
        )
        return done


LINKS = f'<html><body><a href="{SITE}/2026/a-story-of-some-length">A story of some length</a></body></html>'


async def test_documents_from_the_web_are_not_parsed_in_this_process(index):
    bodies = {FEED: rss("a"), SITEMAP: urlset("b"), HOME: LINKS, f"{SITE}/list": LINKS}
    kinds = (FeedKind.FEED, FeedKind.SITEMAP, FeedKind.HOME, FeedKind.LISTING)
    sweep = Sweeps(
        index, Press({url: Said(body=body) for url, body in bodies.items()}), *zip(bodies, kinds, strict=True)
    )
    noting = Noting()

    report = await sweep(reader=noting)

    assert report.failed == {}
    assert noting.read_in.keys() == bodies.keys()
    assert os.getpid() not in noting.read_in.values()
