"""Plain documents are read from the event stream, others from YAML nodes; both give the same values."""

from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from tasks.config.marked_yaml import _OddError, _streamed, parse_marked
from tasks.errors import CatalogueError

PATH = Path("sources.yaml")

TEXTS = st.text(st.sampled_from("ab1.~-yestrunull: #'\"\n\u00e9"), max_size=12)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**6), 10**6) | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(TEXTS, VALUES, min_size=1, max_size=4), st.booleans())
def test_stream_and_nodes_give_the_same_values(content, is_flow):
    text = yaml.safe_dump(content, default_flow_style=is_flow, allow_unicode=True)

    assert _streamed(text) == parse_marked(f"--- &all\n{text}", PATH).content


@pytest.mark.parametrize(
    "text",
    [
        "a: &one [1]\nb: *one\n",
        "a: !mine 1\n",
        "a: 1\na: 2\n",
        "[1]: 2\n",
        "a: 1\n---\nb: 2\n",
        "",
        f"{'[' * 20}{']' * 20}",
    ],
    ids=["alias", "tag", "twice", "no name", "two", "empty", "deep"],
)
def test_documents_beyond_the_streams_subset_are_left_to_the_nodes(text):
    with pytest.raises(_OddError):
        _streamed(text)


def test_a_mistake_is_reported_with_its_line():
    marked = parse_marked("sources:\n  - id: a\n  - id: b\n    name: 7\n", PATH)

    assert (marked.line_at(("sources", 1, "name")), marked.mistakes) == (4, ())


@pytest.mark.long
def test_too_many_values_are_refused():
    with pytest.raises(CatalogueError, match="too large or too deep"):
        parse_marked("a:\n" + "- 1\n" * 1_000_001, PATH)
