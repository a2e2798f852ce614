"""A run as the markdown artifact that Prefect's UI shows. Pure."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from tasks.health.judgement import GOOD, HealthReport
from tasks.health.table import health_summary
from tasks.report.links import NO_LINKS, Links, linked
from tasks.report.plot import stacked_bars
from tasks.report.run_report import DRIFT_HEAD, SHOWN, RunReport, drift_rows, most_first, summary_line
from tasks.values.display import Table
from tasks.values.rows import DOUBTFUL_BELOW, Novelty
from tasks.values.text.escape import as_code, as_text

PLOTTED = 15
NOBODY = HealthReport()


def to_markdown(report: RunReport, health: HealthReport = NOBODY, links: Links = NO_LINKS) -> str:
    """Return the run and the health of its sources, with links to the pages of `presslake browse`."""
    blocks = [f"# {summary_line(report)}", *_newest(report, links)]
    if report.fell_short:
        blocks.append(f"**Fell short:** {as_text(report.fell_short)}")
    if report.limits:
        blocks.append("## Limits reached")
        blocks.append("\n".join(f"- {as_text(one)}" for one in report.limits[:SHOWN]))
    for part in (_figures(report), _sources(health, links), _trouble(report, links), _lake(report)):
        blocks += part
    return "\n\n".join(blocks) + "\n"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a markdown table; the cells must be markdown already."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def of_tables(tables: Iterable[Table]) -> str:
    """Return titled tables of plain values."""
    blocks = []
    for title, head, rows in tables:
        blocks.append(f"## {as_text(title)}" if rows else as_text(title))
        if rows:
            blocks.append(table(head, [[as_text(str(cell)) for cell in row] for row in rows]))
    return "\n\n".join(blocks) + "\n"


def _newest(report: RunReport, links: Links) -> Iterator[str]:
    """Yield the newest articles, if they can be linked to."""
    if links.base is None:
        return
    yield f"See {linked('the newest articles', links.newest())} and {linked('the failures', links.failures())}."
    if report.headlines:
        yield "\n".join(
            f"- {linked(as_text(one.title), links.url(one.url))}, {as_code(one.source_id)}" for one in report.headlines
        )


def _figures(report: RunReport) -> Iterator[str]:
    rate = report.fetched / report.seconds if report.seconds else 0.0
    skipped, failed = sum(report.urls_skipped.values()), sum(report.urls_failed.values())
    looks = (report.fetched, report.not_modified, skipped, failed, report.quarantined)
    counts = (report.discovered, report.known_before, *looks, report.pending)
    head = ("discovered", "known before", "fetched", "not modified", "skipped", "failed", "quarantined", "pending")
    yield table(head, [[f"{number:,}" for number in counts]])
    figures = (f"{report.polled:,}", f"{report.payload_size / 1e6:.1f}", f"{rate:.1f}", f"{report.seconds:.1f}")
    yield table(("feeds polled", "MB in", "pages/s", "seconds"), [figures])
    yield "## Articles"
    yield table(
        ("novelty", "articles"), [(novelty.value, str(report.articles.get(novelty.value, 0))) for novelty in Novelty]
    )


def _sources(health: HealthReport, links: Links) -> Iterator[str]:
    if not health.sources:
        return
    yield "## Sources"
    if plot := _plot(health):
        yield plot
    yield f"{health_summary(health.sources)}; see the artifact `source-health` for all."
    if unwell := [one for one in health.sources if one.detail][:SHOWN]:
        yield table(
            ("source", "state", "why"),
            [
                (linked(as_code(one.source_id), links.source(one.source_id)), one.state.value, as_text(one.detail))
                for one in unwell
            ],
        )


def _trouble(report: RunReport, links: Links) -> Iterator[str]:
    feeds = {**report.feeds_failed, **report.feeds_skipped}
    for title, what, counts, to in (
        ("Skipped", "URLs", report.urls_skipped, links),
        ("Failed", "URLs", report.urls_failed, links),
        ("Feeds", "feeds or their links", feeds, NO_LINKS),
    ):
        if counts:
            yield f"## {title}"
            rows = [(linked(as_code(reason), to.reason(reason)), str(number)) for reason, number in most_first(counts)]
            yield table(("reason", what), rows)
    if report.quarantined:
        yield f"{report.quarantined} quarantined: their payloads are kept; see the artifact `quarantine`."
    if report.doubtful:
        rows = [(as_code(source_id), str(number)) for source_id, number in most_first(report.doubtful)[:SHOWN]]
        yield "## Doubtful"
        yield table(("source", f"articles with a quality below {DOUBTFUL_BELOW:g}"), rows)
    if report.drifted:
        yield "## Drifted"
        yield table(DRIFT_HEAD, [(as_code(source), *figures) for source, *figures in drift_rows(report)])
    if report.slowest_hosts:
        yield "## Slowest hosts"
        rows = [(as_code(host), f"{elapsed_ms / 1000:.2f}") for host, elapsed_ms in report.slowest_hosts]
        yield table(("host", "slowest response, s"), rows)


def _lake(report: RunReport) -> Iterator[str]:
    if report.lake:
        yield "## In the lake"
        yield f"{as_code(report.lake)}: the tables `captures` (`run_id = '{report.run_id}'`) and `articles`."
        if report.segments:
            shown = report.segments[:SHOWN]
            rest = f"WARC segments, {len(shown)} of {len(report.segments)}"
            yield table((rest,), [(as_code(key),) for key in shown])


def _plot(health: HealthReport) -> str:
    """Draw the results of the run's looks, for the sources with the most looks."""
    looked = sorted(health.sources, key=lambda one: (-sum(one.came_to.values()), one.source_id))[:PLOTTED]
    rows = []
    for one in looked:
        shown = Counter({kind: number for kind, number in one.came_to.items() if kind in GOOD})
        shown["no article"] = sum(one.came_to.values()) - sum(shown.values())
        if one.came_to:
            rows.append((one.source_id, shown))
    kinds = (*(novelty.value for novelty in Novelty), "not_modified", "no article")
    return stacked_bars("Visits by source", rows, kinds)
