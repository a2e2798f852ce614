"""Near-duplicates, excerpts and clusters, decided on a real index."""

from datetime import timedelta

import pytest

from tasks.index import articles, postings
from tasks.index.articles import article_id_of
from tasks.values.rows import Novelty
from tests.deduplicate.deciding import NOW, decide, edges_of, known, published
from tests.deduplicate.pages import page, story


def test_a_text_with_a_few_words_changed_is_a_near_duplicate(index):
    decide(index, "b1", {"a.example/1": story(1)})
    decide(index, "b2", {"b.example/2": story(1, changed=3)})

    first, copy = published(index)

    assert (copy.novelty, copy.duplicate_of, copy.cluster_id, copy.is_representative) == (
        Novelty.NEAR_DUPLICATE, first.article_id, first.cluster_id, False,
    )  # fmt: skip
    assert 0.8 < copy.similarity < 1.0


def test_a_near_duplicate_is_an_edge_with_its_score(index):
    decide(index, "b1", {"a.example/1": story(1)})
    decide(index, "b2", {"b.example/2": story(1, changed=3)})

    (edge,) = edges_of(index, "a.example/1")

    assert {edge.a, edge.b} == {article_id_of("a.example/1"), article_id_of("b.example/2")}
    assert (edge.kind, edge.score) == ("near_duplicate", published(index)[1].similarity)


def test_another_story_is_new(index):
    decide(index, "b1", {"a.example/1": story(1)})

    assert decide(index, "b2", {"b.example/2": story(2)}).articles == {"new": 1}


def test_the_same_wording_with_different_figures_is_new(index):
    decide(index, "b1", {"a.example/1": story(1, extra="1.25 33 400")})

    assert decide(index, "b2", {"b.example/2": story(1, extra="1.75 34 500")}).articles == {"new": 1}


def test_a_part_of_a_longer_text_is_an_excerpt_outside_its_cluster(index):
    decide(index, "b1", {"a.example/1": story(1, words=400)})
    decide(index, "b2", {"b.example/2": " ".join(story(1, words=400).split()[:150])})

    whole, part = published(index)

    assert (part.novelty, part.duplicate_of, part.similarity) == (Novelty.EXCERPT, whole.article_id, 1.0)
    assert (part.cluster_id, part.is_representative) == (part.article_id, True)
    assert [(edge.a, edge.b) for edge in edges_of(index, "a.example/1")] == [(part.article_id, whole.article_id)]


def test_a_full_text_after_its_excerpt_is_new_with_an_edge(index):
    decide(index, "b1", {"b.example/2": " ".join(story(1, words=400).split()[:150])})
    report = decide(index, "b2", {"a.example/1": story(1, words=400)})

    assert report.articles == {"new": 1}
    assert [(edge.a, edge.kind) for edge in edges_of(index, "a.example/1")] == [
        (article_id_of("b.example/2"), "excerpt")
    ]


def test_a_short_text_is_not_compared(index):
    decide(index, "b1", {"a.example/1": story(1, words=59)})

    assert decide(index, "b2", {"b.example/2": story(1, words=59, changed=1)}).articles == {"new": 1}


def test_near_duplicates_within_a_batch_are_found(index):
    report = decide(index, "b1", {"a.example/1": story(1), "b.example/2": story(1, changed=2)})

    assert report.articles == {"new": 1, "near_duplicate": 1}


@pytest.mark.parametrize(("days", "novelty"), [(13, "near_duplicate"), (15, "new"), (40, "new")])
def test_texts_far_apart_in_time_are_not_compared(index, days, novelty):
    early = NOW - timedelta(days=days)
    decide(index, "b1", {"a.example/1": page(story(1), published_at=early)})

    report = decide(index, "b2", {"b.example/2": page(story(1, changed=2), published_at=NOW)})

    assert report.articles == {novelty: 1}


def test_the_earliest_of_a_batch_is_the_representative_in_any_order(index):
    decide(
        index,
        "b1",
        {
            "a.example/late": page(story(1), published_at=NOW - timedelta(hours=1)),
            "b.example/early": page(story(1, changed=2), published_at=NOW - timedelta(hours=5)),
        },
    )

    late, early = sorted(published(index), key=lambda row: row.published_at, reverse=True)

    assert (early.novelty, early.is_representative, late.novelty, late.is_representative) == (
        Novelty.NEW, True, Novelty.NEAR_DUPLICATE, False,
    )  # fmt: skip
    assert late.cluster_id == early.cluster_id


def test_a_late_but_earlier_article_becomes_its_clusters_representative(index):
    decide(index, "b1", {"a.example/1": page(story(1), published_at=NOW - timedelta(hours=1))})
    decide(index, "b2", {"b.example/2": page(story(1, changed=2), published_at=NOW - timedelta(hours=9))})

    later, earlier = known(index, "a.example/1"), known(index, "b.example/2")

    assert (later.cluster_id, later.is_representative, earlier.is_representative) == (earlier.cluster_id, False, True)


def test_a_text_similar_to_two_clusters_merges_them(index):
    words = story(1, words=300).split()
    decide(index, "b1", {"a.example/1": " ".join(words[:160])})
    decide(index, "b2", {"b.example/2": " ".join(words[140:])})
    decide(index, "b3", {"c.example/3": " ".join(words[30:270])})

    clusters = {known(index, key).cluster_id for key in ("a.example/1", "b.example/2", "c.example/3")}

    assert len(clusters) == 1
    assert [known(index, key).is_representative for key in ("a.example/1", "b.example/2", "c.example/3")].count(
        True
    ) == 1


def test_a_revision_is_found_by_its_new_text_only(index):
    decide(index, "b1", {"a.example/1": story(1)})
    decide(index, "b2", {"a.example/1": story(2)})

    report = decide(index, "b3", {"b.example/2": story(1, changed=2), "c.example/3": story(2, changed=2)})

    assert report.articles == {"new": 1, "near_duplicate": 1}


def test_a_revision_keeps_its_cluster_and_is_not_a_copy_of_its_copies(index):
    decide(index, "b1", {"a.example/1": story(1)})
    decide(index, "b2", {"b.example/2": story(1, changed=2)}, now=NOW + timedelta(minutes=5))
    decide(index, "b3", {"a.example/1": story(1, changed=5)}, now=NOW + timedelta(minutes=9))

    revised = published(index)[-1]

    assert (revised.novelty, revised.duplicate_of, revised.is_representative) == (Novelty.REVISION, None, True)
    assert known(index, "b.example/2").cluster_id == revised.cluster_id


def test_a_live_blog_is_one_article_without_growing_postings(index):
    for number in range(5):
        decide(index, f"b{number}", {"a.example/live": story(1, words=150 + 40 * number)})

    with index.read() as tx:
        shape = postings.read_surroundings(tx, [])
        held = tx.exec_driver_sql("SELECT count(*), count(DISTINCT hash), count(DISTINCT number) FROM postings").one()

    assert [row.revision for row in published(index)] == [1, 2, 3, 4, 5]
    assert (shape.shapes, held[0], held[2]) == ({}, held[1], 1)


def test_texts_without_words_are_not_copies(index):
    report = decide(index, "b1", {"a.example/1": "", "b.example/2": "", "c.example/3": "…"})

    assert report.articles == {"new": 3}


def test_boilerplate_of_a_site_makes_no_near_duplicates(index):
    notice = story(99, words=100)
    decide(index, "b1", {f"a.example/{number}": f"{story(number, words=200)} {notice}" for number in range(4)})

    report = decide(
        index, "b2", {f"a.example/short{number}": f"{story(50 + number, words=60)} {notice}" for number in range(2)}
    )

    assert report.articles == {"new": 2}


def test_a_copy_on_another_site_is_found_despite_boilerplate(index):
    notice = story(99, words=150)
    decide(index, "b1", {f"a.example/{number}": f"{story(number, words=200)} {notice}" for number in range(4)})

    report = decide(index, "b2", {"b.example/1": story(1, words=200), "c.example/9": story(9, words=100)})

    assert report.articles == {"near_duplicate": 1, "new": 1}


def test_hashes_shared_by_hundreds_are_ignored(index, monkeypatch):
    monkeypatch.setattr(postings, "HOT", 3)
    decide(index, "b1", {f"a.example/{number}": story(1) for number in range(4)})

    assert decide(index, "b2", {"b.example/9": story(1, extra="and so on")}).articles == {"new": 1}


def test_a_forgotten_article_is_no_original(index):
    decide(index, "b1", {"a.example/1": story(1)})
    with index.write() as tx:
        tx.execute(articles.articles.delete())

    report = decide(index, "b2", {"b.example/2": story(1, changed=2)})

    assert report.articles == {"new": 1}
