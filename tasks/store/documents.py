"""Quarantine documents: one for each page that cannot be processed, with its capture's columns."""

import json
from collections.abc import Iterable
from dataclasses import asdict
from datetime import datetime

from tasks.lake.keys import quarantine_key
from tasks.lake.objects.stores import ObjectStore
from tasks.values.rows import Capture
from tasks.values.text.storable import storable_text


def quarantine_document(capture: Capture, *, batch_id: str) -> bytes:
    """Return the document about a page that cannot be processed: its capture, as JSON; times are ISO 8601, UTC."""
    fields = {
        name: storable_text(value) if isinstance(value, str) else value for name, value in asdict(capture).items()
    }
    return (json.dumps({"batch_id": batch_id, **fields}, indent=2, default=datetime.isoformat) + "\n").encode()


def put_documents(batch_id: str, captures: Iterable[tuple[int, Capture]], store: ObjectStore) -> None:
    """Write the documents of these captures, each under its number in the batch; raises LakeUnavailable."""
    for n, capture in captures:
        body = quarantine_document(capture, batch_id=batch_id)
        store.put(quarantine_key(batch_id, n, capture.dt), body, content_type="application/json")
