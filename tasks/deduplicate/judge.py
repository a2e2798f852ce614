"""What a text is against what is known: new, revision, unchanged or duplicate. Pure.

Near-duplicates and excerpts are edges between stored articles and come from the sketches, not from here.
"""

import hashlib
from dataclasses import dataclass

from tasks.index.articles import KnownArticle
from tasks.models import Novelty


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What a page is. `revision` counts from 1; `duplicate_of` is the article whose text it has, `similarity` 0 to 1."""

    novelty: Novelty
    article_id: str
    revision: int
    cluster_id: str
    is_representative: bool
    duplicate_of: str | None
    similarity: float | None


def article_id_of(url_key: str) -> str:
    """Return the article's id: a function of its URL's identity, so that a rebuilt index gives the same ids."""
    return hashlib.sha256(url_key.encode()).hexdigest()[:32]


def judge(*, url_key: str, text_digest: str, known: KnownArticle | None, twin: KnownArticle | None) -> Verdict:
    """Judge one page; `known` is the article at its URL, `twin` the earliest article elsewhere with an equal text."""
    article_id = known.article_id if known else article_id_of(url_key)
    if known and known.text_digest == text_digest:
        return Verdict(
            novelty=Novelty.UNCHANGED,
            article_id=article_id,
            revision=known.revision,
            cluster_id=known.cluster_id,
            is_representative=known.is_representative,
            duplicate_of=known.duplicate_of,
            similarity=1.0 if known.duplicate_of else None,
        )
    elsewhere = twin if twin and twin.article_id != article_id else None
    first = Novelty.DUPLICATE if elsewhere else Novelty.NEW
    return Verdict(
        novelty=Novelty.REVISION if known else first,
        article_id=article_id,
        revision=known.revision + 1 if known else 1,
        cluster_id=elsewhere.cluster_id if elsewhere else article_id,
        is_representative=elsewhere is None,
        duplicate_of=elsewhere.article_id if elsewhere else None,
        similarity=1.0 if elsewhere else None,
    )
