"""Find in the lake and the index what takedowns keep out, by their digests alone, so that it works on restored backups too."""

from collections.abc import Iterator
from typing import Any

from tasks.forget.targets import TakedownTargets
from tasks.index.database import Index
from tasks.index.erasing import read_names
from tasks.lake.keys import ARTICLES, CAPTURES, POLICIES
from tasks.lake.objects.stores import ObjectStore
from tasks.lake.reading import StoredFile, list_files, read_columns
from tasks.lake.tables import find_table, open_table
from tasks.runtime.progress import OnStep
from tasks.values.changes import ArticleKey, CaptureKey
from tasks.values.takedown import KeptOut

_COLUMNS = {
    ARTICLES: (
        "article_id",
        "revision",
        "url",
        "url_key",
        "source_id",
        "warc_key",
        "warc_offset",
        "novelty",
        "text_digest",
        "word_count",
        "duplicate_of",
    ),
    CAPTURES: (
        "capture_id",
        "url",
        "final_url",
        "url_key",
        "source_id",
        "article_id",
        "revision",
        "warc_key",
        "warc_offset",
    ),
}


def find_targets(index: Index, store: ObjectStore, kept_out: KeptOut, *, on_step: OnStep) -> TakedownTargets:
    """Return what the lake and the index still hold of what takedowns keep out.

    Raises LakeUnavailable, IndexUnavailable.
    """
    taken = TakedownTargets(kept_out=kept_out)
    for key, source_id in _known(index):
        if kept_out.has_key(key) or kept_out.has_source(source_id):
            taken.url_keys.add(key)
    taken.named |= _named_by_policies(store)
    for file, row in read_table(store, ARTICLES, on_step=on_step):
        _take_article(taken, file, row)
    for file, row in read_table(store, CAPTURES, on_step=on_step):
        _take_capture(taken, file, row)
    return taken


def read_table(store: ObjectStore, name: str, *, on_step: OnStep) -> Iterator[tuple[StoredFile, dict[str, Any]]]:
    """Yield the small columns of each row of a table, with its file; raises LakeUnavailable."""
    files = list_files(open_table(store, name), name)
    for number, file in enumerate(files):
        on_step(f"reading {name}", number, len(files))
        for row in read_columns(store, file, _COLUMNS[name]).to_pylist():
            yield file, row


def _named_by_policies(store: ObjectStore) -> set[str]:
    """Return the segments that hold policy documents."""
    table = find_table(store, POLICIES)
    files = list_files(table, POLICIES) if table else []
    return {key for file in files for key in read_columns(store, file, ("warc_key",))["warc_key"].to_pylist()}


def _known(index: Index) -> Iterator[tuple[str, str]]:
    with index.read() as tx:
        yield from read_names(tx)


def _take_article(taken: TakedownTargets, file: StoredFile, row: dict[str, Any]) -> None:
    taken.named.add(row["warc_key"])
    taken.rows += 1
    if not (taken.has_key(row["url_key"]) or taken.has_source(row["source_id"])):
        return
    taken.url_keys.add(row["url_key"])
    taken.article_ids.add(row["article_id"])
    taken.articles.add(ArticleKey(row["article_id"], row["revision"], file.day))
    taken.claims[row["warc_key"]][row["warc_offset"]] = row["url_key"]


def _take_capture(taken: TakedownTargets, file: StoredFile, row: dict[str, Any]) -> None:
    if row["warc_key"] is not None:
        taken.named.add(row["warc_key"])
    is_named = taken.has_key(row["url_key"]) or taken.has_source(row["source_id"])
    leads_there = row["final_url"] != row["url"] and taken.has_url(row["final_url"])
    if not (is_named or leads_there or row["article_id"] in taken.article_ids):
        return
    if is_named:
        taken.url_keys.add(row["url_key"])
    taken.captures.add(CaptureKey(row["capture_id"], file.day))
    if row["warc_key"] is not None:
        taken.claims[row["warc_key"]][row["warc_offset"]] = row["url_key"]
