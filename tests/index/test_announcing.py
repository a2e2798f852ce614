"""Which source a frontier URL belongs to when its owner and others announce it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, update

from tasks.index import announcing, frontier
from tasks.index.announcing import Announcement, amended
from tasks.index.feeds import FeedAddress, add_feeds
from tasks.index.frontier import BACKFILL, NEWS, Selection, State, list_of
from tasks.index.schema import frontier as table
from tasks.index.shards import Shard
from tasks.values.feed import FeedKind

DATE = datetime(2026, 2, 28, tzinfo=UTC)
OWN = Announcement(
    url="https://good.com/1",
    url_key="good.com/1",
    host="good.com",
    source_id="good",
    announced_by="https://good.com/feed",
    title="Own",
    announced_at=DATE,
    priority=BACKFILL,
    owners=("good",),
)
FOREIGN = replace(
    OWN, announced_by="https://other.com/feed", title=None, announced_at=None, priority=NEWS, is_foreign=True
)
OTHERS = replace(FOREIGN, source_id="other", announced_at=datetime(1990, 1, 1, tzinfo=UTC), owners=(), is_foreign=False)


def announce(index, *announcements, now):
    with index.write() as tx:
        return announcing.announce(tx, announcements, now=now)


def change(index, **values):
    with index.write() as tx:
        tx.execute(update(table).values(values))


def row(index, *names):
    with index.read() as tx:
        found = tx.execute(select(table)).mappings().one()
    return tuple(found[name] for name in names)


WHOSE = ("source_id", "announced_by", "announced_title", "announced_at", "priority")
OWNS = ("good", OWN.announced_by, "Own", DATE, BACKFILL)


@pytest.mark.parametrize("order", [(OWN, FOREIGN), (FOREIGN, OWN)])
def test_the_owners_announcement_wins_within_a_portion(index, now, order):
    assert announce(index, *order, now=now) == 1

    assert row(index, *WHOSE) == OWNS


def test_an_owner_later_fills_in_missing_fields(index, now):
    announce(index, FOREIGN, now=now)

    assert announce(index, OWN, now=now + timedelta(hours=1)) == 0

    assert row(index, *WHOSE, "discovered_at") == ("good", FOREIGN.announced_by, "Own", DATE, BACKFILL, now)


def test_another_source_does_not_change_the_owners_fields(index, now):
    announce(index, OWN, now=now)

    announce(index, FOREIGN, now=now + timedelta(hours=1))

    assert row(index, *WHOSE) == OWNS


def test_an_owners_first_announcement_is_kept(index, now):
    announce(index, OWN, now=now)

    announce(index, replace(OWN, title="Later", announced_at=now, priority=NEWS), now=now)

    assert row(index, *WHOSE) == OWNS


@pytest.mark.parametrize(("by", "expected"), [(OWN, OWNS), (FOREIGN, ("good", FOREIGN.announced_by, None, None, NEWS))])
def test_a_url_moves_to_its_owner_while_it_has_no_article(index, now, by, expected):
    announce(index, OTHERS, now=now)

    announce(index, by, now=now + timedelta(hours=1))

    assert row(index, *WHOSE) == expected
    assert row(index, "state", "due_at", "discovered_at") == (State.DUE, now, now)


def test_a_url_with_an_article_keeps_its_source(index, now):
    announce(index, OTHERS, now=now)
    change(index, article_id="0" * 32, state=State.DONE)

    announce(index, OWN, now=now)

    assert row(index, *WHOSE) == ("other", OTHERS.announced_by, None, OTHERS.announced_at, NEWS)


def test_a_leased_url_keeps_its_source(index, now):
    announce(index, OTHERS, now=now)
    change(index, state=State.LEASED, lease_owner="run", lease_until=now + timedelta(hours=1))

    announce(index, OWN, now=now)

    assert row(index, "source_id") == ("other",)


def test_a_url_dropped_under_anothers_rules_becomes_due_for_its_owner(index, now):
    announce(index, OTHERS, now=now)
    change(index, state=State.DROPPED, due_at=None, attempts=3, captured_at=now)

    announce(index, OWN, now=now + timedelta(hours=1))

    assert row(index, "source_id", "state", "due_at", "attempts") == ("good", State.DUE, now + timedelta(hours=1), 0)


def test_a_gone_url_is_not_recalled_by_another_source(index, now):
    announce(index, OWN, now=now)
    change(index, state=State.GONE, due_at=None, captured_at=now)

    assert announce(index, FOREIGN, now=now + timedelta(days=2)) == 0

    assert row(index, "state") == (State.GONE,)


def test_a_section_keeps_urls_it_announced_first(index, now):
    first = replace(OWN, source_id="sport", owners=("good", "sport"), title=None)
    announce(index, first, now=now)

    announce(index, replace(OWN, owners=("good", "sport")), now=now)

    assert row(index, "source_id", "announced_title") == ("sport", None)


@pytest.mark.parametrize(
    ("known", "one", "taken"),
    [
        ({"source_id": "good", "announced_title": "T", "announced_at": None}, OWN, {"announced_at", "priority"}),
        ({"source_id": "good", "announced_title": None, "announced_at": DATE}, OWN, {"announced_title", "priority"}),
        ({"source_id": "good", "announced_title": "T", "announced_at": DATE}, OWN, set()),
        ({"source_id": "good", "announced_title": None, "announced_at": None}, FOREIGN, set()),
        ({"source_id": "good", "announced_title": None, "announced_at": None}, replace(OWN, title=None), {"announced_at", "priority"}),
        ({"source_id": "evil", "announced_title": "T", "announced_at": DATE}, FOREIGN, set(WHOSE)),
    ],
)  # fmt: skip
def test_a_row_gets_missing_fields_or_all_if_it_changes_its_source(known, one, taken, now):
    whose = {"source_id": one.source_id, "announced_by": one.announced_by, "priority": one.priority}
    announced = {"announced_title": one.title, "announced_at": one.announced_at}

    found = amended(
        {"state": State.DUE, **known}, whose, announced, owners=one.owners, is_foreign=one.is_foreign, now=now
    )

    assert set(found) == taken


def test_a_selection_with_others_includes_their_urls_announced_by_its_feeds_and_lists(index, now):
    feeds = [
        FeedAddress(feed_url=f"https://{source_id}.com/{path}", source_id=source_id, kind=FeedKind.FEED)
        for source_id, path in (("other", "feed"), ("other", "child.xml"), ("good", "feed"))
    ]
    told = {
        "feed": "https://other.com/feed",
        "child": "https://other.com/child.xml",
        "list": list_of("other"),
        "good": "https://good.com/feed",
        "third": list_of("third"),
    }
    urls = [replace(FOREIGN, url=f"https://good.com/{key}", url_key=key, announced_by=by) for key, by in told.items()]
    urls += [replace(OTHERS, url_key="mine"), replace(OTHERS, url_key="gone", source_id="gone")]
    announce(index, *urls, now=now)
    with index.write() as tx:
        add_feeds(tx, feeds, now=now)

    def due(**selection):
        with index.read() as tx:
            found = frontier.peek(tx, Selection(**selection), limit=10, now=now)[1]
        return {one.url_key for one in found}

    source_ids = frozenset({"other"})
    shards = [Shard(number=number, of=2) for number in (0, 1)]
    parts = [due(source_ids=source_ids, others=frozenset({"good"}), shard=shard) for shard in shards]
    assert due(source_ids=source_ids) == {"mine"}
    assert due(source_ids=source_ids, others=frozenset({"good"})) == {"mine", "feed", "child", "list"}
    assert sorted(map(len, parts)) == [0, 4]
