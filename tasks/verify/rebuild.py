"""Rebuild the index from rows of the lake: articles through the same code that decides new ones, URLs from their captures.

What the lake does not store stays lost: who announced a URL, and intermediate URLs of redirects.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from tasks.deduplicate.context import lock_scripts, read_context
from tasks.deduplicate.deciding import enter_revision, known_at, write_decided
from tasks.deduplicate.looks import aliases_on_site, in_clusters, keys_elsewhere, settle, syndicated_key
from tasks.deduplicate.neighbours import Comparisons
from tasks.deduplicate.resemblance import article_time
from tasks.deduplicate.restating import contents_of
from tasks.deduplicate.retry_policy import next_look
from tasks.index import archived, clusters
from tasks.index import articles as known_articles
from tasks.index.articles import Alias, KnownArticle, article_id_of
from tasks.index.database import Transaction
from tasks.index.frontier import BACKFILL, NEWS
from tasks.index.repairing import replace_urls
from tasks.index.shards import shard_key
from tasks.reasons import Disposition, find_reason
from tasks.values.page import PreparedPage
from tasks.values.rows import Article, Capture, Outcome
from tasks.values.text.fingerprint import fingerprint_of
from tasks.values.url import host_of

_OF_OUTCOME = {Outcome.SKIPPED: Disposition.SKIPPED, Outcome.QUARANTINED: Disposition.QUARANTINED}


@dataclass(frozen=True, slots=True, kw_only=True)
class Revision:
    """A row of `articles`, with the final URL of its page."""

    article: Article
    final_url: str


def remember_revisions(tx: Transaction, revisions: Sequence[Revision], *, now: datetime) -> None:
    """Add these revisions to the index, in their order: texts, sketches, edges, clusters and aliases.

    The index keeps an article's newest revision by `fetched_at`; revision numbers follow the order of decisions.
    """
    pages = [_prepared(one) for one in revisions]
    lock_scripts(tx, pages)
    context = read_context(tx, (one.article.url_key for one in revisions), pages, Comparisons(left=None))
    for article, page in zip((one.article for one in revisions), pages, strict=True):
        known = known_at(context, article.url_key)
        own_id = known.article_id if known else article_id_of(article.url_key)
        enter_revision(context, article, page, twin=context.twin(page.text), matches=context.matches(own_id, page))
    given = {(one.article.article_id, one.article.revision): one.article for one in revisions}
    rows = write_decided(tx, context, in_clusters([one.article for one in revisions], context.clusters), now=now)
    clusters.mark(tx, (row.cluster_id for row in rows if _differs(given[row.article_id, row.revision], row)))


def remember_urls(
    tx: Transaction, looks: Iterable[Sequence[Capture]], *, now: datetime, revisit_after: Sequence[timedelta]
) -> int:
    """Add these URLs to the index, each with all its captures, the oldest first; returns how many there were."""
    several = [tuple(captures) for captures in looks]
    known = _find(tx, several)
    rows = [_url_row(captures, known, revisit_after) for captures in several]
    replace_urls(tx, rows)
    archived.note_archived(tx, (one.capture_id for captures in several for one in captures if one.is_archived))
    known_articles.note_aliases(tx, _aliases(several, known_articles.find_url_keys(tx, known)), now=now)
    return len(rows)


def disposition_of(capture: Capture) -> Disposition | None:
    """Return the disposition of a URL after this capture, by its reason; None for a page or no change."""
    if capture.outcome in {Outcome.OK, Outcome.NOT_MODIFIED}:
        return None
    known = find_reason(capture.reason or "")
    return known.disposition if known else _OF_OUTCOME.get(capture.outcome, Disposition.DROPPED)


def _differs(given: Article, row: Article) -> bool:
    """Whether the lake's row differs in the article's cluster."""
    names = ("cluster_id", "is_representative", "cluster_size", "cluster_earliest")
    return any(getattr(given, name) != getattr(row, name) for name in names)


def _find(tx: Transaction, looks: Iterable[Sequence[Capture]]) -> dict[str, KnownArticle]:
    """Return the articles that the last captures name, by id; nearly all have the captures' own URLs."""
    last = [captures[-1] for captures in looks]
    found = known_articles.find_by_url_key(tx, (one.url_key for one in last)).values()
    known = {one.article_id: one for one in found}
    for article_id in {one.article_id for one in last if one.article_id} - set(known):
        if elsewhere := known_articles.find_by_id(tx, article_id):
            known[article_id] = elsewhere
    return known


def _url_row(
    captures: Sequence[Capture], known: dict[str, KnownArticle], revisit_after: Sequence[timedelta]
) -> dict[str, object]:
    first = captures[0]
    fetched = [one for one in captures if not one.is_archived]
    captures = fetched or captures
    last = captures[-1]
    pages = [one for one in captures if one.outcome in {Outcome.OK, Outcome.NOT_MODIFIED}]
    article = known.get(last.article_id or "")
    settled = settle(
        last,
        disposition_of(last),
        now=last.fetched_at,
        previous_digest=pages[-1].payload_digest if pages else None,
        look_again_at=next_look(
            article.first_seen_at, article.published_at, now=last.fetched_at, revisit_after=revisit_after
        )
        if article
        else None,
    )
    if not fetched:  # URLs known from archives only are not scheduled
        settled = replace(settled, due_at=None, attempts=0, etag=None, last_modified=None, payload_digest=None)
    return {
        "url_key": last.url_key,
        "url": last.url,
        "host": host_of(last.url),
        "source_id": last.source_id,
        "state": settled.state,
        "priority": NEWS if fetched else BACKFILL,
        "due_at": settled.due_at,
        "lease_owner": None,
        "lease_until": None,
        "attempts": settled.attempts,
        "etag": settled.etag,
        "last_modified": settled.last_modified,
        "payload_digest": settled.payload_digest,
        "captured_at": settled.captured_at,
        "article_id": settled.article_id,
        "outcome": settled.outcome,
        "reason": settled.reason,
        "discovered_at": first.fetched_at,
        "shard": shard_key(host_of(last.url)),
    }


def _aliases(looks: Iterable[Sequence[Capture]], url_keys: dict[str, str]) -> Iterable[Alias]:
    """Yield the URLs that are aliases of other articles by decision."""
    for captures in looks:
        last = captures[-1]
        article_key = url_keys.get(last.article_id or "", last.url_key)
        if article_key != last.url_key:
            yield Alias(url_key=last.url_key, article_key=article_key, how="canonical")


def _prepared(one: Revision) -> PreparedPage:
    article = one.article
    return PreparedPage(
        host=article.host,
        told_at=article_time(article.published_at, article.fetched_at),
        text=fingerprint_of(article.text),
        content=contents_of(article)[0],
        names=aliases_on_site(
            article.url, article.url_key, redirects=(one.final_url,), canonical=article.canonical_url
        ),
        elsewhere=keys_elsewhere(article.url, (one.final_url,)),
        syndicated_key=syndicated_key(article.syndicated_from, one.final_url),
    )
