"""Any query is parsed, or refused in one line; none reaches another field or breaks the search."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.errors import ConfigError
from tasks.search.asking import AllOf, AnyOf, Not, SearchQuery, Term, read_query
from tasks.search.folder import fields
from tasks.search.querying import highlights_of, query_of
from tasks.search.snippets import snippet_of
from tasks.search.words import fold, words_of

SIGNS = st.text(st.sampled_from("ab é東'\"()-*:^~[]{}\\/+&|!?. \t\n\0\ud800\u202eORNOTAND"), max_size=60)


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("a b", AllOf((Term("a"), Term("b")))),
        ("a AND b", AllOf((Term("a"), Term("b")))),
        ("a OR b c", AnyOf((Term("a"), AllOf((Term("b"), Term("c")))))),
        ("(a OR b) c", AllOf((AnyOf((Term("a"), Term("b"))), Term("c")))),
        ('"a b" -c', AllOf((Term("a b"), Not(Term("c"))))),
        ("a NOT b", AllOf((Term("a"), Not(Term("b"))))),
        ("co-op", Term("co-op")),
        ("a - b", AllOf((Term("a"), Term("-"), Term("b")))),
        ("or", Term("or")),
        ("econ*", Term("econ", is_prefix=True)),
        ("source:daily", Term("source:daily")),
    ],
)
def test_a_query_is_parsed_into_its_parts(text, part):
    assert read_query(text) == part


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("", "the query has an empty part in it"),
        ("   ", "the query has an empty part in it"),
        ('a "b', 'the query has an unmatched "'),
        ("(a", "the query has an unmatched ("),
        ("a)", "the query has an unmatched )"),
        ("()", r"the query has an empty part after ("),
        ("a OR", "the query has an empty part after OR"),
        ("OR a", "the query has an empty part at its beginning"),
        ("a NOT", "the query has an empty part after NOT"),
        ("-a", "the query only excludes words; start with `*` to match every article"),
        ("&", "the query contains no word: &"),
        ('""', 'the query contains no word: ""'),
        ("(" * 400, "the query has more than 20 nested parts"),
        ("NOT " * 200 + "a", "the query has more than 20 nested parts"),
        ("a" * 1001, "the query has 1,001 characters; the limit is 1,000"),
    ],
)
def test_a_mistake_is_one_clear_error(text, line):
    with pytest.raises(ConfigError) as caught:
        query_of(SearchQuery(text=text), fields())

    assert str(caught.value) == line


@given(SIGNS)
def test_any_query_is_parsed_or_refused(text):
    said = []
    try:
        query_of(SearchQuery(text=text), fields())
        highlights_of(text)
    except ConfigError as error:
        said = str(error).splitlines()

    assert len(said) <= 1


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("мой йод, мои и́долы", ["мой", "йод", "мои", "идолы"]),
        ("Größe Ǆ ﬁn Øre", ["grosse", "dz", "fin", "ore"]),
        ("co\u00adoperate mi\u200cxed", ["cooperate", "mixed"]),
        ("ｱｲｳ 서울", ["ア", "イ", "ウ", "서", "울"]),
        ("3.5 % + 10:30", ["3", "5", "10", "30"]),
    ],
)
def test_words_are_normalised(text, words):
    assert words_of(text) == words


@given(st.text(max_size=80))
def test_normalisation_is_idempotent(text):
    once = fold(text)

    assert fold(once) == once
    assert words_of(once) == words_of(text)


@given(st.text(max_size=400), SIGNS)
def test_marks_are_inside_their_snippet(text, asked):
    try:
        shown = highlights_of(asked)
    except ConfigError:
        return
    snippet = snippet_of(text, shown)

    assert all(0 <= start < end <= len(snippet.text) for start, end in snippet.marks)


def test_a_snippet_without_matches_is_the_beginning():
    snippet = snippet_of("One two three. " * 50, [])

    assert snippet.text.startswith("One two three.")
    assert snippet.text.endswith(" …")
    assert len(snippet.text) < 250
