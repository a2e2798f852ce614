"""Decide whether a page at a known URL has new content, and what it changes. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass

from tasks.index.articles import KnownArticle
from tasks.values.page import PreparedPage, Restated
from tasks.values.text.content import changed_parts, is_current


@dataclass(frozen=True, slots=True, kw_only=True)
class ContentVerdict:
    """How a page relates to its article: an existing revision, or a new one with its changes.

    `changes` is None if unknown.
    """

    revision: int | None = None
    changes: tuple[str, ...] | None = None


def compare_content(page: PreparedPage, known: KnownArticle, *, extractor: str) -> ContentVerdict:
    """Compare a page with the article at its URL. `extractor` names the rules that made its text.

    Only a difference under the same rules is a correction. If the rules differ and the stored page cannot be extracted
    again, only the words count.
    """
    restated = restated_of(page, known)
    if (revision := find_revision(page.content, known, restated)) is not None:
        return ContentVerdict(revision=revision)
    bases = _bases(known, restated, extractor=extractor)
    if not bases and known.text_digest == page.text.digest:
        return ContentVerdict(revision=known.revision)
    bases = bases or _own_contents(known, restated)
    return ContentVerdict(changes=min((changed_parts(base, page.content) for base in bases), key=len, default=None))


def find_revision(content: str, known: KnownArticle, restated: Restated | None = None) -> int | None:
    """Return the newest revision with this content, or None if neither the index nor the lake has it."""
    return max((revision for revision, digest in _contents(known, restated) if digest == content), default=None)


def needs_restating(content: str, known: KnownArticle, *, extractor: str) -> bool:
    """Whether the article's contents must be read from the lake: the index lacks them, or other rules made them."""
    if find_revision(content, known) is not None:
        return False
    return not is_current(known.content_digest) or known.extractor != extractor


def restated_of(page: PreparedPage, known: KnownArticle) -> Restated | None:
    """Return what was read from the lake about the article, unless the index has a newer revision now."""
    restated = page.restated.get(known.article_id)
    return restated if restated and restated.revision == known.revision else None


def _contents(known: KnownArticle, restated: Restated | None) -> Iterator[tuple[int, str]]:
    if known.content_digest is not None:
        yield known.revision, known.content_digest
    yield from known.earlier_contents
    if restated:
        yield from restated.contents
        yield from ((restated.revision, base) for base in restated.bases)


def _bases(known: KnownArticle, restated: Restated | None, *, extractor: str) -> tuple[str, ...]:
    """Return the possible contents of the newest revision under the rules that made the page."""
    if restated:
        return restated.bases
    if known.content_digest is not None and is_current(known.content_digest) and known.extractor == extractor:
        return (known.content_digest,)
    return ()


def _own_contents(known: KnownArticle, restated: Restated | None) -> tuple[str, ...]:
    """Return the contents of the newest revision under the rules that made it."""
    own = (digest for revision, digest in _contents(known, restated) if revision == known.revision)
    return tuple(filter(is_current, own))
