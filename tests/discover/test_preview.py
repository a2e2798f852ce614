"""Dry runs and `since`, with a press that answers from a table and a real index."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

from sqlalchemy import select

from tasks.discover.plan import Recall, SweepPlan
from tasks.discover.polling import poll_feeds
from tasks.discover.preview import preview_sweep
from tasks.discover.schedule import PollConfig
from tasks.index import schema
from tasks.index.feeds import FeedAddress, add_feeds, select_feeds
from tasks.index.frontier import WAITING, Selection, State
from tasks.values.feed import FeedKind
from tests.discover.conftest import RULES, Press, Said

SITE = "https://daily.example"
FEED = FeedAddress(feed_url=f"{SITE}/feed", source_id="daily", kind=FeedKind.FEED)
HOUR = timedelta(hours=1)


def rss(**ages_h):
    now = datetime.now(UTC)
    items = "".join(
        f"<item><link>{SITE}/{path}</link>"
        + (f"<pubDate>{format_datetime(now - age_h * HOUR)}</pubDate>" if age_h is not None else "")
        + "</item>"
        for path, age_h in ages_h.items()
    )
    return f"<rss><channel>{items}</channel></rss>"


def states(index):
    with index.write() as tx:
        add_feeds(tx, [FEED], now=datetime.now(UTC))
        return select_feeds(tx, [FEED.feed_url], due_by=None)


async def poll(index, press, *, since_h=None):
    since = datetime.now(UTC) - since_h * HOUR if since_h else None
    return await poll_feeds(
        states(index),
        client=press,
        rules={"daily": RULES},
        index=index,
        config=PollConfig(),
        polled_one=int,
        since=since,
    )


async def preview(index, press, *, limit=0, **changes):
    selection = Selection(source_ids=frozenset({"daily"}))
    plan = SweepPlan(feeds=(FEED,), urls=(), rules={"daily": RULES}, selection=selection, recalls=())
    return await preview_sweep(
        states(index),
        plan=replace(plan, **changes),
        limit=limit,
        client=press,
        index=index,
        config=PollConfig(),
        polled_one=int,
    )


def rows(index, *tables):
    with index.read() as tx:
        return [sorted(map(repr, tx.execute(select(table)))) for table in tables]


def paths(index):
    with index.read() as tx:
        return {url.removeprefix(f"{SITE}/") for url in tx.execute(select(schema.frontier.c.url)).scalars()}


async def test_entries_before_since_are_skipped_and_found_by_a_later_sweep(index):
    press = Press({FEED.feed_url: Said(body=rss(new=1, old=50, undated=None))})

    report = await poll(index, press, since_h=6)
    young = paths(index)
    await poll(index, press)

    assert (report.discovered, report.skipped) == (2, {})
    assert (young, paths(index)) == ({"new", "undated"}, {"new", "undated", "old"})


async def test_a_dry_run_reports_new_and_due_urls_and_leaves_the_index_unchanged(index):
    press = Press({FEED.feed_url: Said(body=rss(known=1))})
    await poll(index, press)
    states(index)
    before = rows(index, schema.frontier, schema.feeds)
    press.pages[FEED.feed_url] = Said(body=rss(known=1, fresh=0, other=2))

    report, number, urls = await preview(index, press)

    assert (report.discovered, number) == (2, 3)
    assert {one.url.removeprefix(f"{SITE}/") for one in urls} == {"known", "fresh", "other"}
    assert rows(index, schema.frontier, schema.feeds) == before


async def test_a_dry_run_respects_the_limit_and_recalled_urls(index):
    press = Press({FEED.feed_url: Said(body=rss(a=1, b=2))})
    await poll(index, press)
    with index.write() as tx:
        tx.execute(schema.frontier.update().values(state=State.GONE, due_at=None))
    forced = (Recall(selection=Selection(source_ids=frozenset({"daily"})), states=WAITING),)

    assert [(await preview(index, press))[1], (await preview(index, press, recalls=forced))[1]] == [0, 2]
    assert (await preview(index, press, recalls=forced, limit=1))[1] == 1
