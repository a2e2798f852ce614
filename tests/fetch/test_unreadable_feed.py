"""A feed whose parser is killed fails alone, and its payload is quarantined like a page's."""

import json
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest

from tasks.discover.polling import poll_feeds
from tasks.discover.schedule import PollConfig
from tasks.fetch.unreadable_feed import keep_unreadable
from tasks.index.feeds import FeedAddress, add_feeds, select_feeds
from tasks.lake.objects.stores import DirectoryStore, open_lake
from tasks.lake.records import read_response
from tasks.store.publishing import publish_all
from tasks.values.feed import FeedKind
from tasks.verify.verification import verify
from tests.discover.conftest import RULES, Press, Said

SITE, BAD, GOOD = "https://daily.example", "https://daily.example/bad", "https://daily.example/good"
RSS = '<rss version="2.0"><channel><item><title>T</title><link>https://daily.example/a</link></item></channel></rss>'


class Killing:
    """A reader that is killed at one feed, and parses the others in this process."""

    async def read(self, job):
        if job.item == BAD:
            raise job.timed_out(f"killed after 10 s of CPU at {job.item}")
        return job.read(*job.arguments)


@pytest.fixture
def index(file_index):
    return file_index


@pytest.fixture
def store(tmp_path):
    lake = DirectoryStore(tmp_path / "lake")
    open_lake(lake)
    return lake


async def polled(index, store):
    """Poll both feeds once, and publish the results."""
    now = datetime.now(UTC)
    addresses = [FeedAddress(feed_url=url, source_id="daily", kind=FeedKind.FEED) for url in (BAD, GOOD)]
    with index.write() as tx:
        add_feeds(tx, addresses, now=now)
        feeds = select_feeds(tx, (BAD, GOOD), due_by=None)

    kept = partial(keep_unreadable, run_id="r1", software="presslake/0", put=store.put, index=index)
    report = await poll_feeds(
        feeds,
        client=Press({BAD: Said(body="<rss>" * 9), GOOD: Said(body=RSS)}),
        rules={"daily": RULES},
        index=index,
        config=PollConfig(),
        polled_one=lambda: None,
        reader=Killing(),
        keep_unreadable=kept,
    )
    publish_all(index, store)
    return report


def documents(store):
    return [json.loads(store.get(one.key)) for one in store.list("quarantine/")]


async def test_the_other_feed_is_read_and_the_failure_counted(index, store):
    report = await polled(index, store)

    assert report.failed == {"feed_unreadable": 1}
    assert [(one.url, one.detail) for one in report.failures] == [(BAD, f"killed after 10 s of CPU at {BAD}")]
    assert (report.polled, report.discovered) == (2, 1)


async def test_the_payload_is_quarantined(index, store):
    await polled(index, store)

    (document,) = documents(store)
    segment = store.get(document["warc_key"])
    stored = read_response(segment, document["warc_offset"], document["warc_length"])
    assert (document["url"], document["reason"]) == (BAD, "feed_unreadable")
    assert stored.body == b"<rss>" * 9


async def test_only_the_first_payload_of_consecutive_failures_is_kept(index, store):
    await polled(index, store)
    again = await polled(index, store)

    assert again.failed == {"feed_unreadable": 1}
    assert len(documents(store)) == 1


async def test_lake_and_index_agree_about_the_quarantined_feed(index, store):
    await polled(index, store)

    found = verify(
        index=index,
        store=store,
        now=datetime.now(UTC) + timedelta(hours=2),
        is_repairing=False,
        sample=None,
        revisit_after=(),
        on_step=lambda *_: None,
    )

    assert found.faults == ()
