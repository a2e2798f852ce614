"""Aliases: other URLs of an article, and pages that claim to be one."""

from dataclasses import replace

import pytest

from tasks.index.articles import article_id_of
from tasks.index.history import find_names
from tests.deduplicate.deciding import captured, decide, edges_of, known, published
from tests.deduplicate.pages import page, story


def test_an_amp_page_with_equal_text_is_an_alias(index):
    decide(index, "b1", {"example.com/1": story(1)})
    report = decide(index, "b2", {"example.com/1/amp": page(story(1), canonical_url="https://example.com/1")})

    assert (report.articles, captured(index)[-1].article_id) == ({"unchanged": 1}, article_id_of("example.com/1"))


def test_the_canonical_url_may_be_fetched_after_the_page_that_names_it(index):
    decide(index, "b1", {"m.example.com/1": page(story(1), canonical_url="https://example.com/1")})
    report = decide(index, "b2", {"example.com/1": story(1)})

    assert (report.articles, captured(index)[-1].article_id) == ({"unchanged": 1}, article_id_of("m.example.com/1"))


def test_a_page_cannot_take_over_an_article_by_its_canonical_url(index):
    decide(index, "b1", {"example.com/1": story(1)})
    report = decide(index, "b2", {"example.com/2": page(story(2), canonical_url="https://example.com/1")})

    assert report.articles == {"new": 1}
    assert known(index, "example.com/1").text_digest != known(index, "example.com/2").text_digest


def test_a_page_claimed_by_another_is_its_own_article(index):
    decide(index, "b1", {"example.com/2": page(story(2), canonical_url="https://example.com/1")})
    report = decide(index, "b2", {"example.com/1": story(1)})

    assert report.articles == {"new": 1}
    assert known(index, "example.com/1").article_id == article_id_of("example.com/1")


def test_an_alias_becomes_an_article_if_only_its_text_changes(index):
    decide(index, "b1", {"example.com/1": story(1)})
    decide(index, "b2", {"example.com/1/amp": page(story(1), canonical_url="https://example.com/1")})
    report = decide(index, "b3", {"example.com/1/amp": page(story(3), canonical_url="https://example.com/1")})

    assert report.articles == {"new": 1}


@pytest.mark.parametrize(
    ("canonical", "novelty"),
    [("https://example.com/", "duplicate"), ("https://example.org/1", "duplicate"), ("nonsense", "duplicate")],
)
def test_a_canonical_url_on_another_domain_is_no_identity(index, canonical, novelty):
    decide(index, "b1", {"example.org/1": story(1), "example.com/": story(4)})
    report = decide(index, "b2", {"example.com/1": page(story(1), canonical_url=canonical)})

    assert report.articles == {novelty: 1}


def test_a_redirect_within_a_site_makes_an_alias(index):
    decide(index, "b1", {"example.com/go/1": story(1)}, final={"example.com/go/1": "https://www.example.com/1"})
    report = decide(index, "b2", {"example.com/1": story(1)})

    assert report.articles == {"unchanged": 1}


def test_a_redirect_from_another_site_makes_no_alias(index):
    decide(index, "b1", {"short.example/x": story(1)}, final={"short.example/x": "https://example.com/1"})
    report = decide(index, "b2", {"example.com/1": story(1)})

    assert report.articles == {"duplicate": 1}


def test_a_copy_that_names_its_original_has_an_edge_to_it(index):
    decide(index, "b1", {"example.org/1": page(story(1), syndicated_from="https://example.com/1")})

    assert [(edge.a, edge.b, edge.kind) for edge in edges_of(index, "example.com/1")] == [
        (article_id_of("example.org/1"), article_id_of("example.com/1"), "syndicated")
    ]


def test_same_site_redirect_hops_are_aliases(index):
    hops = {"example.com/go/1": ("https://example.com/moved/1", "https://tracker.example/x")}
    decide(
        index, "b1", {"example.com/go/1": story(1)}, final={"example.com/go/1": "https://example.com/1"}, hops=hops
    )  # fmt: skip

    assert names_of(index, "example.com/go/1") == [
        ("example.com/1", "redirect"), ("example.com/moved/1", "redirect"), ("tracker.example/x", "elsewhere"),
    ]  # fmt: skip
    assert decide(index, "b2", {"example.com/moved/1": story(1)}).articles == {"unchanged": 1}
    assert decide(index, "b3", {"tracker.example/x": story(1)}).articles == {"duplicate": 1}


def test_redirect_hops_on_other_sites_are_no_aliases(index):
    decide(index, "b1", {"m.example.com/1": page(story(1), canonical_url="https://example.com/1")})
    decide(
        index, "b2", {"other.example/2": story(2)}, hops={"other.example/2": ("https://example.com/1",)}
    )  # fmt: skip

    assert names_of(index, "m.example.com/1") == [("example.com/1", "canonical")]


def test_syndicated_from_is_stored_in_the_row(index):
    decide(index, "b1", {"example.org/1": page(story(1), syndicated_from="https://example.com/1")})

    assert [row.syndicated_from for row in published(index)] == ["https://example.com/1"]


def names_of(index, key):
    with index.read() as tx:
        return [(row["url_key"], row["how"]) for row in find_names(tx, key)]


# Links with a token that changes


STORY, LONG = "https://example.com/2026/ferry", story(1)
CORRECTED = f"{LONG} Corrected on Friday"


@pytest.mark.parametrize(
    ("first", "second"), [("example.com/2026/ferry?visit=1", "example.com/2026/ferry?visit=2"), ("example.com/r/1/ferry", "example.com/r/2/ferry")]
)  # fmt: skip
@pytest.mark.parametrize(
    ("one", "other", "changes"),
    [
        (page(LONG), page(CORRECTED), ("words",)),
        (page(LONG), page(LONG, title="Harbour closes"), ("title",)),
        (page("The ferry is late."), page("The ferry is very late."), ("words",)),
    ],
)
def test_a_correction_behind_a_changing_link_is_a_revision(index, first, second, one, other, changes):
    decide(index, "b1", {first: replace(one, canonical_url=STORY)})
    report = decide(index, "b2", {second: replace(other, canonical_url=STORY)})

    assert report.articles == {"revision": 1}
    assert [(row.article_id, row.url_key, row.revision, row.changes) for row in published(index)] == [
        (article_id_of(first), first, 1, None),
        (article_id_of(first), first, 2, changes),
    ]


def test_a_correction_behind_a_changing_redirect_is_a_revision(index):
    for number, text in ((1, LONG), (2, CORRECTED), (3, CORRECTED), (4, LONG)):
        key = f"example.com/click/{number}"
        decide(index, f"b{number}", {key: text}, final={key: STORY})

    assert [(one.novelty, one.revision) for one in captured(index)] == [
        ("new", 1),
        ("revision", 2),
        ("unchanged", 2),
        ("unchanged", 1),
    ]


def test_later_fetches_through_the_link_are_of_the_same_article(index):
    for number, text in ((1, LONG), (2, CORRECTED)):
        decide(index, f"b{number}", {f"example.com/2026/ferry?visit={number}": page(text, canonical_url=STORY)})

    report = decide(index, "b3", {"example.com/2026/ferry?visit=1": page(CORRECTED, canonical_url=STORY)})

    assert report.articles == {"unchanged": 1}
    assert known(index, "example.com/2026/ferry?visit=1").revision == 2


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (page(story(1)), page(story(2))),
        (page("The ferry is late."), page("The bank is shut.", title="Bank shut")),
        (page(story(1)), page(f"{story(1, words=20)} {story(2)}")),
    ],
)
def test_one_canonical_url_for_all_pages_makes_no_revisions(index, one, other):
    careless = "https://example.com/article.php"
    decide(index, "b1", {"example.com/article.php?id=1": replace(one, canonical_url=careless)})

    report = decide(index, "b2", {"example.com/article.php?id=2": replace(other, canonical_url=careless)})

    assert report.articles == {"new": 1}


def test_a_mobile_page_with_different_words_is_no_correction(index):
    decide(index, "b1", {"example.com/2026/ferry": page(LONG)})

    report = decide(index, "b2", {"example.com/amp/2026/ferry": page(CORRECTED, canonical_url=STORY)})

    assert report.articles == {"near_duplicate": 1}
