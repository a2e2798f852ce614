"""One table of reasons: errors and page types name them, and everything else is derived from the table."""

import ast
import pickle
from collections.abc import Iterator
from pathlib import Path

import pytest

from tasks import errors
from tasks.errors import ItemError, PoisonError, RefusedError, SkippedError, TransientError
from tasks.reasons import BACKOFF, DAYS_LATER, NEXT_DAY, REASONS, Disposition, find_reason, reason_of_status, retry_of
from tasks.values.rows import PageType

ROOT = Path(__file__).parents[1]
BRANCHES = {
    TransientError: Disposition.STAYS_DUE,
    RefusedError: Disposition.DROPPED,
    SkippedError: Disposition.SKIPPED,
    PoisonError: Disposition.QUARANTINED,
}
NAMES_OF_BRANCHES = {kind.__name__ for kind in BRANCHES}


def named(kind: type[ItemError] = ItemError) -> Iterator[type[ItemError]]:
    """Every error with its own reason."""
    for child in kind.__subclasses__():
        if child.__module__ == errors.__name__:
            yield from [child] if "reason" in vars(child) else []
            yield from named(child)


@pytest.mark.parametrize("kind", sorted(set(named()), key=lambda kind: kind.reason))
def test_the_disposition_of_an_error_is_that_of_its_branch_of_the_tree(kind):
    (branch,) = [branch for branch in BRANCHES if issubclass(kind, branch)]

    assert REASONS[kind.reason].disposition is BRANCHES[branch]
    assert kind("it").disposition is BRANCHES[branch]


def given() -> Iterator[tuple[str, str]]:
    """Every reason that is passed to an error when it is raised, with the name of the error's class."""
    texts = (file.read_text(encoding="utf-8") for file in (ROOT / "tasks").rglob("*.py"))
    for text in (text for text in texts if "reason=" in text):
        for call in ast.walk(ast.parse(text)):
            if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id in NAMES_OF_BRANCHES:
                yield from ((word.value.value, call.func.id) for word in call.keywords if word.arg == "reason")


@pytest.mark.parametrize(("reason", "branch"), sorted(set(given())))
def test_the_disposition_of_a_given_reason_is_that_of_its_branch(reason, branch):
    assert REASONS[reason].disposition is BRANCHES[getattr(errors, branch)]
    assert getattr(errors, branch)("it", reason=reason).counted_as == reason


@pytest.mark.parametrize("error", [SkippedError("it", reason="soft_404"), TransientError("it", reason="deferred")])
def test_a_given_reason_survives_pickling(error):
    back = pickle.loads(pickle.dumps(error))

    assert (type(back), str(back), back.counted_as) == (type(error), "it", error.counted_as)


def test_every_reason_is_used_by_an_error_a_raise_or_a_page_type():
    labels = {kind.value for kind in PageType if not kind.is_story}

    assert REASONS.keys() == labels | {kind.reason for kind in named()} | {reason for reason, _ in given()}


@pytest.mark.parametrize(
    ("name", "disposition", "retry"),
    [
        ("http_403", Disposition.DROPPED, DAYS_LATER),
        ("http_410", Disposition.GONE, None),
        ("http_429", Disposition.STAYS_DUE, BACKOFF),
        ("http_503", Disposition.STAYS_DUE, BACKOFF),
        ("robots_disallowed", Disposition.SKIPPED, NEXT_DAY),
        ("consent", Disposition.SKIPPED, None),
        ("too_many_elements", Disposition.QUARANTINED, None),
    ],
)
def test_a_reason_has_a_disposition_and_a_retry(name, disposition, retry):
    found = find_reason(name)

    assert (found.disposition, found.retry) == (disposition, retry)


@pytest.mark.parametrize("status", [200, 204, 401, 404, 408, 410, 425, 429, 451, 500, 599])
def test_the_reason_of_a_status_is_found_by_name(status):
    assert find_reason(f"http_{status}") == reason_of_status(status)


@pytest.mark.parametrize("name", ["", "http_", "http_x", "of_a_later_version"])
def test_a_reason_of_another_version_is_unknown(name):
    assert find_reason(name) is None


@pytest.mark.parametrize(
    ("disposition", "retry"),
    [
        (Disposition.STAYS_DUE, BACKOFF),
        (Disposition.DROPPED, DAYS_LATER),
        (Disposition.SKIPPED, None),
        (Disposition.GONE, None),
        (Disposition.QUARANTINED, None),
    ],
)
def test_a_reason_of_another_version_is_retried_like_others_of_its_disposition(disposition, retry):
    assert retry_of("of_a_later_version", disposition) == retry
