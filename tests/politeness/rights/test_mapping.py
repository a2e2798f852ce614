"""The mapping of signals to purposes, in code and docs/rights.md, and the combination of several signals."""

import re
from pathlib import Path

import pytest

from tasks.politeness.rights.mapping import MAPPING, verdict_on
from tasks.values.rights import CONTENT_SIGNAL, CONTENT_USAGE, RSL, SIGNALS, Purpose
from tasks.values.rows import Signal

DOC = (Path(__file__).parents[3] / "docs/rights.md").read_text(encoding="utf-8")


def signal(name, value, scope="/"):
    return Signal(signal=name, scope=scope, value=value, raw=value, policy_id="p")


def test_the_table_in_the_docs_equals_that_in_the_code():
    cells_of = re.findall(
        r"^\| `([a-z-]+)` \| `([a-z=0-9-]+)` \|(.*)\|$", DOC.partition("| signal | value |")[2], re.MULTILINE
    )
    written = {(name, value): [cell.strip() for cell in cells.split("|")] for name, value, cells in cells_of}

    assert written == {key: [effects.get(one, "") for one in Purpose] for key, effects in MAPPING.items()}


def test_every_signal_is_explained():
    assert all(f"| `{name}` |" in DOC for name in SIGNALS)


@pytest.mark.parametrize(
    ("values", "answer"),
    [
        ((), "?"),
        (("ai-train=y",), "y"),
        (("ai-train=y", "ai-train=payment"), "payment"),
        (("ai-train=y", "ai-train=payment", "ai-train=n"), "n"),
        (("ai-train=?", "unset", "unreadable", "duty=attribution", "lenient"), "?"),
    ],
)
def test_the_strictest_signal_applies(values, answer):
    verdict = verdict_on(Purpose.AI_TRAIN, [signal(RSL, value) for value in values])

    assert verdict.answer == answer
    assert verdict.signal is None or verdict.signal.value == f"ai-train={answer}"


def test_a_permission_of_one_standard_does_not_override_a_refusal_of_another():
    signals = [signal(CONTENT_USAGE, "train-ai=y"), signal(CONTENT_SIGNAL, "ai-train=n")]

    verdict = verdict_on(Purpose.AI_TRAIN, signals)

    assert (verdict.answer, verdict.signal) == ("n", signals[1])
