"""The stage over a real index: pages in, decisions and frontier rows out."""

from datetime import UTC, datetime, timedelta

import pytest

from tasks.deduplicate.judge import article_id_of
from tasks.deduplicate.stage import decide_batch
from tasks.errors import Disposition
from tasks.index import articles, frontier, outbox, postings, relations
from tasks.index.frontier import Announcement, Selection
from tasks.models import Batch, DueUrl, ExtractedBatch, FetchedBatch, Novelty, Outcome, Page
from tests.deduplicate.pages import page, story
from tests.rows import make_capture

NOW = datetime(2026, 3, 1, 12, 30, tzinfo=UTC)


def decide(index, batch_id, looks, *, deferred=(), final=(), now=NOW):
    """Announce, claim and decide; `looks` maps a URL key to its page or its text, or to (outcome, disposition).

    `final` maps URL keys to the URLs that answered, where they redirect.
    """
    announcements = [
        Announcement(url=f"https://{key}", url_key=key, host="a.example", source_id="a", announced_by="f")
        for key in [*looks, *deferred]
    ]
    with index.write() as tx:
        frontier.announce(tx, announcements, now=now)
        frontier.recall(tx, Selection(url_keys=frozenset(looks)), now=now)
        due = frontier.claim(
            tx, Selection(url_keys=frozenset([*looks, *deferred])), owner="r1", limit=99, lease_s=300, host_budget_s=120,
            crawl_delays_s={}, now=now,
        )  # fmt: skip
    by_key = {one.url_key: one for one in due}
    captures, pages, dispositions = [], {}, {}
    for key, look in looks.items():
        outcome, disposition = (Outcome.OK, None) if isinstance(look, str | Page) else look
        capture = make_capture(
            capture_id=f"{batch_id}{key}", url=f"https://{key}", final_url=dict(final).get(key, f"https://{key}"), url_key=key,
            fetched_at=now, outcome=outcome, novelty=None, article_id=None, revision=None, reason=None if disposition is None else "reason",
        )  # fmt: skip
        captures.append(capture)
        if isinstance(look, str | Page):
            pages[capture.capture_id] = look if isinstance(look, Page) else page(look)
        if disposition:
            dispositions[key] = disposition
    batch = Batch(batch_id=batch_id, run_id="r1", urls=tuple(by_key.values()) or tuple(_due(key) for key in looks))
    fetched = FetchedBatch(
        batch=batch, captures=tuple(captures), dispositions=dispositions, deferred=dict.fromkeys(deferred, now)
    )
    extracted = ExtractedBatch(
        fetched=fetched, captures=tuple(captures), pages=pages, dispositions=dispositions, extracted_at=now
    )
    return decide_batch(extracted, index=index, now=now)


def _due(key):
    return DueUrl(url=f"https://{key}", url_key=key, host="a.example", source_id="a", attempt=1)


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


def test_a_text_seen_first_is_new(index):
    report = decide(index, "b1", {"a.example/1": "The harbour reopened."})

    assert report.articles == {"new": 1}


def test_the_same_text_again_is_unchanged_and_makes_no_row(index):
    decide(index, "b1", {"a.example/1": "The harbour reopened."})

    report = decide(index, "b2", {"a.example/1": "The harbour  REOPENED."})

    assert (report.articles, len(published(index))) == ({"unchanged": 1}, 1)


def test_another_text_at_a_known_url_is_a_revision_of_one_article(index):
    decide(index, "b1", {"a.example/1": "The harbour reopened."})
    decide(index, "b2", {"a.example/1": "The harbour reopened on Monday."})

    assert [(row.novelty, row.revision) for row in published(index)] == [(Novelty.NEW, 1), (Novelty.REVISION, 2)]
    assert len({row.article_id for row in published(index)}) == 1


def test_an_equal_text_elsewhere_is_a_duplicate_of_the_earliest(index):
    decide(index, "b1", {"a.example/1": "The harbour reopened."})
    decide(index, "b2", {"b.example/2": "The harbour reopened.", "c.example/3": "The harbour reopened."})

    first, *copies = published(index)

    assert [(copy.novelty, copy.duplicate_of, copy.cluster_id) for copy in copies] == [
        (Novelty.DUPLICATE, first.article_id, first.cluster_id)
    ] * 2


def test_pages_of_one_batch_see_each_other(index):
    report = decide(index, "b1", {"a.example/1": "The harbour reopened.", "b.example/2": "The harbour reopened."})

    assert report.articles == {"new": 1, "duplicate": 1}


def test_no_change_points_at_the_article_that_is_known(index):
    decide(index, "b1", {"a.example/1": "The harbour reopened."})
    report = decide(index, "b2", {"a.example/1": (Outcome.NOT_MODIFIED, None)})

    last = captured(index)[-1]

    assert (report.not_modified, last.novelty, last.revision) == (1, Novelty.UNCHANGED, 1)


def test_a_batch_decided_twice_is_decided_once(index):
    first = decide(index, "b1", {"a.example/1": "The harbour reopened."})

    again = decide(index, "b1", {"a.example/1": "The harbour reopened."})

    assert (again.articles, len(captured(index))) == (first.articles, 1)


@pytest.mark.parametrize(
    ("outcome", "disposition", "counted"),
    [
        (Outcome.FAILED, Disposition.DROPPED, {"failed": {"reason": 1}}),
        (Outcome.SKIPPED, Disposition.SKIPPED, {"skipped": {"reason": 1}}),
        (Outcome.QUARANTINED, Disposition.QUARANTINED, {"quarantined": 1}),
    ],
)
def test_what_is_no_article_is_counted_and_costs_no_other(index, outcome, disposition, counted):
    report = decide(index, "b1", {"a.example/1": (outcome, disposition), "b.example/2": "The harbour reopened."})

    assert {name: getattr(report, name) for name in counted} == counted
    assert report.articles == {"new": 1}


def test_what_was_put_off_is_due_again(index):
    decide(index, "b1", {"a.example/1": "The harbour reopened."}, deferred=["a.example/2"])

    with index.read() as tx:
        assert frontier.count_by_state(tx) == {"a": {"done": 1, "due": 1}}


# Near-duplicates


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


def test_one_wording_with_other_figures_is_new(index):
    decide(index, "b1", {"a.example/1": story(1, extra="1.25 33 400")})

    assert decide(index, "b2", {"b.example/2": story(1, extra="1.75 34 500")}).articles == {"new": 1}


def test_a_part_of_a_longer_text_is_an_excerpt_and_no_member_of_its_cluster(index):
    decide(index, "b1", {"a.example/1": story(1, words=400)})
    decide(index, "b2", {"b.example/2": " ".join(story(1, words=400).split()[:150])})

    whole, part = published(index)

    assert (part.novelty, part.duplicate_of, part.similarity) == (Novelty.EXCERPT, whole.article_id, 1.0)
    assert (part.cluster_id, part.is_representative) == (part.article_id, True)
    assert [(edge.a, edge.b) for edge in edges_of(index, "a.example/1")] == [(part.article_id, whole.article_id)]


def test_the_whole_of_an_excerpt_that_was_first_is_new_with_an_edge(index):
    decide(index, "b1", {"b.example/2": " ".join(story(1, words=400).split()[:150])})
    report = decide(index, "b2", {"a.example/1": story(1, words=400)})

    assert report.articles == {"new": 1}
    assert [(edge.a, edge.kind) for edge in edges_of(index, "a.example/1")] == [
        (article_id_of("b.example/2"), "excerpt")
    ]


def test_a_short_text_is_compared_with_nothing(index):
    decide(index, "b1", {"a.example/1": story(1, words=59)})

    assert decide(index, "b2", {"b.example/2": story(1, words=59, changed=1)}).articles == {"new": 1}


def test_near_duplicates_of_one_batch_see_each_other(index):
    report = decide(index, "b1", {"a.example/1": story(1), "b.example/2": story(1, changed=2)})

    assert report.articles == {"new": 1, "near_duplicate": 1}


@pytest.mark.parametrize(("days", "novelty"), [(13, "near_duplicate"), (15, "new"), (40, "new")])
def test_stories_far_apart_in_time_are_two(index, days, novelty):
    early = NOW - timedelta(days=days)
    decide(index, "b1", {"a.example/1": page(story(1), published_at=early)})

    report = decide(index, "b2", {"b.example/2": page(story(1, changed=2), published_at=NOW)})

    assert report.articles == {novelty: 1}


def test_of_one_batch_the_earliest_represents_whatever_their_order(index):
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


def test_an_earlier_article_that_comes_late_represents_its_cluster(index):
    decide(index, "b1", {"a.example/1": page(story(1), published_at=NOW - timedelta(hours=1))})
    decide(index, "b2", {"b.example/2": page(story(1, changed=2), published_at=NOW - timedelta(hours=9))})

    later, earlier = known(index, "a.example/1"), known(index, "b.example/2")

    assert (later.cluster_id, later.is_representative, earlier.is_representative) == (earlier.cluster_id, False, True)


def test_a_text_between_two_clusters_makes_them_one(index):
    words = story(1, words=300).split()
    decide(index, "b1", {"a.example/1": " ".join(words[:160])})
    decide(index, "b2", {"b.example/2": " ".join(words[140:])})
    decide(index, "b3", {"c.example/3": " ".join(words[30:270])})

    clusters = {known(index, key).cluster_id for key in ("a.example/1", "b.example/2", "c.example/3")}

    assert len(clusters) == 1
    assert [known(index, key).is_representative for key in ("a.example/1", "b.example/2", "c.example/3")].count(
        True
    ) == 1


def test_a_revision_is_found_by_its_new_text_and_no_longer_by_its_old(index):
    decide(index, "b1", {"a.example/1": story(1)})
    decide(index, "b2", {"a.example/1": story(2)})

    report = decide(index, "b3", {"b.example/2": story(1, changed=2), "c.example/3": story(2, changed=2)})

    assert report.articles == {"new": 1, "near_duplicate": 1}


def test_a_revision_keeps_its_cluster_and_is_no_copy_of_its_copies(index):
    decide(index, "b1", {"a.example/1": story(1)})
    decide(index, "b2", {"b.example/2": story(1, changed=2)}, now=NOW + timedelta(minutes=5))
    decide(index, "b3", {"a.example/1": story(1, changed=5)}, now=NOW + timedelta(minutes=9))

    revised = published(index)[-1]

    assert (revised.novelty, revised.duplicate_of, revised.is_representative) == (Novelty.REVISION, None, True)
    assert known(index, "b.example/2").cluster_id == revised.cluster_id


def test_a_live_blog_is_one_article_whose_postings_do_not_pile_up(index):
    for number in range(5):
        decide(index, f"b{number}", {"a.example/live": story(1, words=150 + 40 * number)})

    with index.read() as tx:
        shape = postings.read_surroundings(tx, [])
        held = tx.exec_driver_sql("SELECT count(*), count(DISTINCT hash), count(DISTINCT number) FROM postings").one()

    assert [row.revision for row in published(index)] == [1, 2, 3, 4, 5]
    assert (shape.shapes, held[0], held[2]) == ({}, held[1], 1)


def test_texts_without_words_are_nobodys_copies(index):
    report = decide(index, "b1", {"a.example/1": "", "b.example/2": "", "c.example/3": "…"})

    assert report.articles == {"new": 3}


def test_what_a_site_says_on_every_page_makes_no_story(index):
    notice = story(99, words=100)
    decide(index, "b1", {f"a.example/{number}": f"{story(number, words=200)} {notice}" for number in range(4)})

    report = decide(
        index, "b2", {f"a.example/short{number}": f"{story(50 + number, words=60)} {notice}" for number in range(2)}
    )

    assert report.articles == {"new": 2}


def test_a_copy_elsewhere_is_found_whatever_its_site_says_on_every_page(index):
    notice = story(99, words=150)
    decide(index, "b1", {f"a.example/{number}": f"{story(number, words=200)} {notice}" for number in range(4)})

    report = decide(index, "b2", {"b.example/1": story(1, words=200), "c.example/9": story(9, words=100)})

    assert report.articles == {"near_duplicate": 1, "new": 1}


def test_a_wording_that_hundreds_have_is_not_looked_for(index, monkeypatch):
    monkeypatch.setattr(postings, "HOT", 3)
    decide(index, "b1", {f"a.example/{number}": story(1) for number in range(4)})

    assert decide(index, "b2", {"b.example/9": story(1, extra="and so on")}).articles == {"new": 1}


# Other URLs of one article


def test_an_amp_page_with_an_equal_text_is_another_url_of_its_article(index):
    decide(index, "b1", {"example.com/1": story(1)})
    report = decide(index, "b2", {"example.com/1/amp": page(story(1), canonical_url="https://example.com/1")})

    assert (report.articles, captured(index)[-1].article_id) == ({"unchanged": 1}, article_id_of("example.com/1"))


def test_the_canonical_url_may_come_after_the_page_that_names_it(index):
    decide(index, "b1", {"m.example.com/1": page(story(1), canonical_url="https://example.com/1")})
    report = decide(index, "b2", {"example.com/1": story(1)})

    assert (report.articles, captured(index)[-1].article_id) == ({"unchanged": 1}, article_id_of("m.example.com/1"))


def test_a_page_takes_nothing_over_by_calling_itself_another(index):
    decide(index, "b1", {"example.com/1": story(1)})
    report = decide(index, "b2", {"example.com/2": page(story(2), canonical_url="https://example.com/1")})

    assert report.articles == {"new": 1}
    assert known(index, "example.com/1").text_digest != known(index, "example.com/2").text_digest


def test_a_page_that_another_claimed_first_is_an_article_of_its_own(index):
    decide(index, "b1", {"example.com/2": page(story(2), canonical_url="https://example.com/1")})
    report = decide(index, "b2", {"example.com/1": story(1)})

    assert report.articles == {"new": 1}
    assert known(index, "example.com/1").article_id == article_id_of("example.com/1")


def test_an_alias_whose_text_changes_alone_becomes_an_article(index):
    decide(index, "b1", {"example.com/1": story(1)})
    decide(index, "b2", {"example.com/1/amp": page(story(1), canonical_url="https://example.com/1")})
    report = decide(index, "b3", {"example.com/1/amp": page(story(3), canonical_url="https://example.com/1")})

    assert report.articles == {"new": 1}


@pytest.mark.parametrize(
    ("canonical", "novelty"),
    [("https://example.com/", "duplicate"), ("https://example.org/1", "duplicate"), ("nonsense", "duplicate")],
)
def test_a_canonical_url_elsewhere_is_no_identity(index, canonical, novelty):
    decide(index, "b1", {"example.org/1": story(1), "example.com/": story(4)})
    report = decide(index, "b2", {"example.com/1": page(story(1), canonical_url=canonical)})

    assert report.articles == {novelty: 1}


def test_a_redirect_within_a_site_names_the_article(index):
    decide(index, "b1", {"example.com/go/1": story(1)}, final={"example.com/go/1": "https://www.example.com/1"})
    report = decide(index, "b2", {"example.com/1": story(1)})

    assert report.articles == {"unchanged": 1}


def test_a_redirect_from_elsewhere_takes_nothing_over(index):
    decide(index, "b1", {"short.example/x": story(1)}, final={"short.example/x": "https://example.com/1"})
    report = decide(index, "b2", {"example.com/1": story(1)})

    assert report.articles == {"duplicate": 1}


def test_a_copy_that_says_whose_it_is_has_an_edge_to_it(index):
    decide(index, "b1", {"example.org/1": page(story(1), syndicated_from="https://example.com/1")})

    assert [(edge.a, edge.b, edge.kind) for edge in edges_of(index, "example.com/1")] == [
        (article_id_of("example.org/1"), article_id_of("example.com/1"), "syndicated")
    ]


# When it is looked at again


@pytest.mark.parametrize(
    ("published_at", "wait"),
    [(None, timedelta(hours=1)), (NOW - timedelta(days=3), timedelta(hours=1)), (NOW - timedelta(days=30), None)],
)
def test_a_young_article_is_looked_at_again(index, published_at, wait):
    decide(index, "b1", {"a.example/1": page(story(1), published_at=published_at)})

    with index.read() as tx:
        due_at = tx.execute(frontier.frontier.select()).mappings().one()["due_at"]

    assert due_at == (None if wait is None else NOW + wait)


def test_what_is_looked_at_again_later_is_not_pending(index):
    decide(index, "b1", {"a.example/1": story(1)})

    with index.read() as tx:
        assert frontier.count_pending(tx, Selection()) == 0
