"""Which source an announced URL belongs to, and which metadata is trusted."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from tasks.config.catalogue import Catalogue, Defaults, Source
from tasks.config.owners import NO_OWNERS, Owners
from tasks.discover.intake import announcements, attribute_url, included_entries, is_wanted
from tasks.errors import BadUrl, ForbiddenScheme
from tasks.feeds.collector import Refusals
from tasks.index.frontier import BACKFILL, NEWS
from tasks.values.feed import Entry

NOW = datetime(2026, 3, 1, tzinfo=UTC)
GOOD = Source(id="good", home_url="https://good.com/", exclude=("/sport/",))
OTHER = Source(id="other", home_url="https://other.com/", include=("good", "other"), exclude=("/ads/",))
CATALOGUE = Catalogue(sources=(GOOD, OTHER))
RULES = CATALOGUE.rules()
OWNERS = Owners.of(CATALOGUE.sources, RULES)
WEATHER, LOGIN = (Entry(url=f"https://daily.example/{path}") for path in ("weather", "login"))


def attributed(url, announcer="other", owners=OWNERS):
    return attribute_url(
        url,
        announcer=announcer,
        announced_by="https://other.com/feed",
        owners=owners,
        title="Title",
        announced_at=NOW,
        priority=BACKFILL,
    )


def test_a_url_belongs_to_its_owner_and_others_metadata_is_not_trusted():
    one = attributed("https://www.good.com/a?utm_source=x")

    assert (one.url, one.url_key, one.host) == ("https://www.good.com/a", "good.com/a", "www.good.com")
    assert (one.source_id, one.announced_by, one.owners) == ("good", "https://other.com/feed", ("good",))
    assert (one.title, one.announced_at, one.priority, one.is_foreign) == (None, None, NEWS, True)


@pytest.mark.parametrize(
    ("url", "announcer", "owners"),
    [
        ("https://good.com/a", "good", OWNERS),
        ("https://nobody.com/a", "other", OWNERS),
        ("https://good.com/a", "other", NO_OWNERS),
    ],
)
def test_an_unowned_url_belongs_to_its_announcer_with_its_metadata(url, announcer, owners):
    one = attributed(url, announcer, owners)

    assert (one.source_id, one.title, one.announced_at, one.priority) == (announcer, "Title", NOW, BACKFILL)
    assert not one.is_foreign


@pytest.mark.parametrize(("url", "error"), [("https://good..com/", BadUrl), ("ftp://good.com/", ForbiddenScheme)])
def test_a_url_that_cannot_be_fetched_is_refused(url, error):
    with pytest.raises(error):
        attributed(url)


@pytest.mark.parametrize(
    ("url", "is_kept"),
    [
        ("https://good.com/a", True),
        ("https://good.com/ads/a", False),
        ("https://good.com/sport/a", False),
        ("https://other.com/sport/a", True),
        ("https://nobody.com/a", False),
    ],
)
def test_a_url_must_match_the_announcers_and_the_owners_patterns(url, is_kept):
    one = attributed(url)
    owner = OWNERS.rules[one.source_id] if one.is_foreign else None
    assert is_wanted(one.url, announcer=RULES["other"], owner=owner) is is_kept


@pytest.mark.parametrize("date", [datetime(1990, 1, 1, tzinfo=UTC), NOW + timedelta(days=400), NOW])
def test_a_date_from_another_source_affects_neither_priority_nor_since(date):
    entry = Entry(url="https://good.com/a", published_at=date, modified_at=date)

    [one] = announcements(
        [entry],
        source_id="other",
        announced_by="https://other.com/feed",
        rules=RULES["other"],
        refusals=Refusals(),
        now=NOW,
        since=NOW - timedelta(hours=1),
        owners=OWNERS,
    )

    assert (one.source_id, one.announced_at, one.priority) == ("good", None, NEWS)


@pytest.mark.parametrize(
    ("include", "exclude", "included"),
    [
        ((), (), ()),
        (("/weather$",), (), (WEATHER,)),
        (("daily",), ("login",), (WEATHER,)),
        (("/2026/",), (), ()),
    ],
)
def test_an_unlikely_link_is_kept_if_include_matches_it(include, exclude, included):
    rules = replace(Source(id="daily", name="Daily").effective(Defaults()), include=include, exclude=exclude)

    assert included_entries((WEATHER, LOGIN), rules) == included
