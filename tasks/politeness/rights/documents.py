"""The documents of one origin, as they are kept: what each is by its digest, how long it is good for, what it says.

Pure.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta

from tasks.politeness.robots import MAX_ROBOTS_SIZE
from tasks.values.permit import Evidence, RobotsAnswer
from tasks.values.rights import PolicyKind, returned_id
from tasks.values.rows import Policy, Signal, Statement
from tasks.web.decoding import coding_of, decode_received_prefix
from tasks.web.headers import max_age_s, parse_http_date

MAX_STATEMENTS = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteDocument:
    """A document that governs an origin's pages, with the exchange by which it came; `policy_id` is its name in the lake."""

    policy_id: str
    kind: PolicyKind
    origin: str
    answer: RobotsAnswer
    evidence: Evidence
    statements: tuple[Signal, ...] = ()
    max_age_days: float | None = None

    def to_row(self, *, key: str, offset: int, length: int) -> Policy:
        """Return its row, with the place of its record."""
        return Policy(
            policy_id=self.policy_id,
            origin=self.origin,
            kind=self.kind,
            url=self.evidence.url,
            observed_at=self.answer.fetched_at,
            last_seen_at=self.answer.fetched_at,
            valid_until=valid_until(self),
            status=self.answer.status or 0,
            body_digest=body_digest(self.answer.body),
            warc_key=key,
            warc_offset=offset,
            warc_length=length,
            statements=tuple(
                Statement(signal=one.signal, scope=one.scope, value=one.value, raw=one.raw)
                for one in self.statements[:MAX_STATEMENTS]
            ),
        )


def document_of(
    kind: PolicyKind,
    origin: str,
    answer: RobotsAnswer,
    *,
    statements: tuple[Signal, ...] = (),
    max_age_days: float | None = None,
) -> SiteDocument | None:
    """Return an answer as a document; None if nothing answered, or an older version asked and kept no exchange."""
    if answer.status is None or answer.evidence is None:
        return None
    evidence = Evidence.unpack(answer.evidence)
    return SiteDocument(
        policy_id=policy_id_of(kind, origin, answer, evidence),
        kind=kind,
        origin=origin,
        answer=answer,
        evidence=evidence,
        statements=statements,
        max_age_days=max_age_days,
    )


def policy_id_of(kind: PolicyKind, origin: str, answer: RobotsAnswer, evidence: Evidence) -> str:
    """Return the name of a document: the same for the same answer, for every source, until another takes its place."""
    return returned_id(_digest(origin, kind, *_content(answer, evidence)), answer.turn)


def form_of(answer: RobotsAnswer, evidence: Evidence) -> str:
    """Return what distinguishes the content of one answer to a request from that of another."""
    return _digest(*_content(answer, evidence))


def _content(answer: RobotsAnswer, evidence: Evidence) -> tuple[str, str, str]:
    status = "" if _is_good(answer.status) else str(answer.status)
    return evidence.url, status, body_digest(answer.body)


def _digest(*parts: str) -> str:
    return hashlib.sha256("\n".join(parts).encode("utf-8", "replace")).hexdigest()[:32]


def body_digest(body: bytes) -> str:
    """Return `sha256:<hex>` of a body as it was read."""
    return f"sha256:{hashlib.sha256(body).hexdigest()}"


def decoded_document(body: bytes, coding: str) -> bytes:
    """Return a document's body as it is read: without its content coding, and no more of it than is read.

    Raises BadContentEncoding.
    """
    if not coding and coding_of(body) is None:
        return body
    return decode_received_prefix(body, coding, max_size=MAX_ROBOTS_SIZE)


def valid_until(document: SiteDocument) -> datetime | None:
    """Return how long a document is good for: by itself (RSL's max-age), else by its headers (RFC 9111)."""
    seen_at = document.answer.fetched_at
    if document.max_age_days is not None:
        return seen_at + timedelta(days=document.max_age_days)
    fields = _fields(document.evidence.response_head)
    if (age_s := max_age_s(fields.get("cache-control"))) is not None:
        return seen_at + timedelta(seconds=age_s)
    return parse_http_date(fields.get("expires"))


def _fields(head: bytes) -> dict[str, str]:
    pairs = (line.partition(":") for line in head.decode("latin-1").split("\r\n")[1:])
    return {name.strip().lower(): value.strip() for name, _, value in pairs if name}


def _is_good(status: int | None) -> bool:
    return status is not None and 200 <= status < 300
