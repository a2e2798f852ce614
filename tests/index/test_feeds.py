"""Feeds and their poll state."""

import hashlib
from datetime import timedelta

from tasks.index.feeds import FeedAddress, PollRecord, add_feeds, prune, record_polls, select_feeds
from tasks.values.feed import FeedKind

FEED = "https://daily.example/feed"


def address(url=FEED, source_id="daily", kind=FeedKind.FEED, **more):
    return FeedAddress(feed_url=url, source_id=source_id, kind=kind, **more)


def record(now, **changes):
    return PollRecord(
        **{
            "feed_url": FEED,
            "polled_at": now,
            "due_at": now + timedelta(hours=1),
            "interval_s": 3600.0,
            "failures": 0,
            "reason": None,
            "entries": 7,
            "etag": '"1"',
            "last_modified": None,
            "body_digest": "sha256:1",
            "moved_to": "https://daily.example/rss",
            "sightings": 2,
            **changes,
        }
    )


def state(index, url=FEED):
    with index.read() as tx:
        return select_feeds(tx, [url], due_by=None)[0]


def test_a_new_feed_is_due_at_once(index, now):
    with index.write() as tx:
        add_feeds(tx, [address()], now=now)

    assert state(index).due_at == now


def test_poll_state_is_kept_when_the_feed_is_registered_again(index, now):
    with index.write() as tx:
        add_feeds(tx, [address()], now=now)
        record_polls(tx, [record(now)])
        add_feeds(tx, [address(source_id="weekly", kind=FeedKind.SITEMAP)], now=now + timedelta(days=1))

    known = state(index)
    assert (known.source_id, known.kind) == ("weekly", FeedKind.SITEMAP)
    assert (known.etag, known.body_digest, known.interval_s) == ('"1"', "sha256:1", 3600.0)
    assert (known.moved_to, known.sightings, known.due_at) == ("https://daily.example/rss", 2, now + timedelta(hours=1))


def test_only_due_feeds_are_selected_and_ended_ones_never(index, now):
    urls = [f"https://daily.example/{name}" for name in ("due", "later", "ended")]
    with index.write() as tx:
        add_feeds(tx, [address(url) for url in urls], now=now)
        record_polls(tx, [record(now, feed_url=urls[1]), record(now, feed_url=urls[2], due_at=None)])
        due = select_feeds(tx, urls, due_by=now)
        all_of_them = select_feeds(tx, urls, due_by=None)

    assert [feed.feed_url for feed in due] == [urls[0]]
    assert [feed.feed_url for feed in all_of_them] == urls


def test_each_of_thousands_of_feeds_is_selected_once(index, now):
    urls = [f"https://daily.example/{number}" for number in range(3000)]
    with index.write() as tx:
        add_feeds(tx, [address(url) for url in urls], now=now)
        selected = select_feeds(tx, [*urls, *urls], due_by=now)

    assert sorted(feed.feed_url for feed in selected) == sorted(urls)


def test_a_poll_without_a_request_or_parse_keeps_times_and_counts(index, now):
    with index.write() as tx:
        add_feeds(tx, [address()], now=now)
        record_polls(tx, [record(now)])
        record_polls(tx, [record(now, polled_at=None, entries=None, reason="deferred")])
        row = tx.exec_driver_sql("SELECT entries, reason FROM feeds").one()

    assert state(index).polled_at == now
    assert tuple(row) == (7, "deferred")


def test_a_sitemap_of_an_index_knows_its_parent(index, now):
    child = "https://daily.example/1.xml"
    with index.write() as tx:
        add_feeds(tx, [address(child, parent_url=FEED)], now=now)

    assert state(index, child).parent_url == FEED


def test_child_sitemaps_not_polled_for_long_are_forgotten_but_catalogue_feeds_are_not(index, now):
    named, old, young = FEED, "https://daily.example/old.xml", "https://daily.example/young.xml"
    with index.write() as tx:
        add_feeds(tx, [address(named), *(address(child, parent_url=FEED) for child in (old, young))], now=now)
        record_polls(tx, [record(now, feed_url=url) for url in (named, old)])
        record_polls(tx, [record(now + timedelta(days=10), feed_url=young)])

        forgotten = prune(tx, before=now + timedelta(days=5))
        left = select_feeds(tx, [named, old, young], due_by=None)

    assert (forgotten, {feed.feed_url for feed in left}) == (1, {named, young})


def test_a_feed_url_longer_than_a_database_index_allows_works(index, now):
    # incompressible: PostgreSQL compresses before it checks the size
    long = f"https://daily.example/{hashlib.sha512(b'0').hexdigest() * 2}" + "".join(
        hashlib.sha512(str(number).encode()).hexdigest() for number in range(28)
    )

    with index.write() as tx:
        add_feeds(tx, [address(long, parent_url=FEED), address()], now=now)
        record_polls(tx, [record(now, feed_url=long)])
        (known,) = select_feeds(tx, [long], due_by=None)
        forgotten = prune(tx, before=now + timedelta(days=1))

    assert (len(long), known.feed_url, known.etag, forgotten) == (3862, long, '"1"', 1)


def test_validators_of_any_bytes_are_stored(index, now):
    with index.write() as tx:
        add_feeds(tx, [address()], now=now)
        record_polls(
            tx, [record(now, etag='"\x00\ud800\xff"', last_modified="\0", moved_to="https://daily.example/\0")]
        )

    assert (state(index).etag, state(index).last_modified) == ('"\ufffd\ufffd\xff"', "\ufffd")
