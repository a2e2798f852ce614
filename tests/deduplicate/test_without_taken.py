"""Looks at URLs that were taken down while being fetched, or that lead to one."""

from dataclasses import replace

import pytest

from tasks.deduplicate.deciding import decide_batch
from tasks.deduplicate.looks import without_taken_down
from tasks.index import taken_down
from tasks.reasons import Disposition
from tasks.values.batch import Batch
from tasks.values.look import DueUrl, Look
from tasks.values.rows import Outcome
from tasks.values.takedown import KeptOut, Scope, Takedown, host_digest, source_digest, url_digest
from tasks.values.url import Url
from tests.deduplicate.deciding import NOW, captured, published
from tests.deduplicate.pages import page
from tests.rows import make_capture

DIGESTS = [url_digest("a.example/1"), host_digest("a.example"), source_digest("a")]


def look_at(key, *, final=None, hops=(), canonical=None, source_id="a"):
    url = f"https://{key}"
    due = DueUrl(url=Url(url), url_key=key, host="a.example", source_id=source_id, attempt=1)
    capture = make_capture(
        capture_id=key, url=url, final_url=final or url, url_key=key, source_id=source_id, fetched_at=NOW, novelty=None,
        article_id=None, revision=None,
    )  # fmt: skip
    found = replace(page("The harbour reopened on Monday."), canonical_url=canonical)
    return Look(due=due, capture=capture, page=found, extracted_at=NOW, hops=tuple(map(Url.of, hops)))


OTHER = look_at("b.example/2", source_id="b")


@pytest.mark.parametrize("digest", DIGESTS)
def test_a_look_at_a_taken_down_url_is_dropped(digest):
    assert without_taken_down([look_at("a.example/1"), OTHER], KeptOut.of([digest])) == ((OTHER,), 1)


@pytest.mark.parametrize(
    "leads",
    [
        {"final": "https://www.a.example/1"},
        {"hops": ["https://a.example/1"], "final": "https://c.example/3"},
        {"canonical": "https://a.example/1"},
    ],
)
def test_a_look_that_leads_to_a_taken_down_url_loses_its_page(leads):
    looks, taken = without_taken_down([look_at("b.example/2", source_id="b", **leads)], KeptOut.of(DIGESTS[:1]))

    (look,) = looks
    capture = look.captured
    assert (taken, look.page, look.hops, look.disposition) == (0, None, (), Disposition.SKIPPED)
    assert (capture.outcome, capture.reason, capture.final_url) == (
        Outcome.SKIPPED,
        "taken_down",
        "https://b.example/2",
    )
    assert (capture.warc_key, capture.payload_digest, capture.etag, capture.detail) == (None, None, None, None)


def test_without_takedowns_all_looks_stay():
    assert without_taken_down([look_at("a.example/1"), OTHER], KeptOut()) == ((look_at("a.example/1"), OTHER), 0)


def test_a_takedown_during_the_fetch_is_applied_when_deciding(index):
    row = Takedown(
        takedown_id="t1", scope=Scope.URL, key_digests=tuple(DIGESTS[:1]), reason=None, taken_at=NOW, articles=0,
        revisions=0, segments=0,
    )  # fmt: skip
    taken_down.agree(index, [row])
    batch = Batch(batch_id="b1", run_id="r1", looks=(look_at("a.example/1"), OTHER))

    report = decide_batch(batch, index=index, now=NOW)

    assert (report.articles, report.skipped) == ({"new": 1}, {"taken_down": 1})
    assert [row.url for row in published(index)] == ["https://b.example/2"]
    assert [row.url for row in captured(index)] == ["https://b.example/2"]
