"""Forgotten articles are in no byte of any place, everything else is intact, and nothing brings them back."""

import shutil
from dataclasses import replace
from datetime import UTC, datetime

import pyarrow.parquet as pq
import pytest
from sqlalchemy import select

from tasks.errors import ConfigError, LakeUnavailable
from tasks.forget.forgetting import forget, remove_restored, undo
from tasks.forget.plan import Selection
from tasks.forget.report import summary_line
from tasks.index import feeds, outbox
from tasks.index.database import open_index
from tasks.index.feeds import FeedAddress
from tasks.index.history import why_unknown
from tasks.index.outbox import OutboxItem
from tasks.index.schema import articles, edges, frontier
from tasks.lake.keys import ARTICLES
from tasks.lake.objects.stores import DirectoryStore
from tasks.lake.tables import open_table
from tasks.lake.takedowns import read_takedowns
from tasks.store.publishing import publish
from tasks.values.feed import FeedKind
from tasks.values.takedown import Scope
from tasks.values.url import host_of, url_key
from tasks.verify.reindex import reindex
from tests.forget.searching import find_bytes
from tests.rows import make_article
from tests.verify.conftest import Interrupted
from tests.verify.planting import a_batch_that_is_decided_and_not_published, table_files


def now():
    return datetime.now(UTC)


def take(world, *names, scope=Scope.URL, **words):
    choice = {name: words.pop(name) for name in ("copies", "reason") if name in words}
    selection = Selection(scope=scope, names=names, **choice)
    return forget(selection, index=world.index, store=world.store, now=now(), **words)


def lonely(world, site, number=3):
    """Return stories of a site that have no copies."""
    with world.index.read() as tx:
        tied = {end for row in tx.execute(select(edges.c.a, edges.c.b)) for end in row}
        doubled = set(tx.execute(select(articles.c.duplicate_of).where(articles.c.duplicate_of.is_not(None))).scalars())
        rows = tx.execute(select(articles).where(articles.c.duplicate_of.is_(None))).all()
    free = {row.url for row in rows if row.article_id not in tied | doubled}
    stories = world.press.stories[site].values()
    return [story for story in stories if world.press.url(site, story.path) in free][:number]


def needles(world, story):
    return [world.press.url(story.site, story.path), story.path, *(one for one in story.paragraphs)]


def url_of(world, story):
    return world.press.url(story.site, story.path)


def test_a_forgotten_article_is_in_no_byte_and_the_rest_is_intact(world):
    stories = lonely(world, 0)
    gone = [needle for story in stories for needle in needles(world, story)]
    before = find_bytes(world.home, [story.path for story in stories])
    with world.index.read() as tx:
        known = tx.execute(select(articles.c.article_id)).all()

    report = take(world, *(url_of(world, story) for story in stories))

    assert set(before) == {story.path for story in stories}
    assert (report.articles, report.segments_rewritten > 0) == (3, True)
    assert {name: files for name, files in find_bytes(world.home, gone).items() if files != ["urls.txt"]} == {}
    assert world.verify().found == {}
    with world.index.read() as tx:
        assert len(tx.execute(select(articles.c.article_id)).all()) == len(known) - 3


def test_nothing_brings_a_forgotten_article_back(world, index):
    story, *_ = lonely(world, 0, 1)
    take(world, url_of(world, story))
    text = [*story.paragraphs, story.path]

    world.sweep()
    report = reindex(index=index, store=world.store, now=now(), revisit_after=(), on_step=lambda *_: None)

    assert find_bytes(world.home, text) in ({}, {story.path: ["urls.txt"]})
    assert report.articles == 38
    assert world.verify(mend=True).found == {}
    with world.index.read() as tx:
        assert tx.execute(select(frontier.c.url_key).where(frontier.c.url.like(f"%{story.path}"))).all() == []


def test_forgetting_again_reports_that_nothing_is_left(world):
    story, *_ = lonely(world, 0, 1)
    take(world, url_of(world, story))

    again = take(world, url_of(world, story))

    assert (again.takedown_id, again.articles, again.captures) == (None, 0, 0)
    assert summary_line(again) == "Nothing matches; nothing to forget."
    assert len(read_takedowns(world.store)) == 1


def test_a_dry_run_changes_nothing_and_lists_what_would_be_removed(world):
    story, *_ = lonely(world, 0, 1)
    before = {
        path: path.read_bytes() for path in world.home.rglob("*") if path.is_file() and "index.db" not in path.name
    }

    would = take(world, url_of(world, story), is_dry_run=True)
    after = {
        path: path.read_bytes() for path in world.home.rglob("*") if path.is_file() and "index.db" not in path.name
    }
    did = take(world, url_of(world, story))

    assert before == after
    assert (would.articles, would.revisions, would.captures, would.segments_rewritten) == (
        did.articles, did.revisions, did.captures, did.segments_rewritten
    )  # fmt: skip


def test_a_segment_of_tombstones_only_is_no_fault(world):
    hosts = [host_of(url_of(world, next(iter(world.press.stories[site].values())))) for site in (0, 1, 2)]

    take(world, *hosts, scope=Scope.HOST, is_sure=True)

    assert list(world.store.list("warc/"))
    assert world.verify().found == {}


def test_forgetting_half_of_the_lake_requires_confirmation(world):
    hosts = [host_of(url_of(world, next(iter(world.press.stories[site].values())))) for site in (0, 1, 2)]

    with pytest.raises(ConfigError, match="half or more: add --yes"):
        take(world, *hosts, scope=Scope.HOST)
    assert read_takedowns(world.store) == []

    assert take(world, *hosts, scope=Scope.HOST, is_sure=True).articles == 39


def test_forgetting_a_host_removes_all_of_it_and_no_other(world):
    host = host_of(url_of(world, next(iter(world.press.stories[0].values()))))
    with world.index.read() as tx:
        rows = tx.execute(select(articles.c.url, articles.c.source_id)).all()
    others = [url for url, _ in rows if host_of(url) != host]

    report = take(world, host, scope=Scope.HOST)

    kept = find_bytes(world.home, others)
    found = find_bytes(world.home, [f"//{host}"])
    assert report.articles == len(rows) - len(others)
    assert set(kept) == set(others)
    assert set(found.get(f"//{host}", [])) <= {"urls.txt", "sources.yaml"}
    assert world.verify().found == {}


def test_a_forgotten_host_and_its_feeds_are_not_requested_again(world):
    first = next(iter(world.press.stories[0].values()))
    host = host_of(url_of(world, first))
    feed = FeedAddress(feed_url=f"http://{host}/feed.xml", source_id="site-0", kind=FeedKind.FEED)
    take(world, host, scope=Scope.HOST)
    asked = len([one for one in world.press.log if one.site == 0])

    with world.index.write() as tx:
        feeds.add_feeds(tx, [feed], now=now())
        known = feeds.select_feeds(tx, [feed.feed_url], due_by=None)
    world.sweep()

    assert known == ()
    assert len([one for one in world.press.log if one.site == 0]) == asked
    assert set(find_bytes(world.home, [f"//{host}"]).get(f"//{host}", [])) <= {"urls.txt", "sources.yaml"}


def test_a_trace_of_a_forgotten_url_reports_the_takedown(world):
    story, *_ = lonely(world, 0, 1)
    with world.index.read() as tx:
        before = why_unknown(tx, url_key(url_of(world, story)))
    take(world, url_of(world, story))

    with world.index.read() as tx:
        after = why_unknown(tx, url_key(url_of(world, story)))
    assert before.startswith("no feed has announced it")
    assert after.startswith("it was taken down")


def test_forgetting_a_source_removes_all_of_it(world):
    report = take(world, "site-1", scope=Scope.SOURCE)

    with world.index.read() as tx:
        left = set(tx.execute(select(articles.c.source_id)).scalars()) | set(
            tx.execute(select(frontier.c.source_id)).scalars()
        )
    assert report.articles > 5
    assert "site-1" not in left
    assert world.verify().found == {}


def test_copies_are_removed_only_on_request(world):
    with world.index.read() as tx:
        copy = tx.execute(select(articles).where(articles.c.duplicate_of.is_not(None))).first()
        first = tx.execute(select(articles).where(articles.c.article_id == copy.duplicate_of)).one()

    without = take(world, first.url)
    left = world.verify().found
    with world.index.read() as tx:
        stays = tx.execute(select(articles.c.url).where(articles.c.article_id == copy.article_id)).all()

    assert (without.articles, without.copies >= 1, len(stays), left) == (1, True, 1, {})


def test_an_article_is_removed_with_its_copies(world):
    with world.index.read() as tx:
        copy = tx.execute(select(articles).where(articles.c.duplicate_of.is_not(None))).first()
    rows = open_table(world.store, ARTICLES).to_pyarrow_table(columns=["article_id", "text"]).to_pylist()
    (text,) = (row["text"] for row in rows if row["article_id"] == copy.article_id)

    report = take(world, copy.article_id, scope=Scope.ARTICLE, copies=True)

    assert report.articles >= 2
    assert find_bytes(world.home, text.splitlines()) == {}
    assert world.verify().found == {}


def test_articles_without_words_are_not_copies_of_each_other(world):
    empty = [
        make_article(
            article_id=name, url=f"https://v.example/{name}", url_key=f"v.example/{name}", text="", word_count=0
        )
        for name in ("v1", "v2")
    ]
    item = OutboxItem(sequence=900, batch_id="videos", captures=(), articles=tuple(empty))
    publish([item], store=world.store, index_id=world.index.index_id)

    would = take(world, "v1", scope=Scope.ARTICLE, copies=True, is_dry_run=True)

    assert (would.articles, would.copies) == (1, 0)


def test_an_unpublished_article_is_removed_too(world):
    a_batch_that_is_decided_and_not_published(world)
    with world.index.read() as tx:
        (item,) = outbox.pending(tx, limit=9)
    (row,) = item.articles

    report = take(world, row.article_id, scope=Scope.ARTICLE)

    assert report.articles == 1
    assert {files[0] for files in find_bytes(world.home, [row.url, *row.text.splitlines()]).values()} <= {"urls.txt"}
    assert world.verify().found == {}


def test_undoing_a_takedown_lets_the_url_be_fetched_again(world):
    story, *_ = lonely(world, 0, 1)
    report = take(world, url_of(world, story))
    world.sweep()

    undo(report.takedown_id, index=world.index, store=world.store, now=now())
    before = find_bytes(world.home / "lake", list(story.paragraphs))
    world.sweep()

    assert before == {}
    assert set(find_bytes(world.home / "lake", list(story.paragraphs))) == set(story.paragraphs)
    assert world.verify().found == {}


def test_articles_in_a_restored_backup_are_found_and_forgotten_again(world, tmp_path):
    story, *_ = lonely(world, 0, 1)
    for name in ("lake", "index.db"):
        copy_of = shutil.copytree if name == "lake" else shutil.copy
        copy_of(world.home / name, tmp_path / name)
    take(world, url_of(world, story))
    shutil.copytree(world.lake / "takedowns", tmp_path / "lake" / "takedowns")
    text = [*story.paragraphs, story.path]

    with open_index(f"sqlite:///{tmp_path / 'index.db'}") as index:
        restored = replace(world, home=tmp_path, index=index)
        before = restored.verify().found
        remove_restored(index, restored.store, now=now(), on_step=lambda *_: None)
        after = restored.verify().found

    assert before.keys() == {"taken_down"}
    assert after == {}
    assert find_bytes(tmp_path / "lake", text) == {}


def test_an_unknown_takedown_cannot_be_undone(world):
    with pytest.raises(ConfigError, match="there is no takedown 'x'"):
        undo("x", index=world.index, store=world.store, now=now())


@pytest.mark.parametrize(("name", "scope"), [("no url", Scope.URL), ("no host", Scope.HOST)])
def test_an_invalid_name_is_one_clear_error(world, name, scope):
    with pytest.raises(ConfigError, match=f"^--{scope} {name}: not a"):
        take(world, name, scope=scope)


class ForbiddenDeletes(DirectoryStore):
    """A store without the right to delete."""

    def delete(self, key):
        raise LakeUnavailable(f"cannot delete {key}: Access Denied")


def test_without_the_right_to_delete_nothing_is_changed(world):
    story, *_ = lonely(world, 0, 1)
    selection = Selection(scope=Scope.URL, names=(url_of(world, story),))

    before = {found.key: world.store.get(found.key) for found in world.store.list("")}

    with pytest.raises(ConfigError, match="need the maintainer policy; nothing was changed") as raised:
        forget(selection, index=world.index, store=ForbiddenDeletes(world.lake), now=now())

    assert len(str(raised.value).splitlines()) == 1
    assert {found.key: world.store.get(found.key) for found in world.store.list("")} == before
    assert find_bytes(world.lake, [story.path]) != {}


def test_objects_set_aside_by_a_mend_are_forgotten_too(world):
    path = table_files(world, "articles")[0]
    path.with_name("20260101T000000Z-orphan-7.parquet").write_bytes(path.read_bytes())
    world.verify(mend=True)
    story = next(one for one in lonely(world, 0, 9) if one.path in str(pq.ParquetFile(path).read().to_pylist()))
    aside = find_bytes(world.lake / "set-aside", [story.path])

    take(world, url_of(world, story))

    assert story.path in aside
    assert find_bytes(world.home, [story.path, *story.paragraphs]) in ({}, {story.path: ["urls.txt"]})


def test_a_killed_takedown_is_completed_by_the_next(world):
    first, second, *_ = lonely(world, 0, 2)

    def killed(what, *_):
        if what == "removing rows":
            raise Interrupted

    with pytest.raises(Interrupted):
        take(world, url_of(world, first), on_step=killed)
    take(world, url_of(world, second))

    text = [*first.paragraphs, first.path, *second.paragraphs, second.path]
    assert {files[0] for files in find_bytes(world.home, text).values()} <= {"urls.txt"}
    assert world.verify().found == {}
