"""Whether a page at a known URL says anything that has not been seen there before, and what it changes. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass

from tasks.index.articles import KnownArticle
from tasks.values.page import PreparedPage, Restated
from tasks.values.text.content import changed_parts, is_current


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What a page is to its article: one of the revisions that are there, or a new one with what that changes.

    `changes` is None if it is not known.
    """

    revision: int | None = None
    changes: tuple[str, ...] | None = None


def stand(page: PreparedPage, known: KnownArticle, *, extractor: str) -> Standing:
    """Return what a page is to the article at its URL; `extractor` is what made its text.

    Only a difference under the same rules is a correction. If the rules are others, and the stored page cannot be
    extracted with today's, the words alone decide.
    """
    restated = restated_of(page, known)
    if (revision := seen_as(page.content, known, restated)) is not None:
        return Standing(revision=revision)
    bases = _bases(known, restated, extractor=extractor)
    if not bases and known.text_digest == page.text.digest:
        return Standing(revision=known.revision)
    bases = bases or _own_contents(known, restated)
    return Standing(changes=min((changed_parts(base, page.content) for base in bases), key=len, default=None))


def seen_as(content: str, known: KnownArticle, restated: Restated | None = None) -> int | None:
    """Return the newest revision with this content, or None: neither index nor lake has it."""
    return max((revision for revision, digest in _contents(known, restated) if digest == content), default=None)


def needs_restating(content: str, known: KnownArticle, *, extractor: str) -> bool:
    """Whether the lake has to be asked what the article's revisions say: the index does not know, or other rules made it."""
    if seen_as(content, known) is not None:
        return False
    return not is_current(known.content_digest) or known.extractor != extractor


def restated_of(page: PreparedPage, known: KnownArticle) -> Restated | None:
    """Return what the lake says of the article, unless it has a newer revision since it was asked."""
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
    """Return what the newest revision may be under the rules that made the page."""
    if restated:
        return restated.bases
    if known.content_digest is not None and is_current(known.content_digest) and known.extractor == extractor:
        return (known.content_digest,)
    return ()


def _own_contents(known: KnownArticle, restated: Restated | None) -> tuple[str, ...]:
    """Return what the newest revision says under the rules that made it."""
    own = (digest for revision, digest in _contents(known, restated) if revision == known.revision)
    return tuple(filter(is_current, own))
