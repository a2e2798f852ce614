"""The runs of a sweep's other shards: start them on the pool's workers, watch them in the index, add up their counts."""

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, cast
from uuid import UUID

import orjson
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterId
from prefect.client.schemas.objects import FlowRun, State
from prefect.deployments import run_deployment
from prefect.exceptions import ObjectNotFound
from prefect.settings import PREFECT_API_URL, PREFECT_CLIENT_MAX_RETRIES, temporary_settings
from prefect.states import Cancelled, Cancelling

from flows.server.away import AWAY
from flows.sweep.session import Sweep
from tasks.config.parameters import ShardConfig
from tasks.errors import ConfigError
from tasks.index import outbox, runs
from tasks.index.runs import ShardState
from tasks.reasons import Disposition
from tasks.runtime.shutdown import stopping
from tasks.values.reports import BatchReport, Failure

DEPLOYMENT = "ingest-shard/sweep"
LOOK_S = 1.0


@dataclass(slots=True, kw_only=True)
class Part:
    """One shard's run. `trouble` is why it fell short: "" if it did not, None while that is unknown."""

    number: int
    flow_run_id: str
    trouble: str | None = None


@dataclass(slots=True, kw_only=True)
class Shards:
    """The runs of a sweep's shards, except the first, which the sweep itself works through."""

    sweep: Sweep
    pool: str = ""
    parts: list[Part] = field(default_factory=list)
    _active_at: float = 0.0

    @property
    def total(self) -> int:
        """The number of shards, the sweep's own included."""
        return self.sweep.config.shards

    def start(self) -> None:
        """Start the runs. Idempotent: a retry of the sweep starts no run twice."""
        since = self.sweep.plan.selection.since
        config = self.sweep.config.model_copy(update={"since": since.isoformat() if since else ""})
        for number in range(1, config.shards):
            if self.sweep.taking(number).left == 0:
                continue
            shard = ShardConfig(sweep=config, sweep_id=self.sweep.run_id, number=number)
            run = run_deployment(
                DEPLOYMENT,
                parameters={"config": shard.model_dump(mode="json")},
                idempotency_key=f"{self.sweep.run_id}-{number}",
                timeout=0,
            )
            self.parts.append(Part(number=number, flow_run_id=str(cast("FlowRun", run).id)))
        self._active_at = time.monotonic()

    def left_behind(self) -> Iterator[int]:
        """Wait until every run has ended; yield the shards that no worker began, for the sweep to work through."""
        while waiting := [part for part in self.parts if part.trouble is None]:
            shard, states = self._shard_states(), self._states(waiting)
            if any(_is_at_work(shard.get(part.flow_run_id)) for part in waiting):
                self._active_at = time.monotonic()  # one worker may run several shards in turn
            for part in waiting:
                run_id = part.flow_run_id
                part.trouble = self._trouble(shard.get(run_id), states.get(run_id))
                if part.trouble == _not_begun(self):
                    self._cancel([part], Cancelled(message=part.trouble))
                    yield part.number
                    break  # working through that shard took time, and the others may have begun meanwhile
            if stopping.wait(LOOK_S):
                return

    def batches(self) -> list[BatchReport]:
        """Return the reports of the batches that the runs decided, ended or not; the last report holds their failures."""
        if not self.parts:
            return []
        shard = self._shard_states()
        with self.sweep.index.read() as tx:
            counts = outbox.counts_of_runs(tx, shard)
        failures = tuple(failure for state in shard.values() for failure in _failures(state.summary))
        return [*(BatchReport(**count) for count in counts), BatchReport(batch_id="", failures=failures)]

    def shortfall(self) -> str | None:
        """Describe how shards fell short; None if none did."""
        return (
            "; ".join(f"shard {one.number} of {self.total}: {one.trouble}" for one in self.parts if one.trouble) or None
        )

    def cancel(self) -> None:
        """Cancel the runs still running, if Prefect's server answers."""
        self._cancel([part for part in self.parts if part.trouble is None], Cancelling(message="its sweep was ended"))

    def _shard_states(self) -> dict[str, ShardState]:
        with self.sweep.index.read() as tx:
            return runs.read_shards(tx, self.sweep.run_id)

    def _states(self, parts: list[Part]) -> dict[str, State[Any]]:
        wanted = FlowRunFilter(id=FlowRunFilterId(any_=[UUID(part.flow_run_id) for part in parts]))
        with suppress(AWAY), _single_try_client() as client:  # without Prefect, the index alone gives the shards' state
            found = client.read_flow_runs(flow_run_filter=wanted)
            return {str(run.id): run.state for run in found if run.state is not None}
        return {}

    def _trouble(self, shard: ShardState | None, state: State[Any] | None) -> str | None:
        if shard is not None and shard.state == runs.ENDED and shard.summary is not None:
            return ""
        if state is not None and state.is_final():
            return (
                f"{state.name.lower()}: {state.message or 'without a reason'}; its URLs will be retried"
                if state.name
                else ""
            )
        lease = timedelta(seconds=self.sweep.settings.lease_s)
        if shard is not None:
            is_lost = datetime.now(UTC) - shard.heard_at > lease
            return f"no heartbeat since {shard.heard_at:%H:%M:%S} UTC; its URLs will be retried" if is_lost else None
        quiet_s = time.monotonic() - self._active_at
        # a run that a worker has accepted but not begun gets more time: its machine may be busy
        has_worker = state is not None and not state.is_scheduled()
        longest_s = self.sweep.settings.shard_start_s + (self.sweep.settings.lease_s if has_worker else 0)
        return _not_begun(self) if quiet_s > longest_s else None

    def _cancel(self, parts: list[Part], state: State[Any]) -> None:
        with suppress(AWAY, ObjectNotFound), _single_try_client() as client:
            for part in parts:
                client.set_flow_run_state(UUID(part.flow_run_id), state)


@contextmanager
def shared_out(sweep: Sweep) -> Iterator[Shards]:
    """Yield the sweep's other shards, none started yet; cancel their runs if the block raises.

    Raises ConfigError if the deployment or its work pool is missing, or if the pool is paused.
    """
    shards = Shards(sweep=sweep, pool=check_deployment() if sweep.config.shards > 1 else "")
    try:
        yield shards
    except BaseException:
        shards.cancel()
        raise


def check_deployment() -> str:
    """Return the name of the work pool of the shards' deployment.

    Raises ConfigError if the deployment or the pool is missing, or if the pool is paused.
    """
    place = f"on the Prefect server {PREFECT_API_URL.value()}"
    mend = "`prefect deploy --all --prefect-file deploy/prefect.yaml` creates it; or use shards: 1"
    with get_client(sync_client=True) as client:
        try:
            deployment = client.read_deployment_by_name(DEPLOYMENT)
        except ObjectNotFound as error:
            raise ConfigError(f"shards need the deployment {DEPLOYMENT}, and there is none {place}: {mend}") from error
        name = deployment.work_pool_name
        if name is None:
            raise ConfigError(f"the deployment {DEPLOYMENT} {place} has no work pool, or its pool was deleted: {mend}")
        if client.read_work_pool(name).is_paused:
            raise ConfigError(f"the work pool {name} {place} is paused: `prefect work-pool resume {name}`")
    return name


def _not_begun(shards: Shards) -> str:
    wait_s = shards.sweep.settings.shard_start_s
    return f"no worker of the pool {shards.pool} started it within {wait_s:g} s; the sweep did its work itself"


def _is_at_work(shard: ShardState | None) -> bool:
    return shard is not None and shard.state == runs.RUNNING


def _failures(summary: str | None) -> Iterator[Failure]:
    for fields in orjson.loads(summary).get("failures", ()) if summary else ():
        disposition, happened_at = Disposition(fields["disposition"]), datetime.fromisoformat(fields["happened_at"])
        yield Failure(**{**fields, "disposition": disposition, "happened_at": happened_at})


@contextmanager
def _single_try_client() -> Iterator[SyncPrefectClient]:
    """Open a client without retries: by default it retries for a minute if no server answers."""
    with temporary_settings({PREFECT_CLIENT_MAX_RETRIES: 0}), get_client(sync_client=True) as client:
        yield client
