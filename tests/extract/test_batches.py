"""Batches from a real segment: the outcome of each page, and of a damaged segment."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from tasks.config.options import NO_OPTIONS, ExtractOptions
from tasks.errors import (
    DETAIL_LENGTH,
    CorruptRecord,
    ExtractorCrashed,
    ItemError,
    LakeUnavailable,
    TooManyUnexpected,
    UnexpectedError,
)
from tasks.extract.extraction import extract_batch
from tasks.extract.page import extract_page
from tasks.extract.pool import ExtractorPool
from tasks.extract.stored_page import ExtractConfig
from tasks.lake.objects.stores import MissingObject
from tasks.reasons import Disposition
from tasks.values.batch import Batch
from tasks.values.rows import Capture, Outcome
from tests.extract.reading import PAGES, page
from tests.extract.stored import CONFIG, KEY, segment_of
from tests.looks import captured, dispositions_of, pages_of
from tests.rows import make_capture

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
SITE = "https://www.portcourier.example"
STORY, FRONT, CONSENT, BROKEN = f"{SITE}/a", f"{SITE}/front", f"{SITE}/consent", f"{SITE}/broken"
CONTENT, RECORDS = segment_of({
    STORY: page().encode(),
    FRONT: (PAGES / "front_fr.html").read_bytes(),
    CONSENT: (PAGES / "consent_de.html").read_bytes(),
    BROKEN: page().encode(),
})  # fmt: skip
STARTS = {url: CONTENT.index(one.record) for url, one in RECORDS.items()}


class HerePool:
    """An extractor in this process; `fails` maps capture ids to errors."""

    def __init__(self, fails=()):
        self.fails, self.asked, self.named = dict(fails), [], []

    def extract(self, pages):
        for url, one in pages:
            self.asked.append(one)
            self.named.append(url)
            yield one.capture_id, self.fails.get(one.capture_id) or self._read(one)

    def _read(self, one):
        try:
            return extract_page(one, ExtractConfig())
        except ItemError as error:
            return error


def capture(url: str, **changes) -> Capture:
    place = {"warc_offset": STARTS.get(url), "warc_length": len(RECORDS[url].record) if url in RECORDS else None}
    return make_capture(
        capture_id=url, url=url, final_url=url, url_key=url, novelty=None, article_id=None, revision=None, warc_key=KEY,
        **(place | changes),
    )  # fmt: skip


def extract(*captures, pool=None, read_segment=lambda key: CONTENT, dispositions=(), seen=None, options=None):
    looks = [captured(one, disposition=dict(dispositions).get(one.url_key)) for one in captures]
    fetched = Batch(batch_id="b1", run_id="r1", looks=tuple(looks))
    tick = (lambda: None) if seen is None else (lambda: seen.append(1))
    return extract_batch(
        fetched, pool=pool or HerePool(), read_segment=read_segment, now=NOW, extracted_one=tick, options=options
    )


def test_a_story_gets_a_page_and_keeps_its_capture():
    done = extract(capture(STORY))

    assert done.captures == (capture(STORY),)
    assert pages_of(done)[STORY].title == "Harbour reopens"
    assert done.looks[0].extracted_at == NOW


@pytest.mark.parametrize(("url", "reason"), [(FRONT, "index"), (CONSENT, "consent")])
def test_a_page_that_is_not_an_article_is_labelled_and_skipped(url, reason):
    done = extract(capture(url), capture(STORY))

    assert list(pages_of(done)) == [STORY]
    assert (done.captures[0].outcome, done.captures[0].reason) == (Outcome.SKIPPED, reason)
    assert dispositions_of(done) == {url: Disposition.SKIPPED}


def test_only_the_page_that_breaks_the_extractor_is_quarantined():
    done = extract(capture(BROKEN), capture(STORY), pool=HerePool({BROKEN: ExtractorCrashed("x" * 2000)}))

    broken = done.captures[0]
    assert (broken.outcome, broken.reason) == (Outcome.QUARANTINED, "extractor_crashed")
    assert len(broken.detail) == DETAIL_LENGTH
    assert dispositions_of(done) == {BROKEN: Disposition.QUARANTINED}
    assert list(pages_of(done)) == [STORY]


def test_only_the_page_that_raises_is_quarantined_with_its_traceback():
    done = extract(
        capture(BROKEN),
        capture(STORY),
        pool=HerePool({BROKEN: UnexpectedError("TypeError", trace="tasks/a.py:3 in b")}),
    )

    broken = done.captures[0]
    assert (broken.outcome, broken.reason) == (Outcome.QUARANTINED, "unexpected_error")
    assert broken.detail == "TypeError\ntasks/a.py:3 in b"
    assert list(pages_of(done)) == [STORY]


def test_a_batch_fails_with_the_first_traceback_if_most_pages_raise():
    captures = [replace(capture(STORY), capture_id=str(number)) for number in range(8)]
    fails = {str(number): UnexpectedError(f"no. {number}", trace="tasks/a.py:3 in b") for number in range(7)}

    with pytest.raises(
        TooManyUnexpected, match=r"7 of 8 pages raised an exception; the first: no\. 0\ntasks/a\.py:3 in b"
    ):
        extract(*captures, pool=HerePool(fails))


def test_captures_without_a_page_are_not_extracted():
    pool = HerePool()
    failed = capture(FRONT, outcome=Outcome.FAILED, reason="http_404")
    unchanged = capture(CONSENT, outcome=Outcome.NOT_MODIFIED)

    done = extract(failed, unchanged, pool=pool, dispositions={FRONT: Disposition.DROPPED})

    assert (pool.asked, pages_of(done)) == ([], {})
    assert done.captures == (failed, unchanged)
    assert dispositions_of(done) == {FRONT: Disposition.DROPPED}


def test_a_segment_is_read_once_for_all_its_pages():
    read = []
    extract(capture(STORY), capture(FRONT), capture(BROKEN), read_segment=lambda key: read.append(key) or CONTENT)

    assert read == [KEY]


def test_every_extracted_page_is_counted():
    seen = []
    extract(capture(STORY), capture(FRONT), seen=seen)

    assert len(seen) == 2


def test_a_page_is_identified_by_its_final_url():
    pool = HerePool()
    extract(replace(capture(STORY), url=f"{SITE}/short"), pool=pool)

    assert pool.named == [STORY]


def test_a_page_is_extracted_with_its_sources_options():
    pool, options = HerePool(), ExtractOptions(title="//h6")
    extract(
        capture(STORY, source_id="daily"), capture(BROKEN, source_id="weekly"), pool=pool, options={"weekly": options}
    )

    assert [one.options for one in pool.asked] == [NO_OPTIONS, options]


def test_options_reach_the_workers():
    options = {"daily": ExtractOptions(text="//h1/following-sibling::p[1]")}
    with ExtractorPool(CONFIG) as pool:
        done = extract(
            capture(STORY, source_id="daily"), capture(BROKEN, source_id="weekly"), pool=pool, options=options
        )

    assert [pages_of(done)[url].text.count("\n") for url in (STORY, BROKEN)] == [0, 4]


def test_a_missing_segment_raises_lake_unavailable():
    def missing(key):
        raise MissingObject(key)

    with pytest.raises(LakeUnavailable, match=KEY):
        extract(capture(STORY), read_segment=missing)


def test_a_damaged_record_stops_the_batch():
    with pytest.raises(CorruptRecord):
        extract(capture(STORY, warc_length=100), capture(FRONT))
