"""The demo: `make demo`. Sweep three small outlets on loopback, change some pages, sweep again. No internet is needed.

Everything is written to `demo/`, which is replaced each time. Exit codes: 0 if the results match what the newsroom published;
1 if they do not, with a line for each difference; 2 if `demo/` was not created by the demo.
"""

import os
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from examples.newsroom.server import Newsroom
from examples.newsroom.truth import Truth
from flows.cli import console
from flows.cli.saying import say, say_error
from flows.cli.sweep_report import show
from flows.server.defaults import set_prefect_defaults
from flows.server.local import local_server
from tasks.config.loading import read_catalogue
from tasks.config.parameters import IngestConfig
from tasks.config.settings import Settings, set_flags
from tasks.errors import ConfigError, PresslakeError
from tasks.report.run_report import RunReport
from tasks.report.trace import Trace, trace
from tasks.runtime.resources import close_opened
from tasks.values.text.digest import text_digest

DEMO = Path("demo")
MARK = DEMO / ".made-by-presslake-demo"
CATALOGUE, LAKE, INDEX, PREFECT_HOME = DEMO / "sources.yaml", DEMO / "lake", DEMO / "presslake.db", DEMO / "prefect"
CORRECTED = "/council/what-your-water-bill-will-look-like/"
QUERY = """\
select any_value(title) filter (is_representative) as story, arg_min(source_id, published_at) as first_in,
       string_agg(source_id || ': ' || novelty, ', ' order by published_at) as printed_by
from articles where revision = 1 group by cluster_id having count(*) > 1 order by story"""

Sweep = Callable[[IngestConfig], RunReport]


def main() -> int:
    """Run the demo and return its exit code."""
    try:
        _begin_afresh()
        return _demonstrate()
    except PresslakeError as error:
        say_error(error)
        return 2 if isinstance(error, ConfigError) else 1
    except KeyboardInterrupt:
        say("Interrupted.")
        return 130


def _begin_afresh() -> None:
    """Delete an earlier demo's folder; raise ConfigError if `demo/` was not created by the demo."""
    if DEMO.exists():
        if not MARK.exists():
            raise ConfigError(f"{DEMO}/ was not created by the demo: move it elsewhere and run the demo again")
        shutil.rmtree(DEMO)
    DEMO.mkdir()
    MARK.write_text("`make demo` replaces this folder each time.\n", encoding="utf-8")


def _demonstrate() -> int:
    with Newsroom() as newsroom:
        CATALOGUE.write_text(newsroom.catalogue(), encoding="utf-8")
        settings = set_flags(catalogue=CATALOGUE, lake=LAKE, index=f"sqlite:///{INDEX}")
        _say(f"Serving three outlets at {newsroom.base_url('courier')} and two neighbouring addresses.")
        _say("Starting a Prefect server for the demo (10 to 25 s) ...")
        with _sweeping(settings) as sweep:
            _head("First sweep")
            before, first = newsroom.truth(), sweep(IngestConfig())
            show(first, settings)
            newsroom.pass_time()
            _say("\nTime passes: an article is corrected, a new one appears, teasers change on most pages.")
            _head("Second sweep, with --refetch")
            after, second = newsroom.truth(), sweep(IngestConfig(refetch=True))
            show(second, settings)
        corrected = newsroom.base_url("courier") + CORRECTED
        history = _show_history(corrected, settings)
        shared = _show_query(settings)
        _show_places(corrected)
        wrong = [
            *_first_faults(first, before),
            *_second_faults(second, before, after),
            *_text_faults(after),
            *_history_faults(history),
            *_unequal("query: stories published by several outlets", shared, before.shared),
            *_manners_faults(newsroom),
        ]
    close_opened()
    for line in wrong:
        say(f"NOT as expected: {line}")
    if not wrong:
        _say(
            f"As expected: {len(before.texts)} articles in the first sweep ({before.distinct - before.edited_copies} new, "
            f"{before.copies} copies, {before.edited_copies} copy with edits); then 1 new and 1 revision. "
            f"All {len(after.texts)} texts match the newsroom's word for word."
        )
    return 1 if wrong else 0


@contextmanager
def _sweeping(settings: Settings) -> Iterator[Sweep]:
    """Yield a function that sweeps; all sweeps share one Prefect server of the demo."""
    os.environ["PREFECT_HOME"] = str(PREFECT_HOME.resolve())
    set_prefect_defaults(is_quiet=True)
    with local_server(has_ui=False) as api_url:
        import prefect.settings as prefect_settings  # noqa: PLC0415 - after the defaults are set

        from flows.sweep.by_hand import run_sweep  # noqa: PLC0415

        with prefect_settings.temporary_settings({prefect_settings.PREFECT_API_URL: api_url}):
            yield lambda config: run_sweep(config, settings, read_catalogue(settings, config), shows_progress=True)


def _show_history(url: str, settings: Settings) -> Trace:
    found = trace(url, settings)
    _head(f"presslake trace {url}")
    console.show_tables(found.tables(now=datetime.now(UTC)))
    return found


def _show_query(settings: Settings) -> int:
    import duckdb  # noqa: PLC0415
    from deltalake import DeltaTable  # noqa: PLC0415

    _head("DuckDB over the articles table: who published the same story, and who was first?")
    _say(QUERY)
    connection = duckdb.connect()
    connection.register("articles", DeltaTable(f"{settings.lake}/articles").to_pyarrow_dataset())
    found = connection.sql(QUERY)
    names, rows = found.columns, found.fetchall()
    connection.close()
    console.show_tables([("", names, rows)])
    return len(rows)


def _show_places(corrected: str) -> None:
    places = [
        ("tables", f"{LAKE}/articles, {LAKE}/captures", "Delta: docs/lake.md shows how to read them"),
        ("bytes", f"{LAKE}/warc", "WARC 1.1, every response as received"),
        ("index", f"{INDEX}", "SQLite"),
        ("catalogue", f"{CATALOGUE}", "YAML"),
    ]
    console.show_line("")
    console.show_tables([("Where the data is", ("part", "path", "format"), list(places))])
    _head("Try next (the outlets are offline now; everything they published is stored)")
    for command in next_commands(corrected):
        _say(command)


def next_commands(corrected: str) -> tuple[str, ...]:
    """Return the commands recommended at the end; none needs the demo's press, which is closed by then."""
    index, flags = f"--index sqlite:///{INDEX}", f"--lake {LAKE} --index sqlite:///{INDEX}"
    command = ".venv/bin/presslake"
    return (
        f"{command} status {index}",
        f"{command} trace {corrected} --diff {flags}",
        f"{command} search ferry {flags}",
        f"{command} browse {flags}",
        f"PREFECT_HOME=$PWD/{PREFECT_HOME} .venv/bin/prefect server start",
    )


def _first_faults(report: RunReport, truth: Truth) -> Iterator[str]:
    yield from _unequal("first sweep: URLs discovered", report.discovered, truth.announced)
    expected = {
        "new": truth.distinct - truth.edited_copies,
        "near_duplicate": truth.edited_copies,
        "duplicate": truth.copies,
        "unchanged": len(truth.twins),  # AMP twins of known pages
    }
    yield from _unequal("first sweep: articles", report.articles, expected)
    skipped = {"robots_disallowed": truth.beside["disallowed"], "not_html": truth.beside["document"], "feed_empty": 1}
    yield from _unequal("first sweep: skipped", report.skipped, skipped)
    yield from _unequal("first sweep: failed", report.failed, {"http_404": truth.beside["missing"]})


def _second_faults(report: RunReport, before: Truth, after: Truth) -> Iterator[str]:
    changed = sum(after.texts[url] != text for url, text in before.texts.items())
    yield from _unequal("second sweep: URLs discovered", report.discovered, after.announced - before.announced)
    yield from _unequal("second sweep: not modified", report.not_modified, before.steady_pages)
    expected = {
        "new": after.distinct - before.distinct,
        "revision": changed,
        "unchanged": before.pages - before.steady_pages - changed,
    }
    yield from _unequal("second sweep: articles", report.articles, expected)
    yield from _unequal("second sweep: failed", report.failed, {"http_404": after.beside["missing"]})


def _text_faults(truth: Truth) -> Iterator[str]:
    """Yield the differences between the newest revisions in the lake and the newsroom's texts."""
    from deltalake import DeltaTable  # noqa: PLC0415

    columns = ["url", "revision", "text_digest"]
    rows = DeltaTable(str(LAKE / "articles")).to_pyarrow_table(columns=columns).sort_by("revision").to_pylist()
    pages = {twin: page for page, twin in truth.twins.items()}  # either of the two may have been fetched first
    stored = {pages.get(row["url"], row["url"]): row["text_digest"] for row in rows}
    for url in sorted(stored.keys() | truth.texts.keys()):
        if url not in stored:
            yield f"{url} is not in the articles table"
        elif url not in truth.texts:
            yield f"{url} is in the articles table but is not an article"
        elif stored[url] != text_digest(truth.texts[url]):
            yield f"{url} has a different text in the articles table than in the newsroom"


def _history_faults(found: Trace) -> Iterator[str]:
    """Yield what is missing from the corrected article's history: two captures, two revisions."""
    yield from _unequal("trace: captures", len(found.captures), 2)
    yield from _unequal("trace: revisions", [row["novelty"] for row in found.revisions], ["new", "revision"])


def _manners_faults(newsroom: Newsroom) -> Iterator[str]:
    closed = {one.path for outlet in newsroom.outlets for one in outlet.beside if one.kind == "disallowed"}
    for one in newsroom.asked:
        if one.path in closed:
            yield f"{one.path} was requested against {one.outlet_id}'s robots.txt"


def _unequal(what: str, found: object, expected: object) -> Iterator[str]:
    if found != expected:
        yield f"{what}: {found}, expected {expected}"


def _head(line: str) -> None:
    console.show_line("")
    console.show_line(line, console.CYAN)


def _say(line: str) -> None:
    console.show_line(line)


if __name__ == "__main__":
    sys.exit(main())
