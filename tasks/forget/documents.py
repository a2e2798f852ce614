"""Remove what is taken down from the lake's other objects: quarantine documents, set-aside objects, scratch."""

from collections.abc import Callable
from typing import Any

import orjson

from tasks.forget.segments import entomb_records
from tasks.forget.tables import strip_file
from tasks.forget.targets import TakedownTargets
from tasks.forget.work import Work
from tasks.lake.objects.stores import MissingObject
from tasks.lake.tombstones import Cause

JSON = "application/json"


def erase_documents(work: Work) -> None:
    """Delete the documents of quarantine that name what is taken down."""
    _erase_below(work, "quarantine/", _without_any)


def erase_set_asides(work: Work) -> None:
    """Remove what is taken down from what repairs have set aside, so that an undo does not bring it back."""
    _erase_below(work, "set-aside/", _without_parts)


def erase_scratch(work: Work) -> None:
    """Delete units in progress that name what is taken down; they will be extracted again."""
    _erase_below(work, "scratch/", _without_any)


def _erase_below(work: Work, prefix: str, change: Callable[[TakedownTargets, Any], Any]) -> None:
    for found in list(work.store.list(prefix)):
        if found.key.endswith(".warc.gz"):
            entomb_records(
                work.index, work.store, found.key, claims={}, is_taken=work.taken.has_key, cause=Cause.TAKEN_DOWN
            )
        elif found.key.endswith(".parquet"):
            strip_file(work.store, found.key, work.taken)
        else:
            _erase_json(work, found.key, change)


def _erase_json(work: Work, key: str, change: Callable[[TakedownTargets, Any], Any]) -> None:
    try:
        before = orjson.loads(work.store.get(key))
    except MissingObject:
        return
    except ValueError:  # unreadable: what it names is unknown
        work.store.delete(key)
        return
    after = change(work.taken, before)
    if not after:
        work.store.delete(key)
    elif after != before:
        work.store.put(key, orjson.dumps(after, option=orjson.OPT_INDENT_2), content_type=JSON)


def _without_any(taken: TakedownTargets, value: Any) -> Any:  # noqa: ANN401 - a JSON value
    """Return the value, or nothing if any part of it names what is taken down."""
    return None if taken.is_named_in(value) else value


def _without_parts(taken: TakedownTargets, value: Any) -> Any:  # noqa: ANN401
    """Return the value without the elements of its lists that name what is taken down."""
    if isinstance(value, list):
        return [one for one in value if not taken.is_named_in(one)]
    if isinstance(value, dict):
        return {name: _without_parts(taken, one) for name, one in value.items()} if value else value
    return value
