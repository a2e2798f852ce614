"""Turn a parsed query into one of the search index, and into the words to highlight in hits. Pure."""

import re
from collections.abc import Iterator
from typing import NamedTuple

from tantivy import FieldType, Occur, Query, Schema

from tasks.errors import ConfigError
from tasks.search.asking import AllOf, AnyOf, Not, Part, SearchQuery, Term, read_query
from tasks.search.words import words_of
from tasks.values.text.escape import as_plain
from tasks.values.text.storable import storable_text

TEXTS = (("title", 2.0), ("text", 1.0))
"""The searched fields, with their weights."""


class Highlight(NamedTuple):
    """A word or phrase to highlight; with `is_prefix`, the last word is a prefix."""

    words: tuple[str, ...]
    is_prefix: bool


def query_of(asked: SearchQuery, schema: Schema) -> Query:
    """Return a person's query as one of the index; raises ConfigError if it is invalid."""
    part = read_query(asked.text)
    wanted = _query(part, schema)
    if wanted is None:
        raise ConfigError(f"the query contains no word: {as_plain(asked.text)}")
    if not any(True for _ in _positive(part)):
        raise ConfigError("the query only excludes words; start with `*` to match every article")
    filters = [(Occur.Must, one) for one in _filters(asked, schema)]
    return Query.boolean_query([(Occur.Must, wanted), *filters]) if filters else wanted


def highlights_of(text: str) -> list[Highlight]:
    """Return the words to highlight in a query's hits."""
    found = [(words_of(one.text), one.is_prefix) for one in _positive(read_query(text))]
    return [Highlight(tuple(words), is_prefix) for words, is_prefix in found if words]


def language_terms(language: str) -> list[str]:
    """Return the terms of a language tag: itself, and its language without region or script."""
    tag = language.lower().replace("_", "-")
    return list(dict.fromkeys([tag, tag.partition("-")[0]]))


def _positive(part: Part) -> Iterator[Term]:
    if isinstance(part, Term):
        yield part
    elif not isinstance(part, Not):
        for one in part.parts:
            yield from _positive(one)


def _query(part: Part, schema: Schema) -> Query | None:
    """Return a part as a query; None if it has no word."""
    if isinstance(part, Term):
        return _wanted(part, schema)
    if isinstance(part, Not):
        return _without([], [part], schema)
    if isinstance(part, AnyOf):
        several = [query for one in part.parts if (query := _query(one, schema)) is not None]
        return Query.boolean_query([(Occur.Should, query) for query in several]) if several else None
    return _all(part, schema)


def _all(part: AllOf, schema: Schema) -> Query | None:
    refused = [one for one in part.parts if isinstance(one, Not)]
    wanted = [query for one in part.parts if not isinstance(one, Not) and (query := _query(one, schema)) is not None]
    return _without(wanted, refused, schema)


def _without(wanted: list[Query], refused: list[Not], schema: Schema) -> Query | None:
    without = [query for one in refused if (query := _query(one.part, schema)) is not None]
    if not wanted and not without:
        return None
    musts = wanted or [Query.all_query()]
    return Query.boolean_query(
        [
            *((Occur.Must, query) for query in musts),
            *((Occur.MustNot, query) for query in without),
        ]
    )


def _wanted(part: Term, schema: Schema) -> Query | None:
    if part.is_prefix and not part.text:
        return Query.all_query()
    words = words_of(part.text)
    if not words:
        return None
    fields = [Query.boost_query(_in_field(name, words, part, schema), worth) for name, worth in TEXTS]
    return Query.disjunction_max_query(fields, 0.1)


def _in_field(name: str, words: list[str], part: Term, schema: Schema) -> Query:
    # Han and Thai have one word per character, so a prefix is the whole word
    if part.is_prefix and len(words) == 1 and len(words[0]) > 1:
        return Query.regex_query(schema, name, f"{re.escape(words[0])}.*")
    if part.is_prefix and len(words[-1]) > 1:
        return Query.phrase_prefix_query(schema, name, list(words))
    return Query.phrase_query(schema, name, list(words)) if len(words) > 1 else Query.term_query(schema, name, words[0])


def _filters(asked: SearchQuery, schema: Schema) -> Iterator[Query]:
    if asked.sources:
        yield Query.term_set_query(schema, "source", [storable_text(one) for one in asked.sources])
    if asked.tags:
        yield Query.term_set_query(schema, "tag", [storable_text(tag).casefold() for tag in asked.tags])
    if asked.languages:
        yield Query.term_set_query(
            schema, "language", [storable_text(one).lower().replace("_", "-") for one in asked.languages]
        )
    if asked.since or asked.until:
        since = int(asked.since.timestamp()) if asked.since else None
        until = int(asked.until.timestamp()) - 1 if asked.until else None
        yield Query.range_query(schema, "at", FieldType.Integer, since, until)
