"""Judge whether a source is healthy, refused, silent or drifted, and what changed since the last report. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum

from tasks.health.cadence import Cadence, learn_cadence
from tasks.health.drift import Drift
from tasks.index.health import Alarm, AlarmKind, ArrivalDay, FeedsState, Quarantined, TallyKind, Total, lag_of
from tasks.index.policies import PolicyChange
from tasks.reasons import HARMLESS
from tasks.values.rows import Novelty, Outcome

FEED_FAILURES = 3
"""A feed that fails this often in a row counts as failing."""

REFUSED_LOOKS, REFUSED_SWEEPS = 5, 3
"""A source counts as refused after this many looks or consecutive sweeps failed for one reason; fewer may be chance."""

TALLIED = timedelta(days=7)
"""The period of percentiles and of the last success."""

VOLUME_DAYS = 14
"""The number of days whose volume is shown."""

RECENT = timedelta(days=1)
"""The period of the share of failing looks: today, and this long before."""

MOST_REPORTED = 20
"""The most changes that one sweep reports; the next sweeps report the rest."""

GOOD = frozenset({*Novelty, Outcome.NOT_MODIFIED})


class HealthState(StrEnum):
    """The states of a source, the worst first."""

    REFUSED = "refused"
    SILENT = "silent"
    DRIFTED = "drifted"
    LEARNING = "learning"
    WELL = "well"


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """The figures of one source. `drifts` is None if it has too few pages; `is_waiting`: URLs are still pending."""

    source_id: str
    totals: tuple[Total, ...] = ()
    arrivals: tuple[ArrivalDay, ...] = ()
    newest_at: datetime | None = None
    feeds: FeedsState | None = None
    is_waiting: bool = False
    drifts: tuple[Drift, ...] | None = None
    alarms: tuple[Alarm, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceHealth:
    """The health of one source. `failing` counts the failed looks of today and yesterday, by reason; lags are seconds.

    `came_to` counts this run's looks by result; from `silent_from` on the source counts as silent. `volume` has the
    articles of each of the last `VOLUME_DAYS` UTC days, by their time of publication, today's last.
    """

    source_id: str
    state: HealthState
    detail: str = ""
    newest_at: datetime | None = None
    succeeded_at: datetime | None = None
    per_day: float | None = None
    silent_from: datetime | None = None
    looks: int = 0
    failing: dict[str, int] = field(default_factory=dict)
    lag_p50_s: float | None = None
    lag_p95_s: float | None = None
    came_to: dict[str, int] = field(default_factory=dict)
    volume: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthReport:
    """All sources, the worst first; the alarms that began and ended, for the report; the pages in quarantine.

    `policies` are the policy documents that replaced others in this run.
    """

    sources: tuple[SourceHealth, ...] = ()
    began: tuple[Alarm, ...] = ()
    over: tuple[Alarm, ...] = ()
    drifted: tuple[Drift, ...] = ()
    quarantined: tuple[Quarantined, ...] = ()
    policies: tuple[PolicyChange, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """The judgement of one source: its current alarms, and those that ended."""

    health: SourceHealth
    standing: tuple[Alarm, ...]
    over: tuple[Alarm, ...]


def judge(evidence: Evidence, *, now: datetime) -> Judgement:
    """Judge a source by the looks of a run and by its past."""
    cadence = learn_cadence(evidence.arrivals)
    looks = [one for one in evidence.totals if one.kind is TallyKind.LOOK]
    came_to = {one.what: one.in_run for one in looks if one.in_run}
    standing = {one.kind: one for one in evidence.alarms}
    over = []
    for kind, found in _findings(evidence, came_to, cadence, standing, now=now):
        before = standing.pop(kind, None)
        if found is not None:
            standing[kind] = _continued(before, found)
        elif before is not None:
            over.append(before)
    return Judgement(
        health=_health(evidence, cadence, came_to, tuple(standing.values()), today=now.astimezone(UTC).date()),
        standing=tuple(standing.values()),
        over=tuple(over),
    )


def is_reportable(alarm: Alarm) -> bool:
    """Whether an alarm has lasted long enough to be reported; a single refused page or sweep may be chance."""
    return alarm.kind is not AlarmKind.REFUSED or alarm.looks >= REFUSED_LOOKS or alarm.sweeps >= REFUSED_SWEEPS


def new_alarms(
    judgements: Iterable[Judgement], *, now: datetime
) -> tuple[tuple[Alarm, ...], tuple[Alarm, ...], tuple[Alarm, ...], tuple[Alarm, ...]]:
    """Return the alarms that began and that ended, for this report; then the current ones, and those to delete."""
    all_of = tuple(judgements)
    # Alarms not reported now keep `told_at` null, so that the next sweep reports them.
    fresh = [one for each in all_of for one in each.standing if is_reportable(one) and one.told_at is None]
    began = tuple(replace(one, told_at=now) for one in fresh[:MOST_REPORTED])
    reported = {(one.source_id, one.kind): one for one in began}
    standing = tuple(reported.get((one.source_id, one.kind), one) for each in all_of for one in each.standing)
    ended = [one for each in all_of for one in each.over]
    over = tuple([one for one in ended if one.told_at is not None][:MOST_REPORTED])
    return began, over, standing, (*over, *(one for one in ended if one.told_at is None))


def worst_first(sources: Iterable[SourceHealth]) -> tuple[SourceHealth, ...]:
    """Return the sources as the health table shows them."""
    order = list(HealthState)
    return tuple(sorted(sources, key=lambda one: (order.index(one.state), one.source_id)))


def _findings(
    evidence: Evidence,
    came_to: Mapping[str, int],
    cadence: Cadence | None,
    standing: Mapping[AlarmKind, Alarm],
    *,
    now: datetime,
) -> Iterator[tuple[AlarmKind, Alarm | None]]:
    """Yield an alarm or None for each kind; a kind that cannot be judged is left out."""
    is_refused = AlarmKind.REFUSED in standing and is_reportable(standing[AlarmKind.REFUSED])
    if came_to:
        found = _refusal(evidence.source_id, came_to, now=now)
        is_refused = found is not None
        yield AlarmKind.REFUSED, found
    feeds = evidence.feeds
    if feeds is not None:
        is_failing = feeds.failing * 2 > feeds.feeds
        is_refused = is_refused or is_failing
        reason = f"{feeds.failing} of {feeds.feeds} feeds: {feeds.reason}"
        found = Alarm(source_id=evidence.source_id, kind=AlarmKind.FEEDS_REFUSED, reason=reason, began_at=now)
        yield AlarmKind.FEEDS_REFUSED, found if is_failing else None
    if evidence.drifts is not None:
        reason = "; ".join(f"{one.what}: {one.before:g}, now {one.now:g}" for one in evidence.drifts)
        found = Alarm(source_id=evidence.source_id, kind=AlarmKind.DRIFTED, reason=reason, began_at=now)
        yield AlarmKind.DRIFTED, found if evidence.drifts else None
    # silence cannot be judged while a feed does not answer or a URL is pending
    if cadence and feeds and feeds.heard_at and not evidence.is_waiting and not is_refused:
        yield AlarmKind.SILENT, _silence(evidence, cadence, heard_at=feeds.heard_at)


def _refusal(source_id: str, came_to: Mapping[str, int], *, now: datetime) -> Alarm | None:
    """Return an alarm if most of a run's looks failed for one reason."""
    reason, looks = max(failing_of(came_to).items(), key=lambda pair: (pair[1], pair[0]), default=("", 0))
    if looks * 2 <= sum(came_to.values()):
        return None
    return Alarm(source_id=source_id, kind=AlarmKind.REFUSED, reason=reason, looks=looks, began_at=now)


def _silence(evidence: Evidence, cadence: Cadence, *, heard_at: datetime) -> Alarm | None:
    newest_at = evidence.arrivals[-1].newest_at
    silent_from = cadence.silent_from(newest_at)
    if heard_at < silent_from:  # nothing was read since then, so the silence may be ours
        return None
    reason = f"nothing since {newest_at:%Y-%m-%d %H:%M}, expected by {silent_from:%Y-%m-%d %H:%M} UTC"
    return Alarm(source_id=evidence.source_id, kind=AlarmKind.SILENT, reason=reason, began_at=newest_at)


def _continued(before: Alarm | None, found: Alarm) -> Alarm:
    """Return the alarm as a continuation of the earlier one; a refusal for another reason is a new alarm."""
    # If the reason changes before the report, counting starts again.
    if before is None or (found.kind is AlarmKind.REFUSED and found.reason != before.reason and before.told_at is None):
        return found
    return replace(before, reason=found.reason, looks=before.looks + found.looks, sweeps=before.sweeps + found.sweeps)


def _health(
    evidence: Evidence,
    cadence: Cadence | None,
    came_to: dict[str, int],
    standing: tuple[Alarm, ...],
    *,
    today: date,
) -> SourceHealth:
    looks = [one for one in evidence.totals if one.kind is TallyKind.LOOK]
    recent = {one.what: one.recent for one in looks if one.recent}
    lags = {one.what: one.number for one in evidence.totals if one.kind is TallyKind.LAG}
    succeeded = [one.last_at for one in looks if one.what in GOOD]
    if evidence.feeds and evidence.feeds.heard_at:
        succeeded.append(evidence.feeds.heard_at)
    state, detail = _state(standing, is_known=cadence is not None)
    return SourceHealth(
        source_id=evidence.source_id,
        state=state,
        detail=detail,
        newest_at=evidence.newest_at,
        succeeded_at=max(succeeded, default=None),
        per_day=cadence.per_day if cadence else None,
        silent_from=cadence.silent_from(evidence.newest_at) if cadence and evidence.newest_at else None,
        looks=sum(recent.values()),
        failing=failing_of(recent),
        lag_p50_s=percentile(lags, 0.50),
        lag_p95_s=percentile(lags, 0.95),
        came_to=came_to,
        volume=_volume(evidence.arrivals, today),
    )


def _volume(arrivals: Iterable[ArrivalDay], today: date) -> tuple[int, ...]:
    by_day = {one.day: sum(one.hours) for one in arrivals}
    return tuple(by_day.get(today - timedelta(days=ago), 0) for ago in reversed(range(VOLUME_DAYS)))


def _state(standing: tuple[Alarm, ...], *, is_known: bool) -> tuple[HealthState, str]:
    reasons = {one.kind: one.reason for one in standing if is_reportable(one)}
    for state, kinds in (
        (HealthState.REFUSED, (AlarmKind.REFUSED, AlarmKind.FEEDS_REFUSED)),
        (HealthState.SILENT, (AlarmKind.SILENT,)),
        (HealthState.DRIFTED, (AlarmKind.DRIFTED,)),
    ):
        if details := [reasons[kind] for kind in kinds if kind in reasons]:
            return state, "; ".join(details)
    return (HealthState.WELL if is_known else HealthState.LEARNING), ""


def failing_of(counts: Mapping[str, int]) -> dict[str, int]:
    """Return the failed looks, by reason."""
    return {what: number for what, number in counts.items() if what not in GOOD and what not in HARMLESS}


def percentile(lags: Mapping[str, int], share: float) -> float | None:
    """Return a percentile of the delays in seconds, to half an octave; `share` is from 0 to 1."""
    wanted, met = share * sum(lags.values()), 0
    for bucket in sorted(lags):
        met += lags[bucket]
        if met >= wanted:
            return lag_of(bucket).total_seconds()
    return None
