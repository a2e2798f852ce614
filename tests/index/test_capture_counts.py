from datetime import timedelta

from sqlalchemy import bindparam, text

from tasks.index.capture_counts import count_captures, read_counts
from tasks.index.column_types import Instant
from tasks.index.database import open_index
from tasks.values.rows import Novelty, Outcome
from tests.index.migrating import migrate
from tests.rows import FETCHED_AT, make_capture


def count(index, *captures):
    with index.write() as tx:
        count_captures(tx, (one.counted for one in captures))
    with index.read() as tx:
        return {(one.source_id, one.outcome, one.reason, one.novelty): one for one in read_counts(tx)}


def test_captures_of_one_kind_are_added_up(index):
    kind = {"novelty": Novelty.NEW, "reason": None, "source_id": "a", "payload_size": 10}
    later = FETCHED_AT + timedelta(hours=1)

    count(index, make_capture(**kind), make_capture(**kind, fetched_at=later))
    sums = count(index, make_capture(**kind))

    (one,) = sums.values()
    assert (one.captures, one.payload_size, one.latest_at) == (3, 30, later)


def test_a_capture_without_a_page_has_neither_novelty_nor_size(index):
    failed = make_capture(outcome=Outcome.FAILED, reason="http_404", novelty=None, payload_size=None, source_id="a")

    sums = count(index, failed)

    assert sums["a", "failed", "http_404", ""].payload_size == 0


def test_nothing_counted_changes_nothing(index):
    assert count(index) == {}


def test_an_older_index_knows_its_newest_articles_after_migration(empty_index_url):
    with migrate(empty_index_url, "0001") as index, index.write() as tx:
        tx.execute(
            text(
                "INSERT INTO articles (article_id, url_key, url, source_id, revision, text_digest, first_seen_at,"
                " fetched_at, cluster_id, is_representative) VALUES ('x', 'k', 'u', 'a', 1, 'd', :at, :at, 'x', true)"
            ).bindparams(bindparam("at", FETCHED_AT, Instant))
        )

    with open_index(empty_index_url) as upgraded, upgraded.read() as tx:
        (one,) = read_counts(tx)

    assert one.captures == 0
    assert one.latest_at == FETCHED_AT
