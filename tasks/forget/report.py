"""The plan and the result of a takedown, as tables, as JSON and in one line. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tasks.forget.plan import Plan
from tasks.values.display import Rows, Table, plural

SHOWN = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class ForgetReport:
    """What was removed, or would be in a dry run. `copies` are the copies elsewhere that stay.

    `versions` are the first versions of the tables that can still be read, and `notes` say which places may keep
    copies.
    """

    takedown_id: str | None
    is_dry_run: bool
    articles: int
    revisions: int
    captures: int
    segments_rewritten: int
    copies: int
    versions: dict[str, int]
    notes: tuple[str, ...]
    seconds: float


NOTHING = ForgetReport(
    takedown_id=None,
    is_dry_run=False,
    articles=0,
    revisions=0,
    captures=0,
    segments_rewritten=0,
    copies=0,
    versions={},
    notes=(),
    seconds=0.0,
)


def plan_tables(plan: Plan) -> Iterator[Table]:
    """Return the plan as titled tables."""
    figures: Rows = [(plan.articles, plan.revisions, plan.captures, plan.segments, len(plan.taken.url_keys))]
    yield "To be forgotten", ("articles", "revisions", "captures", "segments", "URLs"), figures
    if plan.copies:
        fate = "removed too" if plan.selection.copies else "they stay (use --copies to remove them too)"
        rows: Rows = [(one.how, one.article_id, one.url) for one in plan.copies[:SHOWN]]
        yield f"{plural(len(plan.copies), 'copy', 'copies')} elsewhere: {fate}", ("relation", "article", "URL"), rows


def tables(report: ForgetReport) -> Iterator[Table]:
    """Return the result as titled tables."""
    if report.versions:
        rows: Rows = sorted(report.versions.items())
        yield "First readable version", ("table", "version"), rows
    if report.notes:
        yield "May still contain some of it", ("",), [(note,) for note in report.notes]
    yield summary_line(report), (), []


def summary_line(report: ForgetReport) -> str:
    """Return in one line what was removed."""
    if not (report.articles or report.captures or report.segments_rewritten or report.takedown_id):
        return "Nothing matches; nothing to forget."
    parts = (
        plural(report.articles, "article"),
        f"{plural(report.revisions, 'revision')}",
        plural(report.captures, "capture"),
        plural(report.segments_rewritten, "segment"),
    )
    verb = "Would forget" if report.is_dry_run else "Forgotten:"
    named = f" (takedown {report.takedown_id})" if report.takedown_id else ""
    return f"{verb} {', '.join(parts)}{named}."


def as_json(report: ForgetReport) -> dict[str, Any]:
    """Return the report as plain data."""
    return {name: getattr(report, name) for name in ForgetReport.__dataclass_fields__}
