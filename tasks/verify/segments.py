"""Read every WARC segment once: each row's record must be at its offset, with its digest, and the rest must be whole."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import groupby
from operator import itemgetter

from tasks.errors import CorruptRecord, ItemError
from tasks.lake.objects.stores import MissingObject, ObjectStore
from tasks.lake.records import Record, iter_records, read_response
from tasks.politeness.rights.documents import body_digest, decoded_document
from tasks.values.display import plural
from tasks.values.rows import Outcome
from tasks.values.takedown import KeptOut
from tasks.verify.fault import Fault, FaultKind
from tasks.verify.snapshot import Snapshot

REVISIT = "revisit"
POLICY = "policy"

# the rows of an article and of its capture name the same record: together they are one claim
_CLAIMS = """
SELECT warc_key, warc_offset, warc_length, payload_digest, outcome, 'capture ' || capture_id
    FROM capture WHERE warc_key IS NOT NULL
UNION ALL
SELECT warc_key, warc_offset, warc_length, payload_digest, 'ok', 'article ' || article_id || ', revision ' || revision
    FROM revision
UNION ALL
SELECT warc_key, warc_offset, warc_length, body_digest, 'policy', 'policy ' || policy_id FROM policy
ORDER BY 1, 2
"""
_UNCLAIMED = """
SELECT key FROM object WHERE key LIKE 'warc/%'
    AND key NOT IN (SELECT warc_key FROM capture WHERE warc_key IS NOT NULL UNION SELECT warc_key FROM revision
        UNION SELECT warc_key FROM policy)
    ORDER BY key
"""
SEGMENTS = "SELECT count(*) FROM object WHERE key LIKE 'warc/%'"


@dataclass(frozen=True, slots=True)
class Claim:
    """A row's claim about a record."""

    offset: int
    length: int
    payload_digest: str | None
    outcome: str
    row: str

    @property
    def range(self) -> str:
        """Its range of bytes, for messages."""
        return f"{self.offset}+{self.length}"

    @property
    def is_of_capture(self) -> bool:
        """Whether a row of captures makes it; an article's row claims the record of its capture again."""
        return self.row.startswith("capture ")


@dataclass(frozen=True, slots=True)
class _FoundRecord:
    length: int
    kind: str
    payload_digest: str | None
    tombstone: str | None
    is_taken: bool = False


def check_segments(
    store: ObjectStore,
    snapshot: Snapshot,
    *,
    is_sampled: Callable[[str], bool],
    gone: Counter[str],
    kept_out: KeptOut,
    on_step: Callable[[int, int], None],
) -> Iterator[Fault]:
    """Yield the faults of the records that rows name, and of the rest of their segments.

    Rows whose record is a tombstone are not faults; they are counted in `gone` by cause.
    """
    total = snapshot.count(SEGMENTS)
    for number, (key, rows) in enumerate(groupby(snapshot.ask(_CLAIMS), key=itemgetter(0)), 1):
        claims = [Claim(*row[1:]) for row in rows]
        if is_sampled(key):
            on_step(number, max(number, total))
            yield from _check_segment(store, key, claims, gone, kept_out)


def find_unclaimed(snapshot: Snapshot) -> Iterator[str]:
    """Yield the keys of the segments that no row names."""
    return (key for (key,) in snapshot.ask(_UNCLAIMED))


def _check_segment(
    store: ObjectStore, key: str, claims: list[Claim], gone: Counter[str], kept_out: KeptOut
) -> Iterator[Fault]:
    try:
        segment = store.get(key)
    except MissingObject:
        rows = ", ".join(claim.row for claim in claims[:3])
        detail = f"{plural(len(claims), 'row names', 'rows name')} it, but it is missing: {rows}{' ...' if len(claims) > 3 else ''}"
        yield Fault(kind=FaultKind.MISSING_SEGMENT, place=key, detail=detail, key=key)
        return
    records, trouble = _scan(segment, kept_out)
    if taken := sum(one.is_taken for one in records.values()):
        detail = f"{taken} of its records were taken down"
        yield Fault(kind=FaultKind.TAKEN_DOWN, place=key, detail=detail, key=key)
    is_reported = False
    for claim in claims:
        try:
            found = records.get(claim.offset)
            if found is None or found.length != claim.length:
                found = _read(segment, claim)
            if claim.outcome == POLICY and found.tombstone is None:
                found = replace(found, payload_digest=_digest_as_read(segment, claim))
        except CorruptRecord as error:
            is_reported = True
            place = f"{key}:{claim.range}"
            yield Fault(kind=FaultKind.DAMAGED_RECORD, place=place, detail=f"{claim.row}: {error}", key=key)
            continue
        if found.tombstone:
            gone[found.tombstone] += claim.is_of_capture
        elif disagreement := _disagreement(claim, found):
            kind = FaultKind.WRONG_PAYLOAD_DIGEST
            yield Fault(kind=kind, place=f"{key}:{claim.range}", detail=f"{claim.row}: {disagreement}", key=key)
    if trouble and not is_reported:
        yield Fault(
            kind=FaultKind.DAMAGED_SEGMENT, place=key, detail=f"outside the records that rows name: {trouble}", key=key
        )


def _digest_as_read(segment: bytes, claim: Claim) -> str:
    """Return the digest of a document's body without its content coding, which is what was read."""
    response = read_response(segment, claim.offset, claim.length)
    coding = ", ".join(value for name, value in response.headers if name == "content-encoding")
    try:
        return body_digest(decoded_document(response.body, coding))
    except ItemError as error:
        raise CorruptRecord(str(error)) from error


def _scan(segment: bytes, kept_out: KeptOut) -> tuple[dict[int, _FoundRecord], str | None]:
    """Read the whole segment, up to the first damage; only digests stay in memory."""
    records: dict[int, _FoundRecord] = {}
    try:
        for record in iter_records(segment):
            records[record.offset] = replace(_found(record), is_taken=kept_out.has_url(record.url or ""))
    except CorruptRecord as error:
        return records, str(error)
    return records, None


def _read(segment: bytes, claim: Claim) -> _FoundRecord:
    records = list(iter_records(segment[claim.offset : claim.offset + claim.length]))
    if len(records) != 1:
        raise CorruptRecord("there is no record")
    return _found(records[0])


def _found(record: Record) -> _FoundRecord:
    digest = record.response.payload_digest if record.response else None
    return _FoundRecord(record.length, record.kind, digest, record.tombstone)


def _disagreement(claim: Claim, found: _FoundRecord) -> str | None:
    if found.kind == REVISIT and claim.outcome != Outcome.OK:
        return None
    if found.payload_digest is None:
        return f"there is a {found.kind} record"
    if claim.outcome == Outcome.NOT_MODIFIED:
        return f"there is a {found.kind} record, but the row says that nothing changed"
    if found.payload_digest != claim.payload_digest:
        return f"the record's payload has {found.payload_digest}, the row says {claim.payload_digest}"
    return None
