"""Answers of origins, by name: robots.txt, documents about permitted use, and other daily requests.

A document that returns to an earlier form gets another turn, so that its row in the lake is a separate one.
"""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, and_, delete, or_, select

from tasks.index import policies
from tasks.index.schema import robots
from tasks.index.statements import upsert
from tasks.values.permit import LearnedRobots, RobotsAnswer
from tasks.values.rights import FORM_LENGTH, returned_id, turn_of

ROBOTS_FRESH = timedelta(hours=24)
"""RFC 9309, 2.4: cached copies expire after 24 hours."""

ROBOTS_FAILURE_FRESH = timedelta(minutes=10)
"""How long to wait before requesting robots.txt again after a 5xx, a 429 or no response."""

_Form = tuple[str | None, str | None]
_NEW: _Form = (None, None)


def read(tx: Connection, names: Collection[str], *, now: datetime) -> dict[str, RobotsAnswer]:
    """Return the stored answers by name, fresh or not."""
    rows = tx.execute(select(robots).where(robots.c.origin.in_(sorted(names)))).all()
    return {row.origin: _answer(row, now) for row in rows}


def prune(tx: Connection, *, before: datetime, documents_before: datetime) -> int:
    """Delete answers fetched before `before`, but documents only before `documents_before`; returns how many."""
    is_old = or_(and_(robots.c.fetched_at < before, robots.c.form.is_(None)), robots.c.fetched_at < documents_before)
    # skip rows that are being written
    old = select(robots.c.origin).where(is_old).with_for_update(skip_locked=True)
    return tx.execute(delete(robots).where(robots.c.origin.in_(old))).rowcount


def _answer(row: Any, now: datetime) -> RobotsAnswer:  # noqa: ANN401 - a row of the table
    age = now - row.fetched_at
    is_failure = row.status is None or row.status >= 500 or row.status == 429
    return RobotsAnswer(
        origin=row.origin,
        status=row.status,
        body=row.body or b"",
        fetched_at=row.fetched_at,
        evidence=row.evidence,
        turn=row.turn,
        age=age,
        is_fresh=age < (ROBOTS_FAILURE_FRESH if is_failure else ROBOTS_FRESH),
    )


def keep(tx: Connection, learned: Sequence[LearnedRobots]) -> None:
    """Replace the stored answers and record when documents were seen. Sorted, so that all writers lock in one order."""
    several = {
        document.answer.origin: document for document in sorted(learned, key=lambda document: document.answer.origin)
    }
    before = _forms(tx, several)
    changed = {
        name: document for name, document in several.items() if document.form not in {None, before.get(name, _NEW)[0]}
    }
    known = policies.known_forms(tx, (document.policy_id for document in changed.values() if document.policy_id))
    forms = before | {
        name: (document.form, _turn(tx, document, before.get(name, _NEW), known)) for name, document in changed.items()
    }
    rows = [_row(document.answer, *forms.get(name, _NEW)) for name, document in several.items()]
    upsert(tx, robots, rows, by=["origin"], newest=("status", "body", "fetched_at", "evidence", "form", "turn"))
    turns = {row["origin"]: row["turn"] for row in rows}
    seen = ((document.policy_id, turns[name], document.answer.fetched_at) for name, document in several.items())
    policies.see(tx, {returned_id(policy_id, turn): at for policy_id, turn, at in seen if policy_id})


def _forms(tx: Connection, names: Collection[str]) -> dict[str, _Form]:
    """Return the stored forms and turns, by name."""
    columns = (robots.c.origin, robots.c.form, robots.c.turn)
    rows = tx.execute(select(*columns).where(robots.c.origin.in_(sorted(names)))).all() if names else ()
    return {row.origin: (row.form, row.turn) for row in rows}


def _row(answer: RobotsAnswer, form: str | None, turn: str | None) -> dict[str, Any]:
    return {
        "origin": answer.origin,
        "status": answer.status,
        "body": answer.body,
        "fetched_at": answer.fetched_at,
        "evidence": answer.evidence,
        "form": form,
        "turn": turn,
    }


def _turn(tx: Connection, document: LearnedRobots, before: _Form, known: Collection[str]) -> str | None:
    """Return the turn of a document whose form has returned, or None if its form is not `known`."""
    if document.policy_id is None or document.policy_id[:FORM_LENGTH] not in known:
        return None
    former = "".join(filter(None, before)) or policies.seen_after(tx, document.policy_id)
    return turn_of(document.policy_id, former) if former else None
