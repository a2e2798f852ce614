"""Report the rights that sites reserve, by domain: since when, how many articles, what changed this month.

Reads the lake alone.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from tasks.config.settings import Settings
from tasks.errors import ItemError
from tasks.lake.keys import ARTICLES, POLICIES
from tasks.lake.objects.stores import ObjectStore
from tasks.lake.reading import list_files, read_columns
from tasks.lake.tables import find_table
from tasks.politeness.rights.mapping import verdict_on
from tasks.runtime.lakes import open_lake_without_index
from tasks.values.columns import revive
from tasks.values.display import Rows, Table, plural
from tasks.values.rights import Purpose
from tasks.values.rows import Signal
from tasks.values.url import Url

SHOWN_CHANGES = 200

_ARTICLE_COLUMNS = ("article_id", "revision", "source_id", "url", "fetched_at", "rights", "policy_ids")
_POLICY_COLUMNS = ("policy_id", "origin", "kind", "url", "observed_at")


@dataclass(frozen=True, slots=True, kw_only=True)
class DomainRights:
    """One domain: its articles by purpose and answer; `unrecorded` are those fetched before rights were recorded.

    `reserved_by` are the signals that refuse, each with the number of articles; `since` is when the oldest refusal that
    is still in force was first seen.
    """

    domain: str
    articles: int
    unrecorded: int
    answers: Mapping[Purpose, Mapping[str, int]]
    reserved_by: Mapping[str, int]
    since: datetime | None

    @property
    def refused(self) -> int:
        """The greatest number of articles that are refused for one purpose."""
        return max((one.get("n", 0) + one.get("payment", 0) for one in self.answers.values()), default=0)

    def to_json(self) -> dict[str, Any]:
        """Return it as plain data."""
        return {
            "domain": self.domain,
            "articles": self.articles,
            "unrecorded": self.unrecorded,
            "answers": {purpose.value: dict(one) for purpose, one in self.answers.items()},
            "reserved_by": dict(self.reserved_by),
            "since": self.since.isoformat() if self.since else None,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentChange:
    """A document that replaced another at its URL."""

    domain: str
    kind: str
    url: str
    observed_at: datetime
    policy_id: str
    before_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RightsReport:
    """All domains, those that reserve most first, and the month's changes, the latest first."""

    purposes: tuple[Purpose, ...]
    domains: tuple[DomainRights, ...]
    changes: tuple[DocumentChange, ...]
    policies: int

    @property
    def summary(self) -> str:
        """Return it in one line."""
        articles = sum(one.articles for one in self.domains)
        reserving = [one for one in self.domains if one.refused]
        changed = plural(len(self.changes), "document")
        return (
            f"{plural(len(reserving), 'domain')} of {len(self.domains):,} {'reserves' if len(reserving) == 1 else 'reserve'} something, "
            f"{sum(one.refused for one in reserving):,} of {plural(articles, 'article')}; {changed} changed this month"
        )

    def to_json(self) -> dict[str, Any]:
        """Return it as plain data."""
        return {
            "purposes": [one.value for one in self.purposes],
            "domains": [one.to_json() for one in self.domains],
            "changes": [
                {"domain": one.domain, "kind": one.kind, "url": one.url, "observed_at": one.observed_at.isoformat(),
                 "policy_id": one.policy_id, "before_id": one.before_id}
                for one in self.changes
            ],
            "policies": self.policies,
        }  # fmt: skip

    def tables(self) -> Iterator[Table]:
        """Yield it as tables for people."""
        yield self.summary, (), []
        head = ("domain", "articles", *(one.value for one in self.purposes), "reserved by", "since", "not recorded")
        rows: Rows = [
            (
                one.domain,
                one.articles,
                *(_cell(one.answers[purpose]) for purpose in self.purposes),
                ", ".join(one.reserved_by),
                f"{one.since:%Y-%m-%d}" if one.since else "",
                one.unrecorded or "",
            )
            for one in self.domains
        ]
        if rows:
            yield "Articles by domain: refused, priced, permitted; the rest say nothing", head, rows
        changed: Rows = [
            (f"{one.observed_at:%Y-%m-%d %H:%M}", one.domain, one.kind, one.url, one.policy_id)
            for one in self.changes[:SHOWN_CHANGES]
        ]
        if changed:
            yield "Documents that changed this month", ("first seen", "domain", "kind", "url", "policy"), changed


def report_rights(
    settings: Settings, *, purposes: tuple[Purpose, ...], sources: Collection[str], now: datetime
) -> RightsReport:
    """Report on the lake that the settings name; raises ConfigError, LakeUnavailable."""
    store, _ = open_lake_without_index(settings)
    return report_lake(store, purposes=purposes or tuple(Purpose), sources=sources, now=now)


def report_lake(
    store: ObjectStore, *, purposes: tuple[Purpose, ...], sources: Collection[str], now: datetime
) -> RightsReport:
    """Report on a lake, for these purposes and sources (all sources if empty); raises LakeUnavailable."""
    documents = list(_rows(store, POLICIES, _POLICY_COLUMNS))
    seen = {one["policy_id"]: one["observed_at"] for one in documents}
    newest: dict[str, _Newest] = {}
    for row in _rows(store, ARTICLES, _ARTICLE_COLUMNS):
        if not sources or row["source_id"] in sources:
            _take(newest, row, purposes, seen)
    domains = _by_domain(newest.values(), purposes)
    month = now.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    changes = [one for one in _changes(documents, since=month) if not sources or one.domain in domains]
    return RightsReport(
        purposes=purposes,
        domains=tuple(sorted(domains.values(), key=lambda one: (-one.refused, -one.articles, one.domain))),
        changes=tuple(sorted(changes, key=lambda one: one.observed_at, reverse=True)),
        policies=len(documents),
    )


@dataclass(slots=True)
class _Newest:
    """An article's newest revision: the answer to each purpose, what refuses it, and since when."""

    order: tuple[datetime, int]
    domain: str
    answers: tuple[str, ...] = ()
    reserved_by: frozenset[str] = frozenset()
    since: datetime | None = None
    is_recorded: bool = True


@dataclass(slots=True)
class _Counts:
    articles: int = 0
    unrecorded: int = 0
    answers: defaultdict[Purpose, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    reserved_by: Counter[str] = field(default_factory=Counter)
    since: datetime | None = None


def _take(
    newest: dict[str, _Newest], row: Mapping[str, Any], purposes: tuple[Purpose, ...], seen: Mapping[str, datetime]
) -> None:
    order = (row["fetched_at"], row["revision"])
    held = newest.get(row["article_id"])
    if held is not None and held.order >= order:
        return
    signals = tuple(revive(Signal, one) for one in row["rights"] or ())
    verdicts = [verdict_on(purpose, signals) for purpose in purposes]
    deciding = [one.signal for one in verdicts if one.answer.is_refusal and one.signal]
    newest[row["article_id"]] = _Newest(
        order=order,
        domain=_domain(row["url"]),
        answers=tuple(one.answer.value for one in verdicts),
        reserved_by=frozenset(f"{one.signal} {one.value}" for one in deciding),
        since=min((seen.get(one.policy_id or "", row["fetched_at"]) for one in deciding), default=None),
        is_recorded=row["rights"] is not None,
    )


def _by_domain(articles: Iterable[_Newest], purposes: tuple[Purpose, ...]) -> dict[str, DomainRights]:
    counts: defaultdict[str, _Counts] = defaultdict(_Counts)
    for one in articles:
        count = counts[one.domain]
        count.articles += 1
        count.unrecorded += not one.is_recorded
        for purpose, answer in zip(purposes, one.answers, strict=True):
            count.answers[purpose][answer] += 1
        count.reserved_by.update(one.reserved_by)
        if one.since is not None:
            count.since = min(count.since or one.since, one.since)
    return {
        domain: DomainRights(
            domain=domain,
            articles=one.articles,
            unrecorded=one.unrecorded,
            answers={purpose: one.answers[purpose] for purpose in purposes},
            reserved_by=dict(one.reserved_by.most_common()),
            since=one.since,
        )
        for domain, one in counts.items()
    }


def _changes(documents: Iterable[Mapping[str, Any]], *, since: datetime) -> Iterator[DocumentChange]:
    """Yield the documents first seen since then, if another was there before."""
    before: dict[tuple[str, str, str], str] = {}
    for one in sorted(documents, key=lambda one: one["observed_at"]):
        key = (one["origin"], one["kind"], one["url"])
        if key in before and one["observed_at"] >= since:
            yield DocumentChange(
                domain=_domain(one["origin"]),
                kind=one["kind"],
                url=one["url"],
                observed_at=one["observed_at"],
                policy_id=one["policy_id"],
                before_id=before[key],
            )
        before[key] = one["policy_id"]


def _rows(store: ObjectStore, name: str, columns: tuple[str, ...]) -> Iterator[dict[str, Any]]:
    table = find_table(store, name)
    for file in list_files(table, name) if table else ():
        yield from read_columns(store, file, columns).to_pylist()


def _domain(url: str) -> str:
    try:
        return Url.of(url).domain
    except ItemError:
        return url


def _cell(answers: Mapping[str, int]) -> str:
    parts = ((answers.get("n"), "n"), (answers.get("payment"), "payment"), (answers.get("y"), "y"))
    return " ".join(f"{number:,} {name}" for number, name in parts if number)
