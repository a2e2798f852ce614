"""Add policy documents to a batch's segment if the lake does not have them."""

from collections.abc import Callable, Collection, Mapping
from datetime import datetime

from tasks.errors import ItemError
from tasks.lake.warc import SegmentWriter
from tasks.politeness.rights.documents import SiteDocument
from tasks.values.rows import Policy

MeetPolicies = Callable[[Mapping[str, datetime]], Collection[str]]
"""Records when documents were seen, and returns those that the lake has."""


def record_documents(
    documents: Mapping[str, SiteDocument], segment: SegmentWriter, *, segment_key: str, meet: MeetPolicies
) -> tuple[Policy, ...]:
    """Add documents that are not in the lake yet to the segment; returns their rows."""
    known = meet({policy_id: one.answer.fetched_at for policy_id, one in documents.items()}) if documents else ()
    rows = (
        _record(one, segment, segment_key) for policy_id, one in sorted(documents.items()) if policy_id not in known
    )
    return tuple(row for row in rows if row is not None)


def _record(document: SiteDocument, segment: SegmentWriter, segment_key: str) -> Policy | None:
    evidence = document.evidence
    try:
        ref = segment.add_exchange(
            url=evidence.url,
            request_head=evidence.request_head,
            response_head=evidence.response_head,
            body=evidence.body,
            fetched_at=document.answer.fetched_at,
            address=evidence.address,
        )
    except ItemError:  # a head that a WARC record cannot hold; retried with the next batch
        return None
    return document.to_row(key=segment_key, offset=ref.offset, length=ref.length)
