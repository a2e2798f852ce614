"""The documents of one origin: their ids from content digests, their lifetimes, and their statements. Pure."""

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
    """A document about an origin's pages, with the HTTP exchange that returned it. `policy_id`: its id in the lake."""

    policy_id: str
    kind: PolicyKind
    origin: str
    answer: RobotsAnswer
    evidence: Evidence
    statements: tuple[Signal, ...] = ()
    max_age_days: float | None = None

    def to_row(self, *, key: str, offset: int, length: int) -> Policy:
        """Return the document's row, given the place of its WARC record."""
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
                Statement(signal=signal.signal, scope=signal.scope, value=signal.value, raw=signal.raw)
                for signal in self.statements[:MAX_STATEMENTS]
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
    """Return an answer as a document; None without a response, or without a stored exchange (older versions)."""
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
    """Return a document's id: equal for equal answers, for all sources, until another document replaces it."""
    return returned_id(_digest(origin, kind, *_content(answer, evidence)), answer.turn)


def form_of(answer: RobotsAnswer, evidence: Evidence) -> str:
    """Return a digest of an answer's content: URL, status if it is an error, and body."""
    return _digest(*_content(answer, evidence))


def _content(answer: RobotsAnswer, evidence: Evidence) -> tuple[str, str, str]:
    status = "" if _is_good(answer.status) else str(answer.status)
    return evidence.url, status, body_digest(answer.body)


def _digest(*parts: str) -> str:
    return hashlib.sha256("\n".join(parts).encode("utf-8", "replace")).hexdigest()[:32]


def body_digest(body: bytes) -> str:
    """Return `sha256:<hex>` of a decoded body."""
    return f"sha256:{hashlib.sha256(body).hexdigest()}"


def decoded_document(body: bytes, coding: str) -> bytes:
    """Return a document's body without its content coding, truncated to the size limit.

    Raises BadContentEncoding.
    """
    if not coding and coding_of(body) is None:
        return body
    return decode_received_prefix(body, coding, max_size=MAX_ROBOTS_SIZE)


def valid_until(document: SiteDocument) -> datetime | None:
    """Return until when a document is valid: by its own RSL max-age, else by its headers (RFC 9111), else None."""
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
