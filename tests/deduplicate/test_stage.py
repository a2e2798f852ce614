"""The stage over a real index: pages in, decisions and frontier rows out."""

from datetime import UTC, datetime

import pytest

from tasks.deduplicate.stage import decide_batch
from tasks.errors import Disposition
from tasks.index import frontier, outbox
from tasks.index.database import open_index
from tasks.index.frontier import Announcement, Selection
from tasks.models import Batch, DueUrl, ExtractedBatch, FetchedBatch, Novelty, Outcome, Page, PageType
from tests.rows import make_capture

NOW = datetime(2026, 3, 1, 12, 30, tzinfo=UTC)


@pytest.fixture
def index(tmp_path):
    with open_index(f"sqlite:///{tmp_path / 'index.db'}") as opened:
        yield opened


def page(text, **changes):
    values = {
        "page_type": PageType.ARTICLE, "title": "Harbour", "text": text, "lede": None, "authors": (), "published_at": None,
        "modified_at": None, "language": "en", "section": None, "tags": (), "image_url": None, "canonical_url": None,
        "paywalled": None, "tdm_reserved": None, "word_count": len(text.split()), "charset": "utf-8", "extractor": "test",
    }  # fmt: skip
    return Page(**(values | changes))


def decide(index, batch_id, looks, *, deferred=()):
    """Announce, claim and decide; `looks` maps a URL key to its page's text, or to (outcome, disposition)."""
    announcements = [
        Announcement(url=f"https://{key}", url_key=key, host="a.example", source_id="a", announced_by="f")
        for key in [*looks, *deferred]
    ]
    with index.write() as tx:
        frontier.announce(tx, announcements, now=NOW)
        frontier.recall(tx, Selection(url_keys=frozenset(looks)), now=NOW)
        due = frontier.claim(
            tx, Selection(), owner="r1", limit=99, lease_s=300, host_budget_s=120, crawl_delays_s={}, now=NOW
        )
    by_key = {one.url_key: one for one in due}
    captures, pages, dispositions = [], {}, {}
    for key, look in looks.items():
        outcome, disposition = (Outcome.OK, None) if isinstance(look, str) else look
        capture = make_capture(
            capture_id=f"{batch_id}{key}", url=f"https://{key}", final_url=f"https://{key}", url_key=key, outcome=outcome,
            novelty=None, article_id=None, revision=None, reason=None if disposition is None else "reason",
        )  # fmt: skip
        captures.append(capture)
        if isinstance(look, str):
            pages[capture.capture_id] = page(look)
        if disposition:
            dispositions[key] = disposition
    batch = Batch(batch_id=batch_id, run_id="r1", urls=tuple(by_key.values()) or tuple(_due(key) for key in looks))
    fetched = FetchedBatch(
        batch=batch, captures=tuple(captures), dispositions=dispositions, deferred=dict.fromkeys(deferred, NOW)
    )
    extracted = ExtractedBatch(
        fetched=fetched, captures=tuple(captures), pages=pages, dispositions=dispositions, extracted_at=NOW
    )
    return decide_batch(extracted, index=index, now=NOW)


def _due(key):
    return DueUrl(url=f"https://{key}", url_key=key, host="a.example", source_id="a", attempt=1)


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
