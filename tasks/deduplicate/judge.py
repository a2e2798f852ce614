"""Judge a text that is not known at its URL: new, revision, duplicate, near-duplicate or excerpt. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from tasks.deduplicate.neighbours import Match
from tasks.deduplicate.resemblance import Relation
from tasks.index.articles import KnownArticle
from tasks.values.rows import Novelty


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The verdict on a page.

    `revision` starts at 1. `duplicate_of` is the article that it resembles, `similarity` is 0 to 1.
    """

    novelty: Novelty
    article_id: str
    revision: int
    duplicate_of: str | None
    similarity: float | None


def judge(
    *,
    article_id: str,
    known: KnownArticle | None,
    twin: KnownArticle | None,
    matches: Sequence[Match] = (),
) -> Verdict:
    """Judge a new text at a URL. `known` is the article there, `twin` the earliest other article with an equal text.

    `matches` are the articles that resemble it, the best first.
    """
    first, original, similarity = _resembled(article_id, twin, matches)
    return Verdict(
        novelty=Novelty.REVISION if known else first,
        article_id=article_id,
        revision=known.next_revision if known else 1,
        duplicate_of=original,
        similarity=similarity,
    )


def _resembled(
    article_id: str, twin: KnownArticle | None, matches: Sequence[Match]
) -> tuple[Novelty, str | None, float | None]:
    """Return the novelty of the text at an unknown URL, the article that it resembles, and the similarity."""
    if twin and twin.article_id != article_id:
        return Novelty.DUPLICATE, twin.article_id, 1.0
    for match in matches:
        if match.relation is Relation.NEAR_DUPLICATE:
            return Novelty.NEAR_DUPLICATE, match.article_id, match.score
        if match.relation is Relation.EXCERPT and match.is_longer:
            return Novelty.EXCERPT, match.article_id, match.score
    return Novelty.NEW, None, None
