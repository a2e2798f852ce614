"""Check the quarantine documents: each capture in quarantine has one, and there are no others."""

import re
from collections.abc import Iterable, Iterator
from typing import Any

import orjson

from tasks.lake.keys import quarantine_key
from tasks.lake.objects.stores import MissingObject, ObjectStore
from tasks.store.documents import quarantine_document
from tasks.values.rows import Capture
from tasks.verify.fault import Fault, FaultKind
from tasks.verify.set_aside import Journal
from tasks.verify.snapshot import Snapshot

_KEY = re.compile(r"quarantine/dt=[0-9-]{10}/(?P<batch_id>.+)-(?P<n>[0-9]+)\.json")
_SEGMENT = re.compile(r"warc/dt=[0-9-]{10}/(?P<batch_id>.+)\.warc\.gz")

_DOCUMENTS = "SELECT key FROM object WHERE key LIKE 'quarantine/%' ORDER BY key"
_WITHOUT = """
SELECT capture_id, url_key, place, warc_key FROM capture WHERE outcome = 'quarantined' AND warc_key IS NOT NULL AND place <> 'outbox'
    AND capture_id NOT IN (SELECT capture_id FROM document WHERE capture_id IS NOT NULL) ORDER BY capture_id
"""
_ORPHANS = """
SELECT key, capture_id IS NULL FROM document
    WHERE capture_id IS NULL OR capture_id NOT IN (SELECT capture_id FROM capture WHERE outcome = 'quarantined')
"""


def check_documents(store: ObjectStore, snapshot: Snapshot) -> Iterator[Fault]:
    """Yield captures in quarantine without a readable document, and documents without a capture."""
    snapshot.add("document", _read_documents(store, [key for (key,) in snapshot.ask(_DOCUMENTS)]))
    wanting = set()
    for capture_id, url_key, place, warc_key in snapshot.ask(_WITHOUT):
        wanting.add(_batch_id(_SEGMENT, warc_key))
        detail = f"{url_key} is in quarantine, but has no document"
        yield Fault(
            kind=FaultKind.MISSING_DOCUMENT, place=f"{place}: capture {capture_id}", detail=detail, key=capture_id
        )
    for key, is_damaged in snapshot.ask(_ORPHANS):
        if is_damaged and _batch_id(_KEY, key) in wanting:
            continue  # an unreadable document counts as missing
        yield Fault(kind=FaultKind.ORPHAN_DOCUMENT, place=key, detail="it belongs to no capture in quarantine", key=key)


def write_documents(store: ObjectStore, journal: Journal, captures: Iterable[tuple[int, Capture]]) -> Iterator[str]:
    """Write the documents of these captures again, each under its number in the batch; yields the ids of the captures.

    An unreadable document is set aside first.
    """
    for number, capture in captures:
        batch_id = _batch_id(_SEGMENT, capture.warc_key or "")
        if batch_id is None:
            continue
        key = quarantine_key(batch_id, number, capture.dt)
        if store.exists(key) and _capture_id(store, key) not in {None, capture.capture_id}:
            # the file was packed since, or has another day's part of the batch: any free number works
            taken = (_number(found.key) for found in store.list(f"quarantine/dt={capture.dt}/{batch_id}-"))
            key = quarantine_key(batch_id, max(taken, default=number) + 1, capture.dt)
        journal.set_aside(key)
        store.put(key, quarantine_document(capture, batch_id=batch_id), content_type="application/json")
        yield capture.capture_id


def _read_documents(store: ObjectStore, keys: Iterable[str]) -> Iterator[tuple[str | None, str]]:
    return ((_capture_id(store, key), key) for key in keys)


def _capture_id(store: ObjectStore, key: str) -> str | None:
    try:
        on_step: Any = orjson.loads(store.get(key))
        return str(on_step["capture_id"])
    except (ValueError, LookupError, TypeError, MissingObject):
        return None


def _batch_id(pattern: re.Pattern[str], key: str) -> str | None:
    named = pattern.fullmatch(key)
    return named["batch_id"] if named else None


def _number(key: str) -> int:
    named = _KEY.fullmatch(key)
    return int(named["n"]) if named else -1
