"""The Prefect events of a run: names, resources and payloads, without text from the web. Pure."""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tasks.health.judgement import HealthReport
from tasks.index.health import Alarm, AlarmKind
from tasks.index.policies import PolicyChange
from tasks.report.run_report import RunReport
from tasks.values.text.escape import as_plain

RUN_FINISHED = "presslake.run.finished"
QUARANTINE_GREW = "presslake.quarantine.grew"
RECOVERED = "presslake.source.recovered"
POLICY_CHANGED = "presslake.source.policy_changed"
BEGAN = {
    AlarmKind.REFUSED: "presslake.source.refused",
    AlarmKind.FEEDS_REFUSED: "presslake.source.refused",
    AlarmKind.SILENT: "presslake.source.silent",
    AlarmKind.DRIFTED: "presslake.source.drifted",
}
NAMES = (RUN_FINISHED, *dict.fromkeys(BEGAN.values()), RECOVERED, POLICY_CHANGED, QUARANTINE_GREW)
_NAMESPACE = uuid.UUID("6f0c1a7e-7d0b-4c39-9f0e-0b8a1d1c2f5a")


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One event; its id is derived from run and content, so that a repeated report emits it once."""

    event_id: uuid.UUID
    name: str
    resource: dict[str, str]
    payload: dict[str, Any]


def events_of(run: RunReport, health: HealthReport) -> Iterator[Event]:
    """Yield a run's events: its end, the alarms of sources that began or ended, documents that changed, a quarantine that grew."""
    yield _event(run, RUN_FINISHED, f"presslake.run.{run.run_id}", "sweep", run.to_json() | run.published_json())
    if run.quarantined:
        payload = {"run_id": run.run_id, "quarantined": run.quarantined}
        yield _event(run, QUARANTINE_GREW, "presslake.quarantine", "quarantine", payload)
    for alarm in health.began:
        yield _event_of_source(run, BEGAN[alarm.kind], alarm)
    for alarm in health.over:
        yield _event_of_source(run, RECOVERED, alarm)
    for change in health.policies:
        yield _event_of_policy(run, change)


def _event_of_source(run: RunReport, name: str, alarm: Alarm) -> Event:
    payload = {
        "run_id": run.run_id,
        "source_id": alarm.source_id,
        "kind": alarm.kind.value,
        "reason": as_plain(alarm.reason),
        "looks": alarm.looks,
        "since": alarm.began_at.isoformat(),
    }
    return _event(run, name, f"presslake.source.{alarm.source_id}", alarm.source_id, payload)


def _event_of_policy(run: RunReport, change: PolicyChange) -> Event:
    payload = {
        "run_id": run.run_id,
        "source_id": change.source_id,
        "kind": f"{change.kind} {change.policy_id}",
        "origin": as_plain(change.origin),
        "url": as_plain(change.url),
        "policy_id": change.policy_id,
        "before_id": change.before_id,
        "observed_at": change.observed_at.isoformat(),
    }
    return _event(run, POLICY_CHANGED, f"presslake.source.{change.source_id}", change.source_id, payload)


def _event(run: RunReport, name: str, resource_id: str, resource_name: str, payload: dict[str, Any]) -> Event:
    identity = f"{run.run_id} {name} {resource_id} {payload.get('kind', '')}"
    return Event(
        event_id=uuid.uuid5(_NAMESPACE, identity),
        name=name,
        resource={"prefect.resource.id": resource_id, "prefect.resource.name": resource_name},
        payload=payload,
    )
