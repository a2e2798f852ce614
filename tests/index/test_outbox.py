import zlib
from dataclasses import replace
from datetime import timedelta, timezone

import orjson
import pytest
from sqlalchemy import func, select

from tasks.index import outbox, schema
from tasks.index.outbox import OutboxItem
from tasks.values.changes import ArticleKey, CaptureKey, RowChanges
from tests.rows import make_article, make_capture


def append(tx, batch_id, now, *, captures=(), articles=()):
    return outbox.append(
        tx, batch_id=batch_id, run_id="r1", captures=captures, articles=articles, counts={"fetched": 1}, now=now
    )


def test_an_item_round_trips(index, now):
    capture, article = (
        make_capture(status=None, detail="\x00 ☃ \u202e"),
        make_article(tags=("a", "b"), modified_at=None),
    )
    with index.write() as tx:
        append(tx, "b1", now, captures=[capture], articles=[article])

    with index.read() as tx:
        items = outbox.pending(tx, limit=10)

    captures, articles = (replace(capture, change_seq=1),), (replace(article, change_seq=1, added_seq=1),)
    assert items == (OutboxItem(sequence=1, batch_id="b1", captures=captures, articles=articles),)


def test_cached_rows_equal_parsed_rows(index, now):
    east = now.astimezone(timezone(timedelta(hours=9)))
    article = make_article(tags=("a", "b"), published_at=east, modified_at=None, title="\x00 ☃")
    with index.write() as tx:
        append(tx, "b1", now, captures=[make_capture()], articles=[article])
        append(tx, "b2", now, articles=[article])

    with index.read() as tx:
        remembered, parsed = outbox.pending(tx, limit=10), outbox.pending(tx, limit=10)

    assert remembered == parsed
    assert remembered[0].articles[0] is not parsed[0].articles[0]
    assert repr(remembered) == repr(parsed)


@pytest.mark.parametrize("number", [0, 1, 3])
def test_an_item_is_stored_as_zlib_compressed_json(index, now, number):
    articles = [make_article(title=f"☃ {one}", tags=("a", "b")) for one in range(number)]
    with index.write() as tx:
        append(tx, "b1", now, articles=articles, captures=[make_capture()])
        payload = tx.execute(select(schema.outbox.c.payload)).scalar()

    kept = orjson.loads(zlib.decompress(payload))

    assert list(kept) == ["captures", "articles", "policies"]
    assert kept["articles"] == orjson.loads(orjson.dumps(articles))
    assert len(kept["captures"]) == 1


def test_cached_rows_of_a_rolled_back_decision_are_not_used(index, now):
    with index.rehearse() as tx:
        append(tx, "b1", now, articles=[make_article(title="undone")])
    with index.write() as tx:
        append(tx, "b1", now, articles=[make_article(title="decided")])

    with index.read() as tx:
        (item,) = outbox.pending(tx, limit=10)

    assert item.articles[0].title == "decided"


@pytest.mark.parametrize(("max_size", "read"), [(1, ["b1"]), (2.5, ["b1", "b2"]), (9, ["b1", "b2", "b3"])])
def test_batches_are_read_up_to_a_size_and_at_least_one(index, now, max_size, read):
    with index.write() as tx:
        for batch_id in ("b1", "b2", "b3"):
            append(tx, batch_id, now, articles=[make_article(text=f"{batch_id} {list(range(2000))}")])
        size = tx.execute(select(func.max(func.length(schema.outbox.c.payload)))).scalar()

    with index.read() as tx:
        items = outbox.pending(tx, limit=10, max_size=int(max_size * size) - 1)

    assert [item.batch_id for item in items] == read


def test_sequences_are_in_commit_order(index, now):
    with index.write() as tx:
        append(tx, "b1", now)
    with pytest.raises(RuntimeError), index.write() as tx:
        append(tx, "rolled-back", now)
        raise RuntimeError
    with index.write() as tx:
        append(tx, "b2", now)

    with index.read() as tx:
        assert [(item.sequence, item.batch_id) for item in outbox.pending(tx, limit=10)] == [(1, "b1"), (2, "b2")]


def test_a_cleared_items_sequence_is_not_reused(index, now):
    with index.write() as tx:
        append(tx, "b1", now)
    with index.write() as tx:
        outbox.clear(tx, [1])
    with index.write() as tx:
        append(tx, "b2", now)

    with index.read() as tx:
        assert [item.sequence for item in outbox.pending(tx, limit=10)] == [2]


def test_a_decided_batch_is_remembered(index, now):
    with index.write() as tx:
        append(tx, "b1", now)

    with index.read() as tx:
        assert (outbox.decided_counts(tx, "b1"), outbox.decided_counts(tx, "b2")) == ({"fetched": 1}, None)


def test_times_are_returned_in_utc(index, now):
    east = now.astimezone(timezone(timedelta(hours=9)))
    with index.write() as tx:
        append(tx, "b1", now, articles=[replace(make_article(), published_at=east)])

    with index.read() as tx:
        (item,) = outbox.pending(tx, limit=1)

    assert item.articles[0].published_at.isoformat() == now.isoformat()


def test_characters_invalid_in_json_are_replaced(index, now):
    with index.write() as tx:
        append(tx, "b1", now, articles=[make_article(title="half \ud83d of it", tags=("\udc00",))])

    with index.read() as tx:
        (item,) = outbox.pending(tx, limit=1)

    assert (item.articles[0].title, item.articles[0].tags) == ("half \ufffd of it", ("\ufffd",))


def test_changes_round_trip_with_their_sequence(index, now):
    article, capture = make_article(), make_capture()
    changes = RowChanges(
        articles=(article,),
        captures=(capture,),
        gone_articles=(ArticleKey("b", 2, article.dt),),
        gone_captures=(CaptureKey("d", capture.dt),),
        gone_documents=("quarantine/dt=2026-03-01/b-1.json",),
    )
    with index.write() as tx:
        sequence = outbox.append_changes(tx, changes, batch_id="r", run_id="r", counts={}, now=now)
    with index.read() as tx:
        (item,) = outbox.pending(tx, limit=10)
        last = outbox.last_sequence(tx)

    assert (item.changes, item.articles, last) == (changes.written_by(sequence), (), sequence)


def test_published_upto_ends_before_the_oldest_waiting_item(index, now):
    with index.write() as tx:
        first = outbox.published_upto(tx)
        for name in ("b1", "b2", "b3"):
            append(tx, name, now)
        none = outbox.published_upto(tx)
        outbox.clear(tx, [1, 3])
        one = outbox.published_upto(tx)
        outbox.clear(tx, [2])

        assert (first, none, one, outbox.published_upto(tx)) == (0, 0, 1, 3)
