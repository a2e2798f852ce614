"""Rows of what was taken down: a backup that was restored, or a takedown that was killed, leaves them."""

from collections.abc import Iterator

from tasks.values.takedown import KeptOut
from tasks.verify.fault import Fault, FaultKind
from tasks.verify.snapshot import Snapshot

_ROWS = """
SELECT url_key, source_id, article_id, 'articles' FROM revision
UNION ALL SELECT url_key, '', capture_id, 'captures' FROM capture
UNION ALL SELECT url_key, '', url_key, 'frontier' FROM url
"""


def find_taken_rows(snapshot: Snapshot, kept_out: KeptOut) -> Iterator[Fault]:
    """Yield the rows of lake and index that takedowns keep out."""
    if not kept_out:
        return
    for url_key, source_id, key, table in snapshot.ask(_ROWS):
        if kept_out.has_key(url_key) or kept_out.has_source(source_id):
            detail = "it was taken down, and is there again"
            yield Fault(kind=FaultKind.TAKEN_DOWN, place=f"{table}: {key}", detail=detail, key=key)
