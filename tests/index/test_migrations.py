"""Migration of an older index with its contents."""

from datetime import timedelta

from sqlalchemy import bindparam, text

from tasks.index.articles import find_by_url_key
from tasks.index.column_types import Instant
from tasks.index.database import open_index
from tasks.index.feeds import feed_key, select_feeds
from tasks.values.feed import FeedKind
from tests.index.migrating import migrate

OLD_FEED = """
INSERT INTO feeds (feed_url, source_id, kind, etag, due_at, interval_s, failures, entries, moved_to, sightings, parent_url)
VALUES (:feed_url, 'daily', 'sitemap', '"1"', :due_at, 600.5, 2, 7, 'https://daily.example/rss', 1, 'https://daily.example/')
"""


def test_feeds_from_before_digests_keep_their_state(empty_index_url, now):
    urls = [f"https://daily.example/ä{number}.xml" for number in range(2500)]
    with migrate(empty_index_url, "0002") as old, old.write() as tx:
        statement = text(OLD_FEED).bindparams(bindparam("due_at", type_=Instant()))
        tx.execute(statement, [{"feed_url": url, "due_at": now} for url in urls])

    with open_index(empty_index_url) as index, index.write() as tx:
        known = select_feeds(tx, urls, due_by=now + timedelta(seconds=1))
        keys = {row.feed_url: row.feed_key for row in tx.exec_driver_sql("SELECT feed_url, feed_key FROM feeds")}
        tables = tx.exec_driver_sql(
            "SELECT count(*) FROM sqlite_master WHERE name = 'feeds_before'"
            if index.is_sqlite
            else "SELECT count(*) FROM pg_tables WHERE tablename = 'feeds_before'"
        ).scalar_one()

    assert sorted(one.feed_url for one in known) == sorted(urls)
    one = known[0]
    assert (one.kind, one.etag, one.due_at, one.interval_s, one.failures) == (FeedKind.SITEMAP, '"1"', now, 600.5, 2)
    assert (one.moved_to, one.sightings, one.parent_url) == ("https://daily.example/rss", 1, "https://daily.example/")
    assert keys == {url: feed_key(url) for url in urls}
    assert tables == 0


OLD_ARTICLE = """
INSERT INTO articles (article_id, url_key, url, source_id, revision, text_digest, first_seen_at, fetched_at, cluster_id, is_representative)
VALUES ('x', 'a.example/1', 'https://a.example/1', 'daily', 2, 't1:x', :at, :at, 'x', true)
"""


def test_articles_from_before_content_digests_stay_known(empty_index_url, now):
    with migrate(empty_index_url, "0003") as old, old.write() as tx:
        tx.execute(text(OLD_ARTICLE).bindparams(bindparam("at", type_=Instant())), {"at": now})

    with open_index(empty_index_url) as index, index.read() as tx:
        known = find_by_url_key(tx, ["a.example/1"])["a.example/1"]

    assert (known.revision, known.text_digest, known.first_seen_at) == (2, "t1:x", now)
    assert (known.content_digest, known.extractor, known.earlier_contents) == (None, None, ())
