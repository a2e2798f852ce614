"""Forget: plan, record the takedown, and remove its articles from every place; after a kill at any instant, run again.

A takedown is recorded in the lake's table and in the index before anything is removed; from then on no sweep stores any
of it. What to remove is found by the takedown's digests alone, so that applying it again also cleans a restored backup.
"""

import time
import uuid
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial

from tasks.config.settings import Settings
from tasks.errors import ConfigError, LakeUnavailable
from tasks.forget.finding import find_targets
from tasks.forget.places import PLACES
from tasks.forget.plan import Plan, Selection, make_plan
from tasks.forget.report import NOTHING, ForgetReport
from tasks.forget.targets import TakedownTargets
from tasks.forget.work import Work
from tasks.index import taken_down
from tasks.index.database import Index
from tasks.index.erasing import forget_feed_validators
from tasks.index.facts import note_fact, read_fact
from tasks.lake.delta_log import check_log, find_log_damage
from tasks.lake.keys import TABLES
from tasks.lake.objects.stores import ObjectStore
from tasks.lake.takedowns import add_takedown, kept_out_by, read_takedowns, replace_takedown
from tasks.runtime.progress import OnStep
from tasks.runtime.resources import check_known_lake, opened_index, opened_store
from tasks.store.publishing import publish_all
from tasks.values.takedown import Takedown

UNDER_WAY = "takedown_under_way"
"""The key in the index's `facts` of the takedown that has begun but not ended."""

PROBE = "probe"
PROBED = ("warc", "articles", "captures", "policies", "quarantine", "set-aside")

Elsewhere = Callable[[TakedownTargets], Iterable[str]]
"""Removes what is taken down from places other than lake, index and search index; returns those that may keep some of
it."""

Search = Callable[[], None]
"""Deletes the search index with every text in it; the next search builds it again."""

OnPlan = Callable[[Plan], None]


def forget_selection(
    selection: Selection,
    settings: Settings,
    *,
    is_dry_run: bool,
    is_sure: bool,
    elsewhere: Elsewhere,
    on_plan: OnPlan,
    on_step: OnStep,
) -> ForgetReport:
    """Forget a selection in the lake and the index that the settings name; raises ConfigError, and as `forget` does."""
    check_known_lake(settings)
    return forget(
        selection,
        index=opened_index(settings),
        store=opened_store(settings),
        now=datetime.now(UTC),
        is_dry_run=is_dry_run,
        is_sure=is_sure,
        elsewhere=elsewhere,
        on_plan=on_plan,
        on_step=on_step,
        search=partial(_throw_search_away, settings),
    )


def forget(
    selection: Selection,
    *,
    index: Index,
    store: ObjectStore,
    now: datetime,
    is_dry_run: bool = False,
    is_sure: bool = False,
    elsewhere: Elsewhere = lambda _: (),
    on_plan: OnPlan = lambda _: None,
    on_step: OnStep = lambda *_: None,
    search: Search = lambda: None,
) -> ForgetReport:
    """Remove what the selection names; raises ConfigError, LakeUnavailable, IndexUnavailable, DamagedTable.

    An interrupted takedown is completed first. Half of the lake or more is removed only if the caller `is_sure`.
    """
    begun = time.monotonic()
    _check_whole(store)
    if not is_dry_run:
        _remove_probes(store)
        _end_begun(index, store, now=now, elsewhere=elsewhere, on_step=on_step, search=search)
    plan = make_plan(index, store, selection, on_step=on_step)
    on_plan(plan)
    if plan.is_empty:
        return replace(NOTHING, is_dry_run=is_dry_run)
    if is_dry_run:
        return _planned(plan, seconds=time.monotonic() - begun)
    if plan.is_large and not is_sure:
        raise ConfigError(
            f"{plan.revisions:,} of the lake's {plan.taken.rows:,} revisions would be removed, half or more: add --yes to confirm"
        )
    check_rights(store)
    takedown = _takedown_of(plan, now)
    with index.write() as tx:
        note_fact(tx, UNDER_WAY, takedown.takedown_id)
    add_takedown(store, takedown, now=now)
    taken_down.agree(index, [takedown])
    done = apply_takedowns(
        [takedown], index=index, store=store, now=now, elsewhere=elsewhere, on_step=on_step, search=search, begun=begun
    )
    _note_ended(index)
    return replace(done, copies=0 if selection.copies else len(plan.copies))


def apply_takedowns(
    takedowns: Sequence[Takedown],
    *,
    index: Index,
    store: ObjectStore,
    now: datetime,
    elsewhere: Elsewhere = lambda _: (),
    on_step: OnStep = lambda *_: None,
    search: Search = lambda: None,
    begun: float | None = None,
) -> ForgetReport:
    """Remove what these takedowns keep out from every place; idempotent. Raises as `forget` does."""
    begun = time.monotonic() if begun is None else begun
    publish_all(index, store)  # rows decided before the takedown
    work = Work(
        index=index,
        store=store,
        taken=find_targets(index, store, kept_out_by(takedowns), on_step=on_step),
        run_id=takedowns[-1].takedown_id if takedowns else "",
        now=now,
        on_step=on_step,
        search=search,
    )
    for place in PLACES:
        if place.erase is not None:
            on_step(place.name, 0, 0)
            place.erase(work)
    notes = (*work.notes, *_kept_by(index, store), *elsewhere(work.taken))
    return ForgetReport(
        takedown_id=work.run_id or None,
        is_dry_run=False,
        articles=work.counts["articles"],
        revisions=work.counts["revisions"],
        captures=work.counts["captures"],
        segments_rewritten=work.counts["segments_rewritten"],
        copies=0,
        versions=work.versions,
        notes=notes,
        seconds=round(time.monotonic() - begun, 3),
    )


def forget_again(takedown_id: str | None, settings: Settings, *, elsewhere: Elsewhere, on_step: OnStep) -> ForgetReport:
    """Apply one takedown again, or all of them; raises ConfigError for an unknown id."""
    check_known_lake(settings)
    index, store = opened_index(settings), opened_store(settings)
    _check_whole(store)
    takedowns = [one for one in read_takedowns(store) if one.undone_at is None]
    chosen = [one for one in takedowns if takedown_id in {None, one.takedown_id}]
    if takedown_id is not None and not chosen:
        raise ConfigError(f"there is no takedown {takedown_id!r}, or it was undone")
    if not chosen:
        return NOTHING
    check_rights(store)
    done = apply_takedowns(
        chosen,
        index=index,
        store=store,
        now=datetime.now(UTC),
        elsewhere=elsewhere,
        on_step=on_step,
        search=partial(_throw_search_away, settings),
    )
    _note_ended(index)
    return done


def remove_restored(index: Index, store: ObjectStore, *, now: datetime, on_step: OnStep) -> None:
    """Remove what a restored backup has brought back, unless a table's log is damaged; raises LakeUnavailable, IndexUnavailable."""
    takedowns = [one for one in read_takedowns(store) if one.undone_at is None]
    if takedowns and not any(find_log_damage(store, name) for name in TABLES):
        apply_takedowns(takedowns, index=index, store=store, now=now, on_step=on_step)


def undo_takedown(takedown_id: str, settings: Settings) -> Takedown:
    """Allow the URLs of a takedown again: they are fetched again, and nothing removed is restored.

    Raises ConfigError.
    """
    check_known_lake(settings)
    return undo(takedown_id, index=opened_index(settings), store=opened_store(settings), now=datetime.now(UTC))


def undo(takedown_id: str, *, index: Index, store: ObjectStore, now: datetime) -> Takedown:
    """Allow the URLs of a takedown again; raises ConfigError, LakeUnavailable, IndexUnavailable."""
    known = {one.takedown_id: one for one in read_takedowns(store)}
    if takedown_id not in known:
        raise ConfigError(f"there is no takedown {takedown_id!r}: see the table `takedowns`")
    undone = replace(known[takedown_id], undone_at=known[takedown_id].undone_at or now)
    replace_takedown(store, undone, now=now)
    taken_down.agree(index, [undone])
    with index.write() as tx:
        forget_feed_validators(tx)
    return undone


def check_rights(store: ObjectStore) -> None:
    """Raise ConfigError unless objects may be replaced and deleted; it leaves nothing behind."""
    for part in PROBED:
        try:
            store.delete(f"{part}/{PROBE}")  # delete first: without that permission the probe could not be removed
            store.put(f"{part}/{PROBE}", b"1")
            store.put(f"{part}/{PROBE}", b"2")
            store.delete(f"{part}/{PROBE}")
        except LakeUnavailable as error:
            raise ConfigError(
                f"{store.uri}: {part}/ cannot be changed with these credentials, which need the maintainer policy; nothing was changed: {error}"
            ) from error


def _remove_probes(store: ObjectStore) -> None:
    """Remove probes that a killed check has left."""
    with suppress(LakeUnavailable):
        for part in PROBED:
            store.delete(f"{part}/{PROBE}")


def _throw_search_away(settings: Settings) -> None:
    from tasks.search.folder import throw_away  # noqa: PLC0415 - sweeps need no search

    throw_away(settings)


def _check_whole(store: ObjectStore) -> None:
    for name in TABLES:
        check_log(store, name)


def _end_begun(
    index: Index, store: ObjectStore, *, now: datetime, elsewhere: Elsewhere, on_step: OnStep, search: Search
) -> None:
    """Complete the last takedown, if it was interrupted."""
    with index.read() as tx:
        begun = read_fact(tx, UNDER_WAY)
    takedowns = [one for one in read_takedowns(store) if one.takedown_id == begun and one.undone_at is None]
    if begun and takedowns:
        apply_takedowns(
            takedowns, index=index, store=store, now=now, elsewhere=elsewhere, on_step=on_step, search=search
        )
    if begun:
        _note_ended(index)


def _note_ended(index: Index) -> None:
    with index.write() as tx:
        note_fact(tx, UNDER_WAY, "")


def _takedown_of(plan: Plan, now: datetime) -> Takedown:
    return Takedown(
        takedown_id=f"{now.astimezone(UTC):%Y%m%dT%H%M%SZ}-{uuid.uuid4().hex[:8]}",
        scope=plan.selection.scope,
        key_digests=plan.digests,
        reason=plan.selection.reason,
        taken_at=now,
        articles=plan.articles,
        revisions=plan.revisions,
        segments=plan.segments,
    )


def _planned(plan: Plan, *, seconds: float) -> ForgetReport:
    return replace(
        NOTHING,
        is_dry_run=True,
        articles=plan.articles,
        revisions=plan.revisions,
        captures=plan.captures,
        segments_rewritten=plan.segments,
        copies=len(plan.copies),
        seconds=round(seconds, 3),
    )


def _kept_by(index: Index, store: ObjectStore) -> Iterable[str]:
    """Yield the places that may keep copies and that we cannot reach."""
    if not index.is_sqlite:
        yield "PostgreSQL's write-ahead log (pg_wal), its archive, replicas, backups, and pages not yet reused"
    match store.keeps_versions():
        case True:
            yield f"{store.uri}: versioning is or was enabled (GetBucketVersioning): old versions of objects remain until a lifecycle rule deletes them"
        case None:
            yield f"{store.uri}: does not report whether versioning is enabled (GetBucketVersioning)"
