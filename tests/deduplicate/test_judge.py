from datetime import UTC, datetime

import pytest

from tasks.deduplicate.judge import judge
from tasks.deduplicate.looks import known_after
from tasks.deduplicate.neighbours import Match
from tasks.deduplicate.resemblance import Relation
from tasks.index.articles import article_id_of
from tasks.values.rows import Novelty
from tests.rows import make_article

NEAR = Match(
    article_id="n",
    told_at=datetime(2026, 3, 1, tzinfo=UTC),
    relation=Relation.NEAR_DUPLICATE,
    score=0.9,
    is_longer=True,
)
WHOLE = Match(
    article_id="w", told_at=datetime(2026, 3, 1, tzinfo=UTC), relation=Relation.EXCERPT, score=0.8, is_longer=True
)
PART = Match(
    article_id="p", told_at=datetime(2026, 3, 1, tzinfo=UTC), relation=Relation.EXCERPT, score=0.8, is_longer=False
)
TWIN = known_after(make_article(article_id="t"))
KNOWN = known_after(make_article(article_id="k", revision=3, text_digest="t1:old"))


@pytest.mark.parametrize(
    ("known", "twin", "matches", "expected"),
    [
        (None, None, [], (Novelty.NEW, 1, None, None)),
        (None, TWIN, [NEAR], (Novelty.DUPLICATE, 1, "t", 1.0)),
        (None, None, [NEAR, WHOLE], (Novelty.NEAR_DUPLICATE, 1, "n", 0.9)),
        (None, None, [WHOLE], (Novelty.EXCERPT, 1, "w", 0.8)),
        (None, None, [PART, WHOLE], (Novelty.EXCERPT, 1, "w", 0.8)),
        (None, None, [PART], (Novelty.NEW, 1, None, None)),
        (KNOWN, None, [], (Novelty.REVISION, 4, None, None)),
        (KNOWN, TWIN, [], (Novelty.REVISION, 4, "t", 1.0)),
        (KNOWN, None, [NEAR], (Novelty.REVISION, 4, "n", 0.9)),
        (KNOWN, KNOWN, [], (Novelty.REVISION, 4, None, None)),
    ],
)
def test_novelty_follows_from_known_twin_and_matches(known, twin, matches, expected):
    own_id = known.article_id if known else "own"
    verdict = judge(article_id=own_id, known=known, twin=twin, matches=matches)

    assert (verdict.novelty, verdict.revision, verdict.duplicate_of, verdict.similarity) == expected


def test_an_article_id_is_the_same_in_every_index():
    assert article_id_of("a.example/1") == "f5c487667165382be7a60be627423082"
