"""Remove the rows of what is taken down from the lake's tables and, in the same transaction, from the index."""

import uuid
from collections import defaultdict
from collections.abc import Iterator, Sequence

from tasks.deduplicate.cluster_repair import repair_clusters
from tasks.forget.work import Work
from tasks.index import outbox
from tasks.index.erasing import erase_articles, erase_securely, erase_urls, find_ids
from tasks.index.statements import in_chunks
from tasks.store.publishing import publish_all
from tasks.values.changes import ArticleKey, RowChanges

ARTICLES_AT_ONCE = 500
CAPTURES_AT_ONCE = 5000


def erase_rows(work: Work) -> None:
    """Remove all rows of what is taken down. An article and all its revisions are removed in one transaction."""
    parts = [*_of_captures(work), *_of_articles(work)]  # captures first, so that none names a missing article
    for number, changes in enumerate(parts):
        work.on_step("removing rows", number, len(parts))
        _erase(work, changes)
    _erase_urls(work)
    work.counts["articles"] += len({key.article_id for key in work.taken.articles})
    work.counts["revisions"] += len(work.taken.articles)
    work.counts["captures"] += len(work.taken.captures)
    publish_all(work.index, work.store)


def _erase(work: Work, changes: RowChanges) -> None:
    with work.index.write() as tx:
        erase_securely(tx)
        belonged = erase_articles(tx, {key.article_id for key in changes.gone_articles})
        repair_clusters(tx, belonged)
        outbox.append_changes(
            tx, changes, batch_id=f"forget-{uuid.uuid4().hex}", run_id=work.run_id, counts={}, now=work.now
        )


def _erase_urls(work: Work) -> None:
    """Delete the URLs last: after a kill, the rest is found through them."""
    publish_all(work.index, work.store)
    with work.index.write() as tx:
        erase_securely(tx)
        # URLs of articles that are in the index but not in the lake
        repair_clusters(tx, erase_articles(tx, find_ids(tx, work.taken.url_keys)))
        erase_urls(tx, work.taken.url_keys)


def _of_articles(work: Work) -> Iterator[RowChanges]:
    revisions: defaultdict[str, list[ArticleKey]] = defaultdict(list)
    for key in work.taken.articles:
        revisions[key.article_id].append(key)
    for part in in_chunks(sorted(revisions), ARTICLES_AT_ONCE):
        yield RowChanges(gone_articles=_sorted(key for article_id in part for key in revisions[article_id]))


def _of_captures(work: Work) -> Iterator[RowChanges]:
    ordered = sorted(work.taken.captures, key=lambda key: (key.dt, key.capture_id))
    for part in in_chunks(ordered, CAPTURES_AT_ONCE):
        yield RowChanges(gone_captures=tuple(part))


def _sorted(keys: Iterator[ArticleKey]) -> tuple[ArticleKey, ...]:
    ordered: Sequence[ArticleKey] = sorted(keys, key=lambda key: (key.dt, key.article_id, key.revision))
    return tuple(ordered)
