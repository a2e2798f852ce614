"""Pages whose decision meets an exception that is not ours: found, and put into quarantine before the batch is decided."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from tasks.deduplicate.prepared_page import PreparedPage, read_page
from tasks.errors import ItemError, TooManyUnexpected, UnexpectedError
from tasks.reasons import Disposition
from tasks.runtime.guarding import check_share, guarded_item, store_rows
from tasks.values.batch import ExtractedBatch
from tasks.values.rows import Capture, Outcome


def read_pages(extracted: ExtractedBatch) -> tuple[ExtractedBatch, dict[str, PreparedPage]]:
    """Return the batch and its pages, read, by capture_id; those that cannot be read are in quarantine."""
    announced_at = {one.url_key: one.announced_at for one in extracted.fetched.batch.urls}
    prepared_pages: dict[str, PreparedPage] = {}
    unexpected: dict[str, UnexpectedError] = {}
    for capture in extracted.captures:
        if capture.capture_id in extracted.pages:
            try:
                with guarded_item(capture.url):
                    page = read_page(extracted, capture, announced_at=announced_at[capture.url_key])
                prepared_pages[capture.capture_id] = page
            except UnexpectedError as error:
                unexpected[capture.capture_id] = error
    return _quarantined(extracted, unexpected), prepared_pages


def without_culprits(
    extracted: ExtractedBatch, error: ItemError, rehearse: Callable[[ExtractedBatch], None]
) -> ExtractedBatch:
    """Return the batch with those captures in quarantine that alone meet an exception, after all together met `error`.

    `rehearse` decides a part of the batch and takes it all back. Raises TooManyUnexpected, also where no capture alone is
    to blame.
    """

    def rehearse_part(captures: Sequence[Capture]) -> None:
        rehearse(replace(extracted, captures=tuple(captures)))

    found = store_rows(extracted.captures, rehearse_part)
    if not found:
        batch_id = extracted.fetched.batch.batch_id
        raise TooManyUnexpected(f"batch {batch_id}, and no part of it, met an exception: {error.detail}") from error
    return _quarantined(extracted, {capture.capture_id: met for capture, met in found})


def _quarantined(extracted: ExtractedBatch, unexpected: Mapping[str, UnexpectedError]) -> ExtractedBatch:
    if not unexpected:
        return extracted
    check_share(tuple(unexpected.values()), of=len(extracted.captures), what="captures")
    keys = {one.url_key for one in extracted.captures if one.capture_id in unexpected}
    return replace(
        extracted,
        captures=tuple(_labelled(one, unexpected.get(one.capture_id)) for one in extracted.captures),
        pages={capture_id: page for capture_id, page in extracted.pages.items() if capture_id not in unexpected},
        dispositions={**extracted.dispositions, **dict.fromkeys(keys, Disposition.QUARANTINED)},
    )


def _labelled(capture: Capture, error: UnexpectedError | None) -> Capture:
    if error is None:
        return capture
    return replace(capture, outcome=Outcome.QUARANTINED, reason=error.counted_as, detail=error.detail)
