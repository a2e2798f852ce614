"""Judge the health of a sweep's sources from the index, and record the changes that it reports."""

from collections import defaultdict
from collections.abc import Collection, Iterator
from datetime import datetime, timedelta

from tasks.health.cadence import PAST as CADENCE_PAST
from tasks.health.drift import LATE, Drift, find_drifts, find_judged
from tasks.health.drift import PAST as DRIFT_PAST
from tasks.health.judgement import (
    FEED_FAILURES,
    RECENT,
    TALLIED,
    Evidence,
    HealthReport,
    judge,
    new_alarms,
    worst_first,
)
from tasks.index import health, policies, runs
from tasks.index.database import Index, Transaction
from tasks.index.drift import SourceDay, find_days
from tasks.index.health import Alarm, Total

ARRIVALS_READ = CADENCE_PAST + timedelta(days=7)
"""How far back arrivals are read, since a source's past ends with its newest article. A source that is silent for longer stays silent."""

SHOWN_QUARANTINED = 100
RUN_LASTS = timedelta(days=2)
"""The longest run; older policy documents are ignored."""


def judge_sources(index: Index, source_ids: Collection[str], *, run_id: str, now: datetime) -> HealthReport:
    """Judge the sources after a run, and record what it reports, so that no other run reports it again."""
    with index.write() as tx:
        health.hold_alarms(tx)
        report, standing, over = _judge(tx, source_ids, run_id=run_id, now=now)
        health.write_alarms(tx, standing, over=over)
    return report


def read_health(tx: Transaction, source_ids: Collection[str], *, now: datetime) -> HealthReport:
    """Judge the sources now, and record nothing as reported."""
    return _judge(tx, source_ids, run_id="", now=now)[0]


def _judge(
    tx: Transaction, source_ids: Collection[str], *, run_id: str, now: datetime
) -> tuple[HealthReport, tuple[Alarm, ...], tuple[Alarm, ...]]:
    days = find_days(tx, source_ids, since=now.date() - DRIFT_PAST, apart=now.date() - LATE + timedelta(days=1))
    drifts = find_drifts(days, today=now.date())
    evidence = _evidence(tx, sorted(source_ids), days, drifts, run_id=run_id, now=now)
    judgements = [judge(one, now=now) for one in evidence]
    began, over, standing, forgotten = new_alarms(judgements, now=now)
    report = HealthReport(
        sources=worst_first(one.health for one in judgements),
        began=began,
        over=over,
        drifted=drifts,
        quarantined=tuple(health.find_quarantined(tx, limit=SHOWN_QUARANTINED)),
        policies=policies.changed_by(tx, {run_id, *runs.read_shards(tx, run_id)}, since=now - RUN_LASTS)
        if run_id
        else (),
    )
    return report, standing, forgotten


def _evidence(
    tx: Transaction,
    source_ids: list[str],
    days: list[SourceDay],
    drifts: tuple[Drift, ...],
    *,
    run_id: str,
    now: datetime,
) -> Iterator[Evidence]:
    judged = find_judged(days, today=now.date())
    arrivals = health.find_arrivals(tx, source_ids, since=(now - ARRIVALS_READ).date())
    newest = health.find_newest(tx, source_ids)
    feeds = health.find_feeds(tx, source_ids, failures=FEED_FAILURES)
    waiting = health.find_waiting(tx, now=now)
    totals: defaultdict[str, list[Total]] = defaultdict(list)
    since, recent = (now - TALLIED).date(), (now - RECENT).date()
    run_ids = {run_id, *runs.read_shards(tx, run_id)}
    for total in health.find_totals(tx, source_ids, since=since, recent=recent, run_ids=run_ids):
        totals[total.source_id].append(total)
    alarms: defaultdict[str, list[Alarm]] = defaultdict(list)
    for alarm in health.find_alarms(tx, source_ids):
        alarms[alarm.source_id].append(alarm)
    for source_id in source_ids:
        yield Evidence(
            source_id=source_id,
            totals=tuple(totals[source_id]),
            arrivals=tuple(arrivals.get(source_id, ())),
            newest_at=newest.get(source_id),
            feeds=feeds.get(source_id),
            is_waiting=source_id in waiting,
            drifts=tuple(one for one in drifts if one.source_id == source_id) if source_id in judged else None,
            alarms=tuple(alarms[source_id]),
        )
