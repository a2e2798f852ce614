"""What a feed answered into what the frontier takes."""

from dataclasses import replace

import pytest

from tasks.config.catalogue import Defaults, Source
from tasks.discover.answers import included_in
from tasks.values.feed import Entry

WEATHER, LOGIN = (Entry(url=f"https://daily.example/{path}") for path in ("weather", "login"))


@pytest.mark.parametrize(
    ("include", "exclude", "included"),
    [
        ((), (), ()),
        (("/weather$",), (), (WEATHER,)),
        (("daily",), ("login",), (WEATHER,)),
        (("/2026/",), (), ()),
    ],
)
def test_a_link_that_looks_like_no_article_counts_where_include_names_it(include, exclude, included):
    rules = replace(Source(id="daily", name="Daily").effective(Defaults()), include=include, exclude=exclude)

    assert included_in((WEATHER, LOGIN), rules) == included
