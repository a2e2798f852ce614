"""Before taking the lock, read contents of articles from the lake that the index lacks or that other rules made.

Most pages do not need this: the index knows their content, or the rules are the same.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from tasks.deduplicate.archive import Archive, read_revisions
from tasks.deduplicate.corrections import needs_restating
from tasks.deduplicate.looks import content_of
from tasks.index import articles
from tasks.index.articles import KnownArticle
from tasks.index.database import Index
from tasks.values.batch import Batch
from tasks.values.look import Look
from tasks.values.page import Page, Restated
from tasks.values.rows import Article
from tasks.values.text.content import is_current, possible_digests


def restate(batch: Batch, *, index: Index, archive: Archive) -> Batch:
    """Return the batch with the contents read from the lake. Raises LakeUnavailable, IndexUnavailable."""
    asking = _find_asking(batch, index)
    if not asking:
        return batch
    known = {one.article_id: one for _, one in asking}
    unknown = {one.article_id for one in known.values() if not is_current(one.content_digest)}
    rows = read_revisions(known.values(), archive=archive, index=index, all_of=unknown)
    again = archive.extract_again(_to_extract(asking, rows))
    restated: dict[str, dict[str, Restated]] = {}
    for look, one in asking:
        if one.article_id in rows:
            said = _restated(rows[one.article_id], again.get(one.article_id), look.extracted.extractor)
            restated.setdefault(look.due.url_key, {})[one.article_id] = said
    looks = (_with(look, restated.get(look.due.url_key)) for look in batch.looks)
    return replace(batch, looks=tuple(looks))


def contents_of(row: Article) -> tuple[str, ...]:
    """Return the content digest of a row or, if it has no current one, all that it may have."""
    if row.content_digest is not None and is_current(row.content_digest):
        return (row.content_digest,)
    return possible_digests(row)


def _find_asking(batch: Batch, index: Index) -> list[tuple[Look, KnownArticle]]:
    """Return the looks whose articles must be read from the lake, with these articles."""
    looks = [look for look in batch.captured if look.prepared is not None]
    names = {look.due.url_key: _names(look) for look in looks}
    with index.read() as tx:
        asked = {name for several in names.values() for name in several}
        aliases = articles.find_aliases(tx, asked)
        known = articles.find_by_url_key(tx, asked | set(aliases.values()))
    found: list[tuple[Look, KnownArticle]] = []
    for look in looks:
        own = known.get(look.due.url_key)
        targets = [own] if own else [known.get(aliases.get(name, name)) for name in names[look.due.url_key]]
        several = {one.article_id: one for one in targets if one and _needs(look, one)}
        found += ((look, one) for one in several.values())
    return found


def _names(look: Look) -> tuple[str, ...]:
    return (look.due.url_key, *(look.prepared.names if look.prepared else ()))


def _needs(look: Look, known: KnownArticle) -> bool:
    content = look.prepared.content if look.prepared else ""
    return needs_restating(content, known, extractor=look.extracted.extractor)


def _to_extract(
    asking: Iterable[tuple[Look, KnownArticle]], rows: Mapping[str, Sequence[Article]]
) -> tuple[Article, ...]:
    """Return the newest rows that other rules made and whose content differs from the page's."""
    found: dict[str, Article] = {}
    for look, known in asking:
        stored = rows.get(known.article_id, ())
        contents = {content for row in stored for content in contents_of(row)}
        if stored and stored[-1].extractor != look.extracted.extractor and look.prepared.content not in contents:  # type: ignore[union-attr]
            found[known.article_id] = stored[-1]
    return tuple(found.values())


def _restated(rows: Sequence[Article], again: Page | None, extractor: str) -> Restated:
    newest, today = rows[-1], (content_of(again),) if again else ()
    bases = contents_of(newest) if newest.extractor == extractor else today
    contents = ((row.revision, content) for row in rows for content in contents_of(row))
    return Restated(revision=newest.revision, contents=tuple(contents), bases=bases)


def _with(look: Look, restated: Mapping[str, Restated] | None) -> Look:
    if restated is None or look.prepared is None:
        return look
    return replace(look, prepared=replace(look.prepared, restated=restated))
