"""Serve the index's metrics until interrupted, or return them once; `say` takes a line for people."""

import signal
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from types import FrameType

from tasks.config.loading import load_catalogue
from tasks.config.settings import Settings
from tasks.errors import CatalogueError, IndexUnavailable
from tasks.index.database import open_reader
from tasks.metrics.collector import TIMEOUT_S, CollectorConfig, IndexCollector
from tasks.metrics.server import PATH, bound_server, parse_address, rendered

Say = Callable[[str], None]


class ListedSources:
    """The sources of the catalogue, read again when the file changes; None while there is no catalogue."""

    def __init__(self, path: Path, *, say: Say) -> None:
        self._path = path
        self._say = say
        self._changed_at: float | None = None
        self._ids: frozenset[str] | None = None

    def __call__(self) -> frozenset[str] | None:
        """Return their ids; while the catalogue is missing or invalid, those read last."""
        try:
            self.read_anew()
        except CatalogueError as error:
            self._say(f"presslake: {error}")
        return self._ids

    def read_anew(self) -> None:
        """Read the file if it has changed; raises CatalogueError, once for each version of the file."""
        with suppress(FileNotFoundError):
            changed_at = self._path.stat().st_mtime
            if changed_at != self._changed_at:
                self._changed_at = changed_at
                self._ids = frozenset(source.id for source in load_catalogue(self._path).sources)


def collector_of(settings: Settings, *, max_sources: int, say: Say) -> IndexCollector:
    """Return the collector of the index that the settings name; raises ConfigError for an error that is not transient."""
    with suppress(IndexUnavailable):  # the metrics report it
        open_reader(settings.index, timeout_s=TIMEOUT_S).close()
    if "catalogue" in settings.model_fields_set:
        load_catalogue(settings.catalogue)
    listed = ListedSources(settings.catalogue, say=say)
    listed.read_anew()
    config = CollectorConfig(index_url=settings.index, max_sources=max_sources)
    return IndexCollector(config, listed=listed, report=partial(_report, say))


def read_once(settings: Settings, *, max_sources: int, say: Say) -> tuple[str, bool]:
    """Return the metrics as text, and whether the index could be read; raises ConfigError."""
    collector = collector_of(settings, max_sources=max_sources, say=say)
    return rendered(collector).decode(), collector.trouble is None


def serve_until_interrupted(settings: Settings, listen: str, *, max_sources: int, say: Say) -> None:
    """Serve until Ctrl-C or SIGTERM; raises ConfigError."""
    address = parse_address(listen)
    collector = collector_of(settings, max_sources=max_sources, say=say)
    with bound_server(address, collector) as server:
        signal.signal(signal.SIGTERM, _interrupt)
        signal.signal(
            signal.SIGINT, signal.default_int_handler
        )  # a shell starts background jobs with this signal ignored
        say(f"Metrics: http://{address.at(server.server_port)}{PATH} (Ctrl-C stops it)")
        if not address.is_loopback:
            say("Warning: no authentication. Anyone who can reach this address can read the metrics.")
        with suppress(KeyboardInterrupt):
            server.serve_forever()
    say("Stopped.")


def _report(say: Say, trouble: str | None) -> None:
    say("The index is readable again." if trouble is None else f"The index cannot be read (presslake_up 0): {trouble}")


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt
