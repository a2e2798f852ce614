"""Content-Usage: the statements of a Dictionary (draft-ietf-aipref-vocab-08), alone, for a path, and combined."""

import pytest

from tasks.politeness.rights.mapping import verdict_on
from tasks.politeness.rights.page import header_signals
from tasks.politeness.rights.usage import MAX_USAGE_LENGTH, read_usage, usage_signals
from tasks.values.rights import Purpose

TRAIN, INPUT, SEARCH = Purpose.AI_TRAIN, Purpose.AI_INPUT, Purpose.SEARCH


@pytest.mark.parametrize(
    ("value", "stated"),
    [
        ("train-ai=n", {"train-ai": "n"}),
        ("train-ai=n, search=y, train-ai=y", {"train-ai": "y", "search": "y"}),
        ("train-ai;x=n, train-ai=y;q=1", {"train-ai": "y"}),
        *((f"train-ai{said}", {}) for said in ("=N", "=no", "=?0", '="n"', "", "=(n)", "=1")),
        ("bots=n, genai=n, tdm=n, ai-train=no", {}),
        ("train-ai=y, ai-use=n, search=y", {"train-ai": "y", "ai-use": "n", "search": "y"}),
        ("", {}),
    ],
)
def test_a_dictionary_states_only_tokens(value, stated):
    read = read_usage(value)

    assert (dict(read.stated), read.is_readable) == (stated, True)


@pytest.mark.parametrize(
    "value",
    ["Train-AI=n, search=y", "train-ai=n,", "train-ai = n", "train-ai=n search=y", "train-ai=n;", "*.pdf train-ai=n",
     "train-ai=n, é=y", "train-ai=n\udcff", "a=(" * 500, "train-ai=n" + ", a=1" * MAX_USAGE_LENGTH],
)  # fmt: skip
def test_an_unparsable_value_states_nothing_and_is_marked(value):
    assert not read_usage(value).is_readable
    assert [one.value for one in usage_signals(value, scope="/")] == ["unreadable"]


def test_a_refusal_counts_even_if_a_later_key_lifts_it():
    [train, search] = usage_signals("train-ai=n, search=y, train-ai=y", scope="header")

    assert (train.value, search.value) == ("train-ai=n", "search=y")
    assert read_usage('a="train-ai=nothing", train-ai=y').strictest == (("train-ai", "y"),)


def test_a_line_added_by_a_proxy_lifts_no_refusal():
    signals = header_signals([("content-usage", "train-ai=n"), ("content-usage", "train-ai=y")], token="presslake")

    assert [one.value for one in signals] == ["train-ai=n", "train-ai=y"]
    assert verdict_on(TRAIN, signals).answer == "n"


@pytest.mark.parametrize(
    ("value", "answers"),
    [
        ("train-ai=n", "n ? ?"),
        ("train-ai=y, search=y", "y ? y"),
        ("ai-use=n, search=y", "? n y"),
        ("tdm=n", "? ? ?"),
        ("train-ai=n,", "? ? ?"),
    ],
)
def test_each_label_applies_only_to_its_purpose(value, answers):
    signals = tuple(usage_signals(value, scope="header"))

    assert " ".join(verdict_on(one, signals).answer for one in (TRAIN, INPUT, SEARCH)) == answers
    assert verdict_on(Purpose.ARCHIVE, signals).answer == "?"
