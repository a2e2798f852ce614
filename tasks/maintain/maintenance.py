"""Maintain: put lake and index in order while sweeps run; after an interruption it can start again.

It migrates digests and sketches to the current algorithm, since this may change clusters, updates the cluster columns
of rows, packs small files, and finally deletes what has expired.
"""

import time
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from tasks.config.loading import load_catalogue
from tasks.config.retention import NO_RETENTION, RetentionRules
from tasks.config.settings import Settings
from tasks.index.database import Index
from tasks.lake.growing import add_missing_columns
from tasks.lake.keys import LATER_TABLES, TABLES
from tasks.lake.objects.stores import ObjectStore
from tasks.lake.tables import find_table, open_table
from tasks.maintain.algorithms import migrate_to_current
from tasks.maintain.cluster_rows import update_clusters
from tasks.maintain.compaction import Compaction, pack_small_files
from tasks.maintain.config import MIB, MaintainConfig
from tasks.maintain.expiry import Expiry, expire_payloads, expire_texts
from tasks.maintain.policy_rows import update_sightings
from tasks.maintain.retention import (
    check_table,
    delete_old_files,
    prune_index,
    prune_scratch,
    prune_set_aside,
    tidy_log,
)
from tasks.runtime.places import is_there
from tasks.runtime.progress import OnStep
from tasks.runtime.resources import check_known_lake, opened_index, opened_store


@dataclass(frozen=True, slots=True, kw_only=True)
class MaintainReport:
    """The result of one maintenance, or of a dry run.

    `articles_moved` and `rows_moved` had an older algorithm, in index and lake. `clusters_told` is the number of
    changed clusters, and `cluster_rows` that of the rows updated for them. `policy_rows` got the day on which
    their documents were last seen. `files_packed` became `files_made`. `files_deleted` had expired, and so had
    `set_aside_deleted` (objects that a repair took out 30 days ago), `urls_forgotten` (rows of the frontier, feeds,
    robots.txt) and `shapes_forgotten`. `texts_expired` were removed from rows, and `payloads_expired` records from
    segments, by the catalogue's retention. `articles_indexed` were brought up to date in the search index, if there is
    one.
    """

    is_dry_run: bool
    articles_moved: int
    rows_moved: int
    clusters_told: int
    cluster_rows: int
    policy_rows: int
    files_packed: int
    files_made: int
    files_deleted: int
    set_aside_deleted: int
    urls_forgotten: int
    shapes_forgotten: int
    texts_expired: int = 0
    payloads_expired: int = 0
    articles_indexed: int = 0
    seconds: float


def maintain_lake(config: MaintainConfig, settings: Settings, *, on_step: OnStep) -> MaintainReport:
    """Put the lake and the index that the settings name in order; raises ConfigError, and as `maintain` does."""
    check_known_lake(settings)
    done = maintain(
        index=opened_index(settings),
        store=opened_store(settings),
        config=config,
        now=datetime.now(UTC),
        on_step=on_step,
        retention=_retention(settings),
    )
    if config.dry_run:
        return done
    is_expired = done.texts_expired > 0
    return replace(done, articles_indexed=_update_search(settings, on_step, is_expired=is_expired))


def _retention(settings: Settings) -> RetentionRules:
    """Return the retention rules; without a catalogue everything is kept for ever. Raises CatalogueError."""
    return load_catalogue(settings.catalogue).retention() if is_there(settings.catalogue) else NO_RETENTION


def _update_search(settings: Settings, on_step: OnStep, *, is_expired: bool) -> int:
    """Bring the search index up to date, if there is one; returns how many articles were added or taken out.

    If texts have expired it is rebuilt, since deleted words would stay in its files.
    """
    from tasks.search.folder import throw_away  # noqa: PLC0415 - sweeps need no search
    from tasks.search.searching import bring_up_to_date, has_search_index  # noqa: PLC0415

    if not has_search_index(settings):
        return 0
    if is_expired:
        throw_away(settings)
    done = bring_up_to_date(settings, on_step=on_step)
    return done.added + done.removed


def maintain(
    *,
    index: Index,
    store: ObjectStore,
    config: MaintainConfig,
    now: datetime,
    on_step: OnStep,
    retention: RetentionRules = NO_RETENTION,
) -> MaintainReport:
    """Put lake and index in order; raises IndexUnavailable, LakeUnavailable, DamagedTable, LakeFormatError.

    In a damaged lake it does nothing: expired files may be the only copy of some rows.
    """
    begun, is_dry_run = time.monotonic(), config.dry_run
    compaction = Compaction(store=store, size=config.file_mib * MIB, now=now, is_dry_run=is_dry_run, on_step=on_step)
    names = (*TABLES, *(name for name in LATER_TABLES if find_table(store, name)))
    for name in names:
        check_table(store, name)
    if not is_dry_run:
        add_missing_columns(store)
    moved = migrate_to_current(compaction, index)
    clusters = update_clusters(compaction, index)
    expiry = Expiry(index=index, store=store, rules=retention, now=now, is_dry_run=is_dry_run, on_step=on_step)
    texts, payloads = expire_texts(expiry), expire_payloads(expiry)
    sightings = update_sightings(compaction, index)
    packed = made = deleted = 0
    for name in names:
        table = open_table(store, name)
        done = pack_small_files(compaction, table, name)
        packed, made = packed + done.before, made + done.after
        on_step(f"deleting old files of {name}", 0, 0)
        deleted += delete_old_files(store, table, name, keep_days=config.keep_days, is_dry_run=is_dry_run)
        if not is_dry_run:
            tidy_log(table)
    set_aside = prune_set_aside(store, now=now, is_dry_run=is_dry_run)
    if not is_dry_run:
        prune_scratch(store, now=now)
    on_step("index", 0, 0)
    forgotten, shapes = prune_index(index, now=now, shapes_days=config.shapes_days, is_dry_run=is_dry_run)
    return MaintainReport(
        is_dry_run=is_dry_run,
        articles_moved=moved.articles,
        rows_moved=moved.rows,
        clusters_told=clusters.clusters,
        cluster_rows=clusters.rows,
        policy_rows=sightings,
        files_packed=packed,
        files_made=made,
        files_deleted=deleted,
        set_aside_deleted=set_aside,
        urls_forgotten=forgotten,
        shapes_forgotten=shapes,
        texts_expired=texts,
        payloads_expired=payloads,
        seconds=round(time.monotonic() - begun, 3),
    )


def summary_line(report: MaintainReport) -> str:
    """Return in one line what was done."""
    done = [
        (report.articles_moved, "{} articles moved to the current algorithm"),
        (report.cluster_rows, "{} rows updated with their cluster"),
        (report.policy_rows, "{} rows of policies updated"),
        (report.files_packed, f"{{}} files packed into {report.files_made:,}"),
        (report.files_deleted, "{} old files deleted"),
        (report.set_aside_deleted, "{} set-aside objects deleted"),
        (report.texts_expired, "{} texts expired"),
        (report.payloads_expired, "{} records expired"),
        (report.articles_indexed, "{} articles updated in the search index"),
        (report.urls_forgotten + report.shapes_forgotten, "{} expired index rows deleted"),
    ]
    said = ", ".join(text.format(f"{number:,}") for number, text in done if number) or "Nothing to do"
    return f"{'Would be: ' if report.is_dry_run and said[0].isdigit() else ''}{said}."
