"""Batches with prepared pages, and the effect of rights on them."""

from datetime import UTC, datetime

import pytest

from tasks.extract.extraction import extract_batch
from tasks.reasons import Disposition
from tasks.values.batch import Batch
from tasks.values.rights import TDMREP, Obedience
from tasks.values.rows import Outcome, PageType, Signal
from tests.deduplicate.pages import page
from tests.looks import captured, dispositions_of, pages_of
from tests.rows import make_capture

NOW = datetime(2026, 3, 1, tzinfo=UTC)


class Table:
    """A fake pool that returns the prepared page for every capture."""

    def __init__(self, page):
        self._page = page

    def extract(self, pages):
        return ((stored.capture_id, self._page) for _, stored in pages)


def extracted(made, **reservations):
    said = reservations.get("a")
    file = (
        Signal(signal=TDMREP, scope="/", value=f"tdm-reservation={said:d}", raw="", policy_id="p")
        if said in {0, 1}
        else None
    )
    obeyed = Obedience(obeys_tdm="a" in reservations)
    look = captured(make_capture(url_key="a"), obeyed=obeyed, rights=tuple(filter(None, [file])))
    fetched = Batch(batch_id="b1", run_id="r1", looks=(look,))
    return extract_batch(fetched, pool=Table(made), read_segment=lambda _: b"", now=NOW, extracted_one=lambda: None)


def outcomes_of(batch):
    return batch.captures[0].outcome, batch.captures[0].reason, dispositions_of(batch)


RESERVED = (Outcome.SKIPPED, "tdm_reserved", {"a": Disposition.SKIPPED})


@pytest.mark.parametrize(("by_page", "by_site"), [(True, None), (True, False), (None, True)])
def test_a_reserved_page_of_an_obeying_source_is_not_stored_as_an_article(by_page, by_site):
    batch = extracted(page("Harbour.", tdm_reserved=by_page), a=by_site)

    assert (outcomes_of(batch), pages_of(batch)) == (RESERVED, {})


@pytest.mark.parametrize(("by_page", "by_site"), [(None, None), (None, False), (False, True)])
def test_the_pages_reservation_takes_precedence_over_the_sites(by_page, by_site):
    batch = extracted(page("Harbour.", tdm_reserved=by_page), a=by_site)

    assert outcomes_of(batch) == (Outcome.OK, None, {})
    assert pages_of(batch)["c1"].tdm_reserved is (by_site if by_page is None else by_page)


def test_reservations_that_are_not_obeyed_are_recorded():
    batch = extracted(page("Harbour.", tdm_reserved=True))

    assert pages_of(batch)["c1"].tdm_reserved is True


def test_a_page_that_is_not_an_article_keeps_its_label():
    batch = extracted(page("", page_type=PageType.CONSENT, tdm_reserved=True), a=None)

    assert outcomes_of(batch)[1] == "consent"
