"""Decide batches on a real index, and read the results."""

from dataclasses import replace
from datetime import UTC, datetime

from tasks.deduplicate.deciding import decide_batch
from tasks.index import announcing, articles, frontier, outbox, relations
from tasks.index.announcing import Announcement
from tasks.index.articles import article_id_of
from tasks.index.frontier import Selection
from tasks.values.batch import Batch
from tasks.values.look import DueUrl, Look
from tasks.values.page import Page
from tasks.values.rows import Outcome
from tasks.values.url import Url
from tests.deduplicate.pages import page
from tests.rows import make_capture

NOW = datetime(2026, 3, 1, 12, 30, tzinfo=UTC)


def decide(index, batch_id, looks, *, deferred=(), final=(), hops=(), now=NOW, announced=(), archive=None):
    """Announce, claim and decide; `looks` maps URL keys to a page, a text, or (outcome, disposition).

    `final` maps URL keys to the URLs that answered after redirects, `hops` to the URLs between, and `announced` to the feed's title
    and date.
    """
    announcements = [
        Announcement(url=f"https://{key}", url_key=key, host="a.example", source_id="a", announced_by="f")
        for key in [*looks, *deferred]
    ]
    with index.write() as tx:
        announcing.announce(tx, announcements, now=now)
        frontier.recall(tx, Selection(url_keys=frozenset(looks)), now=now)
        due = frontier.claim(
            tx, Selection(url_keys=frozenset([*looks, *deferred])), owner="r1", limit=99, lease_s=300, host_budget_s=120,
            crawl_delays_s={}, now=now,
        )  # fmt: skip
    by_key = {one.url_key: Look(due=one) for one in due}
    for key, look in looks.items():
        outcome, disposition = (Outcome.OK, None) if isinstance(look, str | Page) else look
        capture = make_capture(
            capture_id=f"{batch_id}{key}", url=f"https://{key}", final_url=dict(final).get(key, f"https://{key}"), url_key=key,
            fetched_at=now, outcome=outcome, novelty=None, article_id=None, revision=None, reason=None if disposition is None else "reason",
        )  # fmt: skip
        found = page(look) if isinstance(look, str) else look if isinstance(look, Page) else None
        one = by_key.get(key) or Look(due=_due(key))
        if key in dict(announced):
            title, at = dict(announced)[key]
            one = replace(one, due=replace(one.due, announced_title=title, announced_at=at))
        by_key[key] = replace(
            one, capture=capture, disposition=disposition, page=found,
            extracted_at=found and now, hops=dict(hops).get(key, ()),
        )  # fmt: skip
    for key in deferred:
        by_key[key] = replace(by_key[key], deferred_until=now)
    batch = Batch(batch_id=batch_id, run_id="r1", looks=tuple(by_key.values()))
    return decide_batch(batch, index=index, now=now, archive=archive)


def _due(key):
    return DueUrl(url=Url(f"https://{key}"), url_key=key, host="a.example", source_id="a", attempt=1)


def known(index, key):
    with index.read() as tx:
        return articles.find_by_url_key(tx, [key])[key]


def edges_of(index, key):
    with index.read() as tx:
        return relations.find_edges(tx, article_id_of(key))


def published(index):
    with index.read() as tx:
        return [article for item in outbox.pending(tx, limit=99) for article in item.articles]


def captured(index):
    with index.read() as tx:
        return [capture for item in outbox.pending(tx, limit=99) for capture in item.captures]
