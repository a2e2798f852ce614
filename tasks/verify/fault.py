"""The kinds of faults between index and lake, and the repair of each. Pure."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class FaultKind(StrEnum):
    """The kinds of faults; `MENDS` has their repairs."""

    DAMAGED_LOG = "damaged_log"
    UNPUBLISHED_BATCH = "unpublished_batch"
    HALF_PUBLISHED_BATCH = "half_published_batch"
    DAMAGED_BATCH = "damaged_batch"
    MISSING_FILE = "missing_file"
    DAMAGED_FILE = "damaged_file"
    UNLISTED_FILE = "unlisted_file"
    ORPHAN_FILE = "orphan_file"
    DUPLICATE_REVISION = "duplicate_revision"
    DUPLICATE_CAPTURE = "duplicate_capture"
    WRONG_TEXT_DIGEST = "wrong_text_digest"
    WRONG_CONTENT_DIGEST = "wrong_content_digest"
    CAPTURE_WITHOUT_REVISION = "capture_without_revision"
    REVISION_WITHOUT_CAPTURE = "revision_without_capture"
    MISSING_SEGMENT = "missing_segment"
    DAMAGED_SEGMENT = "damaged_segment"
    DAMAGED_RECORD = "damaged_record"
    WRONG_PAYLOAD_DIGEST = "wrong_payload_digest"
    ORPHAN_SEGMENT = "orphan_segment"
    MISSING_DOCUMENT = "missing_document"
    ORPHAN_DOCUMENT = "orphan_document"
    ARTICLE_WITHOUT_ROW = "article_without_row"
    ROW_WITHOUT_ARTICLE = "row_without_article"
    ARTICLE_BEHIND = "article_behind"
    ARTICLE_DIFFERS = "article_differs"
    CAPTURE_WITHOUT_URL = "capture_without_url"
    URL_WITHOUT_CAPTURE = "url_without_capture"
    URL_WITHOUT_ARTICLE = "url_without_article"
    STALE_LEASE = "stale_lease"
    BROKEN_LEASE = "broken_lease"
    UNKNOWN_STATE = "unknown_state"
    NEVER_DUE = "never_due"
    TORN_CLUSTER = "torn_cluster"
    UNKNOWN_CLUSTER = "unknown_cluster"
    WRONG_REPRESENTATIVES = "wrong_representatives"
    LATE_REPRESENTATIVE = "late_representative"
    CLUSTER_TOLD_WRONG = "cluster_told_wrong"
    EDGE_WITHOUT_ARTICLE = "edge_without_article"
    SHAPE_WITHOUT_ARTICLE = "shape_without_article"
    POLICY_WITHOUT_ROW = "policy_without_row"
    ROW_WITHOUT_POLICY = "row_without_policy"
    ARTICLE_WITHOUT_POLICY = "article_without_policy"
    TAKEN_DOWN = "taken_down"


_PUBLISH = "publishes the batch and takes it out of the outbox"
_RESTORE = "restores the article in the index from the lake's newest row"
_LOOK_AGAIN = "makes the URL due, to be looked at as if it were new"
_CLUSTER = "puts the cluster together and lets its earliest article represent it"

MENDS: dict[FaultKind, str] = {
    FaultKind.UNPUBLISHED_BATCH: _PUBLISH,
    FaultKind.HALF_PUBLISHED_BATCH: _PUBLISH,
    FaultKind.UNLISTED_FILE: "commits the file to its table again, if the table has none of its rows",
    FaultKind.ORPHAN_FILE: "sets the file aside, once it is an hour old",
    FaultKind.ORPHAN_SEGMENT: "sets the segment aside, once it is an hour old; not those of a backfill that is to go on",
    FaultKind.MISSING_DOCUMENT: "writes the document again from its row",
    FaultKind.ORPHAN_DOCUMENT: "sets the document aside, once it is an hour old",
    FaultKind.ARTICLE_WITHOUT_ROW: "sets the index back to the lake's newest row, and makes the URL due",
    FaultKind.ROW_WITHOUT_ARTICLE: _RESTORE,
    FaultKind.ARTICLE_BEHIND: _RESTORE,
    FaultKind.ARTICLE_DIFFERS: _RESTORE,
    FaultKind.CAPTURE_WITHOUT_URL: "restores the URL in the frontier from its captures",
    FaultKind.URL_WITHOUT_CAPTURE: _LOOK_AGAIN,
    FaultKind.URL_WITHOUT_ARTICLE: _LOOK_AGAIN,
    FaultKind.STALE_LEASE: "gives the URL back, due as it was",
    FaultKind.BROKEN_LEASE: "ends the lease",
    FaultKind.UNKNOWN_STATE: _LOOK_AGAIN,
    FaultKind.NEVER_DUE: "makes the URL due",
    FaultKind.TORN_CLUSTER: _CLUSTER,
    FaultKind.UNKNOWN_CLUSTER: _CLUSTER,
    FaultKind.WRONG_REPRESENTATIVES: _CLUSTER,
    FaultKind.LATE_REPRESENTATIVE: _CLUSTER,
    FaultKind.CLUSTER_TOLD_WRONG: "marks the cluster: the next `presslake maintain` updates its rows",
    FaultKind.EDGE_WITHOUT_ARTICLE: "takes the edge out",
    FaultKind.SHAPE_WITHOUT_ARTICLE: "takes the shape and its postings out",
    FaultKind.POLICY_WITHOUT_ROW: "lets the index forget the document, so that it is recorded when it is seen again",
    FaultKind.ROW_WITHOUT_POLICY: "restores the document in the index from its row",
}
"""What `--mend` does."""

ADVICE: dict[FaultKind, str] = {
    FaultKind.DAMAGED_LOG: "by hand: restore the file from a backup; nothing else is mended before",
    FaultKind.DAMAGED_BATCH: "by hand: restore the index from a backup",
    FaultKind.MISSING_FILE: "by hand: restore the object; else deltalake's repair(), and then --mend",
    FaultKind.DAMAGED_FILE: "by hand: restore the object from a backup",
    FaultKind.DUPLICATE_REVISION: "by hand: delete one of the rows",
    FaultKind.DUPLICATE_CAPTURE: "by hand: delete one of the rows",
    FaultKind.WRONG_TEXT_DIGEST: "by hand: extract the stored page again",
    FaultKind.WRONG_CONTENT_DIGEST: "by hand: extract the stored page again",
    FaultKind.CAPTURE_WITHOUT_REVISION: "by hand: extract the stored page again",
    FaultKind.REVISION_WITHOUT_CAPTURE: "none: the article is whole, the log of its fetch is not",
    FaultKind.MISSING_SEGMENT: "by hand: restore the object from a backup",
    FaultKind.DAMAGED_SEGMENT: "by hand: restore the object from a backup",
    FaultKind.DAMAGED_RECORD: "by hand: restore the object from a backup",
    FaultKind.WRONG_PAYLOAD_DIGEST: "by hand: the row and the record disagree; the record's own digest is right",
    FaultKind.ARTICLE_WITHOUT_POLICY: "none: the document is recorded again if the site still has it",
    FaultKind.TAKEN_DOWN: "--mend forgets it again, before all other repairs",
}
"""What a person can do if `--mend` does nothing."""

HARMLESS = frozenset({FaultKind.ORPHAN_SEGMENT})
"""The kinds that are harmless."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One fault: its place, its detail, and the `key` for its repair (an id, a URL's key, an object's key)."""

    kind: FaultKind
    place: str
    detail: str
    key: str
    is_mended: bool = False

    @property
    def is_harmless(self) -> bool:
        """Whether it needs no repair."""
        return self.kind in HARMLESS

    @property
    def mend(self) -> str:
        """Its repair."""
        return MENDS.get(self.kind) or ADVICE[self.kind]


@dataclass(frozen=True, slots=True, kw_only=True)
class SetAside:
    """What one repair run has set aside: objects, their total size, and when; `verify_id` names it for `--undo`."""

    verify_id: str
    made_at: datetime
    objects: int
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifyReport:
    """The result of a verification: `found` counts all faults by kind; `faults` has a limited number of each kind.

    `checked` counts what was read, `mended` the repaired faults that need attention. `set_aside` names what this run
    has set aside or changed, for `--undo`; `set_asides` are all of them.
    """

    checked: dict[str, int]
    found: dict[str, int]
    faults: tuple[Fault, ...]
    mended: int
    seconds: float
    set_aside: str | None = None
    set_asides: tuple[SetAside, ...] = ()

    @property
    def harmful(self) -> int:
        """The number of faults that need attention."""
        return sum(number for kind, number in self.found.items() if FaultKind(kind) not in HARMLESS)

    @property
    def is_well(self) -> bool:
        """Whether no fault is left."""
        return self.harmful == self.mended
