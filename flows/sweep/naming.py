"""Name runs after what they do, unless the user named the run."""

from collections.abc import Callable, Collection
from typing import Any, cast

from coolname.data import config as coolnames
from prefect.runtime import flow_run
from pydantic import BaseModel

from tasks.config.parameters import IngestConfig
from tasks.replay.config import ReplayConfig
from tasks.values.display import plural

NAMED = 3
"""The most sources that a run's name lists; beyond that it gives their number."""


def named(describe: Callable[[Any], str]) -> Callable[[], str]:
    """Return the function that Prefect calls for a run's name: the user's own name, else `describe(config)`."""

    def name() -> str:
        own: str = flow_run.name or ""
        return own if own and not is_generated(own) else describe((flow_run.parameters or {}).get("config"))

    return name


def is_generated(name: str) -> bool:
    """Whether Prefect generated a run's name: an adjective and an animal from coolname's lists."""
    first, hyphen, second = name.partition("-")
    return bool(hyphen) and first in _WORDS and second in _WORDS


def sweep_name(given: IngestConfig | dict[str, Any] | None) -> str:
    """Return a sweep's name: `due`, `daily since 6h`, `3 feeds`, `all sources, refetched`."""
    config = given if isinstance(given, IngestConfig) else IngestConfig.model_validate(given or {})
    requested = [plural(len(config.feeds), "feed")] if config.feeds else []
    requested += [plural(len(config.urls), "URL")] if config.urls else []
    what = " and ".join(requested) or _sources(config.sources)
    if config.due_only:
        what = "due" if what == ALL else f"due of {what}"
    how = f"{what} since {config.since}" if config.since else what
    flags = (("refetched", config.refetch), ("forced", config.force), ("dry run", config.dry_run))
    more = [name for name, is_set in flags if is_set]
    more += [f"{plural(config.limit, 'URL')} at most"] if config.limit else []
    return ", ".join([how, *more])


ALL = "all sources"


def _sources(ids: Collection[str]) -> str:
    if not ids:
        return ALL
    return ", ".join(ids) if len(ids) <= NAMED else plural(len(ids), "source")


def report_name(given: BaseModel | dict[str, Any] | None) -> str:
    """Return a report's name: `report of the day`."""
    period = given.get("period") if isinstance(given, dict) else getattr(given, "period", None)
    return f"report of the {getattr(period, 'value', period) or 'day'}"


def replay_name(given: ReplayConfig | dict[str, Any] | None) -> str:
    """Return a replay's name: `replay of daily since 2026-03-01`, `replay of 2 URLs, dry run`."""
    config = given if isinstance(given, ReplayConfig) else ReplayConfig.model_validate(given or {})
    what = plural(len(config.urls), "URL") if config.urls else _sources(config.sources)
    parts = [f"replay of {what}"]
    parts += [f"of {', '.join(config.hosts)}"] if config.hosts and len(config.hosts) <= NAMED else []
    parts += [f"since {config.since}"] if config.since else []
    parts += [f"until {config.until}"] if config.until else []
    more = [str(choice) for choice in (*config.outcomes, *config.reasons)]
    more += [name for name, is_set in (("older rules", config.older), ("dry run", config.dry_run)) if is_set]
    return ", ".join([" ".join(parts), *more])


def backfill_name(given: BaseModel | dict[str, Any] | None) -> str:
    """Return a backfill's name: `backfill of 3 paths`, `backfill of 1 path for daily`."""
    config = given if isinstance(given, dict) else given.model_dump() if given is not None else {}
    sources, dry = _sources(config.get("sources", ())), ", dry run" if config.get("dry_run") else ""
    if not config.get("paths"):
        until = f" until {config['until']}" if config.get("until") else ""
        return f"backfill of {sources} since {config.get('since', '')}{until}{dry}"
    return (
        f"backfill of {plural(len(config['paths']), 'path')}{f' for {sources}' if config.get('sources') else ''}{dry}"
    )


_LISTS = cast("dict[str, dict[str, Any]]", coolnames)
_WORDS = frozenset(word for part in _LISTS.values() for word in part.get("words", ()) if isinstance(word, str))
