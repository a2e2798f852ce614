"""The fields of a document of the search index: one an article, made of its newest row. Pure."""

from functools import cache

from tantivy import Schema, SchemaBuilder

FORMAT = 1
"""Raised by every change of the fields or of the words: an index of another format is made again."""

WORDS = "presslake"
"""The name of what parts texts into words."""


@cache
def fields() -> Schema:
    """Return the fields.

    `title` and `text` are looked into and not kept: they are folded. `shown` and `body` are kept as they are in the
    lake. `key` stands for the article, `stamp` for what its row says, `seen` and `revision` for which row is later, `dt`
    for the row's partition, `at` for the article's time in seconds.
    """
    builder = SchemaBuilder()
    for name in ("title", "text"):
        builder.add_text_field(name, tokenizer_name=WORDS)
    for name in ("source", "tag", "language"):
        builder.add_text_field(name, tokenizer_name="raw", index_option="basic")
    for name in ("key", "dt"):
        builder.add_integer_field(name, indexed=True, fast=True)
    for name in ("at", "seen", "revision", "stamp"):
        builder.add_integer_field(name, fast=True)
    for name in ("shown", "body"):
        builder.add_bytes_field(name, stored=True)
    return builder.build()
