"""Trace an article to the documents that permitted or refused it, from the lake alone, without index and network."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tasks.config.settings import Settings
from tasks.errors import ConfigError, CorruptRecord, ItemError, PaymentRequired, RecordGone
from tasks.lake.keys import ARTICLES, CAPTURES, POLICIES
from tasks.lake.objects.stores import MissingObject, ObjectStore
from tasks.lake.reading import read_where
from tasks.lake.records import read_response
from tasks.politeness.rights.documents import body_digest, decoded_document
from tasks.politeness.rights.mapping import Verdict, verdict_on
from tasks.report.trace import read_question
from tasks.runtime.lakes import open_lake_without_index
from tasks.values.columns import revive
from tasks.values.display import Rows, Table, plain, shown
from tasks.values.rights import PolicyKind, Purpose
from tasks.values.rows import Article, Capture, Policy, Signal
from tasks.values.url import Url

REFUSALS = frozenset({"robots_disallowed", "rights_refused", "tdm_reserved", "payment_required"})


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptDocument:
    """A policy document with the state of its record: `whole`, or what is wrong with it; `body` as recorded."""

    policy: Policy
    state: str
    body: bytes

    @property
    def place(self) -> str:
        """The location of its bytes."""
        return f"{self.policy.warc_key}:{self.policy.warc_offset}+{self.policy.warc_length}"

    def to_json(self) -> dict[str, Any]:
        """Return it as plain data, without its bytes."""
        names = ("policy_id", "origin", "kind", "url", "status", "observed_at", "last_seen_at", "valid_until",
                 "body_digest", "warc_key", "warc_offset", "warc_length")  # fmt: skip
        return (plain({name: getattr(self.policy, name) for name in names}) or {}) | {"state": self.state}


@dataclass(frozen=True, slots=True, kw_only=True)
class Chain:
    """One revision, or one refused capture, with the documents in force and their combined verdict."""

    url: str
    fetched_at: datetime
    article_id: str | None
    revision: int | None
    reason: str | None
    detail: str | None
    page: str | None
    signals: tuple[Signal, ...]
    documents: tuple[KeptDocument, ...]
    is_recorded: bool = True

    @property
    def verdicts(self) -> dict[Purpose, Verdict]:
        """The verdict on each purpose, with the signals that decide it."""
        return {purpose: verdict_on(purpose, self.signals) for purpose in Purpose}

    def to_json(self) -> dict[str, Any]:
        """Return it as plain data."""
        return {
            "url": self.url,
            "fetched_at": self.fetched_at.isoformat(),
            "article_id": self.article_id,
            "revision": self.revision,
            "reason": self.reason,
            "detail": self.detail,
            "page": self.page,
            "is_recorded": self.is_recorded,
            "verdicts": {
                purpose.value: {"answer": one.answer.value, "signal": _as_json(one.signal)}
                for purpose, one in self.verdicts.items()
            },
            "rights": [_as_json(one) for one in self.signals],
            "documents": [one.to_json() for one in self.documents],
        }

    def tables(self) -> Iterator[Table]:
        """Yield it as tables for people."""
        what = f"revision {self.revision} of {self.article_id}" if self.article_id else f"skipped: {self.reason}"
        yield f"{self.url}, fetched {shown(self.fetched_at)}, {what}", (), []
        if self.detail:
            yield self.detail, (), []
        if not self.is_recorded:
            yield "nothing recorded: fetched by a version before 0.2.0", (), []
            return
        rows: Rows = [(purpose.value, one.answer.words, *_reason(one.signal)) for purpose, one in self.verdicts.items()]
        yield "Answer for each purpose", ("purpose", "answer", "signal", "says", "where"), rows
        if self.page:
            yield f"The page's own words: {self.page}", (), []
        documents: Rows = [
            (one.policy.policy_id, one.policy.kind, one.policy.url, shown(one.policy.observed_at),
             shown(one.policy.last_seen_at), one.place, one.state)
            for one in self.documents
        ]  # fmt: skip
        head = ("policy", "kind", "url", "first seen", "last seen", "bytes", "record")
        yield ("Documents in force" if documents else "No documents in force"), head, documents
        said: Rows = [(one.signal, one.scope, one.value, one.policy_id or "", one.raw) for one in self.signals]
        if said:
            yield "Signals", ("signal", "scope", "value", "policy", "raw"), said


def explain(what: str, settings: Settings) -> tuple[Chain, ...]:
    """Return the chain of each revision of an article, and of each refusal of a URL; raises ConfigError."""
    store, _ = open_lake_without_index(settings)
    found = explain_in(store, what)
    if not found:
        raise ConfigError(f"{what}: the lake has no article and no refusal for it")
    return found


def explain_in(store: ObjectStore, what: str) -> tuple[Chain, ...]:
    """Return the chains of a URL or an article's id, in the order of their fetches; raises ConfigError, LakeUnavailable."""
    key, article_id = read_question(what)
    if article_id is not None:
        rows = [revive(Article, row) for row in read_where(store, ARTICLES, "article_id", [article_id])]
        keys = sorted({row.url_key for row in rows})
    else:
        keys = [key or ""]
        rows = [revive(Article, row) for row in read_where(store, ARTICLES, "url_key", keys)]
    captures = [revive(Capture, row) for row in read_where(store, CAPTURES, "url_key", keys)]
    refused = [one for one in captures if one.reason in REFUSALS]
    known = {
        one["policy_id"]: revive(Policy, one)
        for one in read_where(
            store, POLICIES, "policy_id", sorted({name for row in rows for name in row.policy_ids or ()})
        )
    }
    chains = [
        *(_of_article(store, row, known) for row in rows),
        *(_of_refusal(store, one, _of_origin(store, one)) for one in refused),
    ]
    return tuple(sorted(chains, key=lambda one: one.fetched_at))


def find_document(chains: Iterable[Chain], policy_id: str) -> KeptDocument:
    """Return a document of the chains by its id or a prefix of it; raises ConfigError."""
    for chain in chains:
        for one in chain.documents:
            if one.policy.policy_id.startswith(policy_id):
                return one
    raise ConfigError(f"--document {policy_id}: no such document was in force")


def _of_article(store: ObjectStore, row: Article, known: Mapping[str, Policy]) -> Chain:
    named = [known[one] for one in row.policy_ids or () if one in known]
    return Chain(
        url=row.url,
        fetched_at=row.fetched_at,
        article_id=row.article_id,
        revision=row.revision,
        reason=None,
        detail=None,
        page=f"{row.warc_key}:{row.warc_offset}+{row.warc_length}",
        signals=row.rights or (),
        documents=tuple(_kept(store, one) for one in named),
        is_recorded=row.rights is not None,
    )


def _of_refusal(store: ObjectStore, capture: Capture, policies: Sequence[Policy]) -> Chain:
    return Chain(
        url=capture.url,
        fetched_at=capture.fetched_at,
        article_id=None,
        revision=None,
        reason=capture.reason,
        detail=capture.detail,
        page=f"{capture.warc_key}:{capture.warc_offset}+{capture.warc_length}" if capture.warc_key else None,
        signals=(),
        documents=tuple(_kept(store, one) for one in policies),
    )


def _of_origin(store: ObjectStore, capture: Capture) -> list[Policy]:
    """Return the documents of a capture's origin that were in force then: for each URL the one last seen before."""
    try:
        origin = Url.of(capture.final_url).origin
    except ItemError:
        return []
    held = [revive(Policy, one) for one in read_where(store, POLICIES, "origin", [origin])]
    before = [one for one in held if one.observed_at <= capture.fetched_at]
    # a licence that a refusal asks for is fetched after it, so the first one seen afterwards counts
    asked = [one for one in held if one.observed_at > capture.fetched_at and _is_asked_by(capture, one)]
    latest = {one.url: one for one in sorted(asked, key=lambda one: one.observed_at, reverse=True)}
    for one in sorted(before, key=lambda one: (one.last_seen_at >= capture.fetched_at, one.observed_at)):
        latest[one.url] = one
    return sorted(latest.values(), key=lambda one: (one.kind, one.url))


def _is_asked_by(capture: Capture, policy: Policy) -> bool:
    if capture.reason != PaymentRequired.reason or policy.kind != PolicyKind.RSL:
        return False
    return policy.url == capture.final_url or policy.url in (capture.detail or "").split()


def _kept(store: ObjectStore, policy: Policy) -> KeptDocument:
    try:
        record = store.get_range(policy.warc_key, policy.warc_offset, policy.warc_length)
        response = read_response(record, 0, len(record))
        coding = ", ".join(value for name, value in response.headers if name == "content-encoding")
        is_whole = body_digest(decoded_document(response.body, coding)) == policy.body_digest
    except MissingObject:
        return KeptDocument(policy=policy, state="its segment is missing", body=b"")
    except RecordGone as error:
        return KeptDocument(policy=policy, state=f"gone: {error.cause}", body=b"")
    except (CorruptRecord, ItemError) as error:
        return KeptDocument(policy=policy, state=f"damaged: {error}", body=b"")
    return KeptDocument(policy=policy, state="whole" if is_whole else "its digest does not match", body=response.body)


def _reason(signal: Signal | None) -> tuple[object, object, object]:
    if signal is None:
        return "", "", ""
    return signal.signal, signal.value, f"policy {signal.policy_id}" if signal.policy_id else signal.scope


def _as_json(signal: Signal | None) -> dict[str, Any] | None:
    if signal is None:
        return None
    names = ("signal", "scope", "value", "raw", "policy_id")
    return {name: getattr(signal, name) for name in names}
