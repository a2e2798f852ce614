"""Confine an exception that is not ours to the item that was being processed (ADR 0017).

Pure. This is the only place that catches `Exception`. Our own errors (tasks/errors.py) define what happens to an item.
"""

import re
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import PurePath
from typing import TypeVar

from tasks.errors import (
    DETAIL_LENGTH,
    TRACE_LENGTH,
    ItemError,
    PresslakeError,
    TooManyUnexpected,
    UnexpectedError,
)
from tasks.values.display import without_users

FEWEST_UNEXPECTED = 5
GREATEST_SHARE = 0.2

MAX_FRAMES = 20
_MESSAGE_LENGTH = 300
# in words or a query, a password is a value
_SECRET = re.compile(
    r"""((?:password|passwd|secret|token|api_?key|authorization|credential)\w*["']?\s*[=:]\s*)[^\s&,;]+""",
    re.IGNORECASE,
)

Row = TypeVar("Row")


@contextmanager
def guarded_item(item: str) -> Iterator[None]:
    """Convert an exception that is not ours into an UnexpectedError that names the `item`; ours pass."""
    try:
        yield
    except PresslakeError:
        raise
    except Exception as error:
        if (own := _own_error(error)) is not None:
            raise own from error
        raise UnexpectedError(f"{_shown(error)} at {item}"[:DETAIL_LENGTH], trace=_trace(error)) from error


def is_our_fault(unexpected: int, *, of: int) -> bool:
    """Whether exceptions affect too many items of a batch, which means that the fault is ours and not the web's."""
    return unexpected > FEWEST_UNEXPECTED and unexpected > GREATEST_SHARE * of


def check_share(unexpected: Sequence[UnexpectedError], *, of: int, what: str) -> None:
    """Raise TooManyUnexpected, with the first traceback, if exceptions affect too many `of` a batch's items."""
    if is_our_fault(len(unexpected), of=of):
        first = unexpected[0]
        raise TooManyUnexpected(
            f"{len(unexpected)} of {of} {what} raised an exception; the first: {first}\n{first.trace}"
        )


def store_rows(rows: Sequence[Row], store: Callable[[Sequence[Row]], None]) -> list[tuple[Row, UnexpectedError]]:
    """Store rows together; returns the rows that cannot be stored, found by bisection, each with its error.

    `store` takes any subset of the rows, and must store nothing if it raises.
    """
    if not rows:
        return []
    try:
        with guarded_item(f"{len(rows)} rows"):
            store(rows)
    except UnexpectedError as error:
        if len(rows) == 1:
            return [(rows[0], error)]
        middle = len(rows) // 2
        return [*store_rows(rows[:middle], store), *store_rows(rows[middle:], store)]
    return []


def _own_error(error: BaseException) -> PresslakeError | None:
    """Return the error of an exception group that affects more than an item: a port is unavailable, or the process must stop."""
    own = (one for one in _leaves(error) if isinstance(one, PresslakeError) and not isinstance(one, ItemError))
    return next(own, None)


def _leaves(error: BaseException) -> Iterator[BaseException]:
    if isinstance(error, BaseExceptionGroup):
        for one in error.exceptions:
            yield from _leaves(one)
    else:
        yield error


def _shown(error: BaseException) -> str:
    """Return an exception's type and the first line of its message, without possible secrets and terminal codes."""
    # later lines may contain SQL values and driver hints
    line = next(iter(str(error).strip().splitlines()), "")
    line = _SECRET.sub(r"\1***", without_users(line[: 2 * _MESSAGE_LENGTH]))[:_MESSAGE_LENGTH]
    return _visible(f"{type(error).__name__}: {line}" if line else type(error).__name__)


def _trace(error: BaseException) -> str:
    """Return an exception's traceback, outermost frame first, without values."""
    frames = traceback.extract_tb(error.__traceback__)[-MAX_FRAMES:]
    lines = [f"{_place(frame.filename)}:{frame.lineno} in {frame.name}" for frame in frames]
    cause = error.__cause__ or error.__context__
    because = [f"because of {_shown(cause)}"] if cause is not None else []
    return "\n".join(_visible(line) for line in (*lines, _shown(error), *because))[-TRACE_LENGTH:]


def _place(filename: str) -> str:
    """Return a file's path relative to its package, without folders of this machine."""
    return "/".join(PurePath(filename).parts[-3:])


def _visible(text: str) -> str:
    return "".join(one if one.isprintable() else one.encode("unicode_escape", "surrogatepass").decode() for one in text)
