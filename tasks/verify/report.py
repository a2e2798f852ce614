"""The result of a verification, as tables, as JSON and in one line. Pure."""

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from tasks.values.display import Rows, Table, plural
from tasks.verify.fault import VerifyReport
from tasks.verify.set_aside import UndoReport

SHOWN = 50
"""The most faults of a kind in a table; `--json` has more."""


def undo_tables(undone: UndoReport) -> Iterator[Table]:
    """Return what was restored, and what was not, as titled tables."""
    kept: Rows = [(name,) for name in (*undone.objects_kept, *undone.rows_kept)]
    if kept:
        yield f"Not restored, because something newer is in place: {len(kept)}", ("object or row",), kept[:SHOWN]
    yield (
        f"{plural(undone.objects_restored, 'object')} and {plural(undone.rows_restored, 'row')} of the index restored.",
        (),
        [],
    )


def summary_line(report: VerifyReport) -> str:
    """Return in one line what was found."""
    if not report.harmful:
        return "Nothing found."
    left = report.harmful - report.mended
    mended = f", {report.mended} mended" if report.mended else ""
    return f"{plural(report.harmful, 'fault')}{mended}{', none left' if not left else ''}."


def as_json(report: VerifyReport) -> dict[str, Any]:
    """Return it as plain data."""
    faults = [
        {
            "kind": fault.kind.value,
            "place": fault.place,
            "detail": fault.detail,
            "mend": fault.mend,
            "is_mended": fault.is_mended,
            "is_harmless": fault.is_harmless,
        }
        for fault in report.faults
    ]
    return {**asdict(report), "faults": faults, "harmful": report.harmful, "is_well": report.is_well}


def tables(report: VerifyReport) -> Iterator[Table]:
    """Return it as titled tables."""
    checked: Rows = [tuple(report.checked.values())]
    yield f"Checked in {report.seconds:.1f} s", tuple(report.checked), checked
    for kind, number in report.found.items():
        faults = [fault for fault in report.faults if fault.kind.value == kind]
        mended = sum(fault.is_mended for fault in faults)
        state = ", ".join([*(["harmless"] if faults[0].is_harmless else ()), f"{mended} mended"])
        rows: Rows = [(fault.place, fault.detail) for fault in faults[:SHOWN]]
        yield f"{kind}: {number} ({state}); mend: {faults[0].mend}", ("place", "fault"), rows
    if report.set_asides:
        aside: Rows = [
            (one.verify_id, f"{one.made_at:%Y-%m-%d %H:%M}", one.objects, one.size) for one in report.set_asides
        ]
        yield "Set aside by repairs, for `--undo`", ("verify_id", "at", "objects", "bytes"), aside
    yield summary_line(report), (), []
