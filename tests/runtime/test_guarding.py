"""The effects of foreign exceptions."""

import asyncio
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.errors import (
    DETAIL_LENGTH,
    TRACE_LENGTH,
    BadUrl,
    ConfigError,
    Disposition,
    IndexUnavailable,
    PresslakeError,
    Stopped,
    TooManyUnexpected,
    UnexpectedError,
)
from tasks.runtime.guarding import check_share, guarded_item, is_our_fault, store_rows


def met(error):
    with pytest.raises(UnexpectedError) as caught, guarded_item("https://daily.example/a"):
        raise error
    return caught.value


def test_a_foreign_exception_is_attributed_to_the_item_with_its_traceback():
    error = met(OverflowError("a fault of a library"))

    assert str(error) == "OverflowError: a fault of a library at https://daily.example/a"
    assert (error.counted_as, error.disposition) == ("unexpected_error", Disposition.QUARANTINED)
    assert "tests/runtime/test_guarding.py" in error.trace
    assert error.detail == f"{error}\n{error.trace}"


@pytest.mark.parametrize("error", [BadUrl("a"), IndexUnavailable("b"), ConfigError("c"), Stopped("d")])
def test_our_own_errors_pass_unchanged(error):
    with pytest.raises(PresslakeError) as caught, guarded_item("x"):
        raise error

    assert caught.value is error


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit, GeneratorExit, asyncio.CancelledError])
def test_exceptions_that_end_a_process_or_a_task_pass(error):
    with pytest.raises(error), guarded_item("x"):
        raise error


def test_an_unavailable_port_in_an_exception_group_passes_and_other_groups_are_unexpected():
    away = IndexUnavailable("away")

    with pytest.raises(IndexUnavailable) as caught, guarded_item("x"):
        raise ExceptionGroup("tasks", [ValueError("a"), ExceptionGroup("more", [away])])

    assert caught.value is away
    assert str(met(ExceptionGroup("tasks", [ValueError("a")]))).startswith("ExceptionGroup: tasks")


@pytest.mark.parametrize(
    "message",
    [
        "cannot reach http://reader:geheim@proxy.example:3128/",
        "postgresql+psycopg://reader:geheim@db.example/presslake is gone",
        "401 for https://lake.example/a?X-Amz-Security-Token=geheim&b=1",
        "password=geheim host=db",
        "{'api_key': 'geheim'}",
        "first line\n[parameters: {'a': 'geheim'}]",
    ],
)
def test_no_secret_is_stored(message):
    assert "geheim" not in met(ValueError(message)).detail


@given(
    st.text(
        max_size=400, alphabet=st.one_of(st.characters(), st.characters(min_codepoint=0xD800, max_codepoint=0xDFFF))
    )
)
def test_any_message_is_kept_as_visible_lines_of_bounded_length(message):
    error = met(ValueError(message))

    assert len(error.detail) <= DETAIL_LENGTH + TRACE_LENGTH + 1
    assert all(line.isprintable() for line in error.detail.split("\n"))
    error.detail.encode()


def test_a_deep_recursion_has_a_short_traceback():
    def dive(depth):
        return dive(depth + 1)

    with pytest.raises(UnexpectedError) as caught, guarded_item("x"):
        dive(0)

    assert len(caught.value.trace.splitlines()) <= 22


def test_an_unexpected_error_survives_pickling():
    error = met(ValueError("a"))

    again = pickle.loads(pickle.dumps(error))

    assert (str(again), again.trace) == (str(error), error.trace)


@pytest.mark.parametrize(
    ("unexpected", "of", "ours"),
    [(0, 0, False), (5, 5, False), (6, 6, True), (6, 29, True), (6, 30, False), (20, 100, False), (21, 100, True)],
)
def test_more_than_five_and_more_than_a_fifth_are_our_fault(unexpected, of, ours):
    assert is_our_fault(unexpected, of=of) is ours


def test_a_failed_batch_has_the_first_traceback():
    errors = [met(ValueError(f"no. {number}")) for number in range(7)]

    check_share(errors, of=70, what="pages")
    with pytest.raises(
        TooManyUnexpected, match=r"7 of 20 pages raised an exception; the first: ValueError: no\. 0"
    ) as caught:
        check_share(errors, of=20, what="pages")

    assert "tests/runtime/test_guarding.py" in str(caught.value)


@given(st.lists(st.booleans(), max_size=40))
def test_unstorable_rows_are_found_and_all_others_are_stored_once(are_bad):
    stored = []

    def store(part):
        if any(is_bad for _, is_bad in part):
            raise ValueError("no")
        stored.extend(part)

    rows = list(enumerate(are_bad))

    refused = store_rows(rows, store)

    assert stored == [row for row in rows if not row[1]]
    assert [row for row, _ in refused] == [row for row in rows if row[1]]


def test_an_unavailable_port_is_not_blamed_on_a_row():
    def store(part):
        raise IndexUnavailable("away")

    with pytest.raises(IndexUnavailable):
        store_rows([1, 2, 3], store)
