"""What a feed answered into what the frontier takes."""

from dataclasses import replace

import pytest

from tasks.config.catalogue import Defaults, Source
from tasks.discover.answers import with_included
from tasks.values.feed import Entry, FeedContent

STORY, WEATHER, LOGIN = (
    Entry(url=f"https://daily.example/{path}") for path in ("2026/quay-reopens", "weather", "login")
)
CONTENT = FeedContent(entries=(STORY,), doubtful=(WEATHER, LOGIN))


@pytest.mark.parametrize(
    ("include", "exclude", "entries"),
    [
        ((), (), (STORY,)),
        (("/weather$",), (), (STORY, WEATHER)),
        (("daily",), ("login",), (STORY, WEATHER)),
        (("/2026/",), (), (STORY,)),
    ],
)
def test_a_link_that_looks_like_no_article_counts_where_include_names_it(include, exclude, entries):
    rules = replace(Source(id="daily", name="Daily").effective(Defaults()), include=include, exclude=exclude)

    assert with_included(CONTENT, rules).entries == entries
