"""The plan of a sweep: its sources, feeds, URLs and selection."""

from datetime import UTC, datetime, timedelta

import pytest

from tasks.config.catalogue import Catalogue, Source
from tasks.config.parameters import IngestConfig
from tasks.discover.plan import ADHOC, Recall, plan_sweep
from tasks.errors import ConfigError
from tasks.feeds.opml import read_opml, sources_of
from tasks.index.frontier import WAITING
from tasks.values.feed import FeedKind

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
DAILY = Source(
    id="daily",
    name="Daily",
    home_url="https://www.daily.com/",
    feeds=("https://www.daily.com/rss",),
    sitemaps=("https://www.daily.com/news.xml",),
    exclude=("/sport/",),
)
WEEKLY = Source(id="weekly", name="Weekly", urls=("https://weekly.org/a?utm_source=x", "https://weekly.org/b"))
BARE = Source(id="bare", name="Bare", home_url="https://bare.net/")
CATALOGUE = Catalogue(sources=(DAILY, WEEKLY, BARE))


def plan(catalogue=CATALOGUE, allow_networks=(), **config):
    return plan_sweep(IngestConfig(**config), catalogue, allow_networks=allow_networks, now=NOW)


def test_without_a_selection_all_sources_are_swept():
    planned = plan()

    assert [(one.source_id, one.kind.value, one.feed_url) for one in planned.feeds] == [
        ("daily", "feed", "https://www.daily.com/rss"),
        ("daily", "sitemap", "https://www.daily.com/news.xml"),
        ("daily", "fallback", "https://www.daily.com/"),
        ("bare", "home", "https://bare.net/"),
    ]
    assert [one.url for one in planned.urls] == ["https://weekly.org/a", "https://weekly.org/b"]
    assert planned.selection.source_ids == {"daily", "weekly", "bare"}
    assert planned.recalls == ()


def test_the_front_page_of_a_source_of_single_urls_is_not_polled():
    source = Source(id="one", name="One", home_url="https://one.net/", urls=("https://one.net/a",))

    assert plan(Catalogue(sources=(source,))).feeds == ()


def test_a_front_page_that_is_also_a_listing_is_polled_once():
    source = Source(id="one", name="One", home_url="https://one.net/", listings=("https://one.net/",))

    assert [one.kind for one in plan(Catalogue(sources=(source,))).feeds] == [FeedKind.LISTING]


def test_only_selected_sources_are_swept_with_their_rules():
    planned = plan(sources=("daily",))

    assert {one.source_id for one in planned.feeds} == {"daily"}
    assert planned.urls == ()
    assert planned.rules["daily"].exclude == ("/sport/",)
    assert planned.source_ids == planned.selection.source_ids == {"daily"}


def test_urls_of_other_sources_are_swept_under_those_sources_rules():
    planned = plan(sources=("daily",))

    assert planned.selection.others == {"weekly", "bare"}
    assert set(planned.rules) == {"daily", "weekly", "bare"}
    assert plan().selection.others == frozenset()


def test_other_sources_that_need_a_browser_are_left_to_their_own_sweeps():
    shown = Source(id="shown", home_url="https://shown.com/", render="browser")

    assert plan(Catalogue(sources=(DAILY, BARE, shown)), sources=("daily",)).selection.others == {"bare"}
    assert plan(Catalogue(sources=(DAILY, shown)), feeds=("https://x.com/rss",)).selection.others == {"daily", "shown"}


def test_a_requested_feed_keeps_its_kind_in_the_catalogue():
    (feed,) = plan(feeds=("https://www.daily.com/news.xml",)).feeds

    assert (feed.source_id, feed.kind) == ("daily", FeedKind.SITEMAP)


@pytest.mark.parametrize(
    ("url", "source_id"),
    [("https://sport.daily.com/x", "daily"), ("https://weekly.org/z", ADHOC), ("https://other.com/x", ADHOC)],
)
def test_a_requested_url_belongs_to_the_only_source_of_its_domain(url, source_id):
    planned = plan(urls=(url,))

    assert [one.source_id for one in planned.urls] == [source_id]
    assert planned.feeds == ()
    assert planned.selection.url_keys == {planned.urls[0].url_key}
    assert [one.selection.url_keys for one in planned.recalls] == [planned.selection.url_keys]


def test_of_two_sources_of_a_domain_the_one_whose_patterns_match_gets_the_url():
    sections = Catalogue(
        sources=tuple(
            Source(id=name, home_url="https://daily.com/", include=(f"/{name}/",)) for name in ("sport", "culture")
        )
    )

    assert plan(sections, urls=("https://daily.com/culture/x",)).urls[0].source_id == "culture"


def test_a_listed_url_of_another_source_belongs_to_its_owner_and_must_match_both_patterns():
    listed = Source(
        id="listed",
        urls=("https://daily.com/a", "https://daily.com/sport/a", "https://daily.com/ads/a", "https://nobody.com/a"),
        exclude=("/ads/",),
    )

    planned = plan(Catalogue(sources=(DAILY, listed)))

    assert [(one.url, one.source_id, one.announced_by) for one in planned.urls] == [
        ("https://daily.com/a", "daily", "catalogue:listed"),
        ("https://nobody.com/a", "listed", "catalogue:listed"),
    ]


def test_a_feed_of_two_sources_is_polled_once_for_its_hosts_owner():
    other = Source(id="other", home_url="https://other.com/", sitemaps=("https://www.daily.com/rss",))
    both = Catalogue(sources=(DAILY, other))

    for chosen in ((), ("other",)):
        polled = [one for one in plan(both, sources=chosen).feeds if one.feed_url == "https://www.daily.com/rss"]
        assert [(one.source_id, one.kind) for one in polled] == [("daily", FeedKind.FEED)]


def test_sources_imported_from_opml_own_their_hosts():
    opml = b"""<opml version="2.0"><body>
        <outline text="Good" xmlUrl="https://good.com/feed" htmlUrl="https://good.com/"/>
        <outline text="Other" xmlUrl="https://other.com/feed"/></body></opml>"""
    imported = Catalogue(sources=tuple(sources_of(read_opml(opml, name="list.opml")[0], known_ids=())))

    owners = plan(imported).owners

    assert owners.owner_of("https://www.good.com/a", announcer="other") == "good"
    assert owners.owner_of("https://other.com/a", announcer="good") == "other"


def test_feeds_and_urls_need_no_catalogue():
    planned = plan(
        None, feeds=("https://daily.com/rss",), urls=("https://daily.com/x",), allow_networks=("127.0.0.0/8",)
    )

    assert planned.selection.source_ids == {ADHOC}
    assert str(planned.rules[ADHOC].allow_networks[0]) == "127.0.0.0/8"


def test_refetch_recalls_the_selected_articles():
    planned = plan(sources=("daily",), refetch=True)

    assert planned.recalls == (Recall(selection=planned.selection),)


def test_force_recalls_waiting_dropped_and_gone_urls():
    planned = plan(sources=("daily",), force=True)

    assert planned.recalls == (Recall(selection=planned.selection, states=WAITING),)


@pytest.mark.parametrize(
    ("since", "instant"), [("6h", NOW - timedelta(hours=6)), ("2026-02-01", datetime(2026, 2, 1, tzinfo=UTC))]
)
def test_since_is_part_of_the_selection(since, instant):
    assert plan(since=since).selection.since == instant


@pytest.mark.parametrize(
    ("catalogue", "config"),
    [
        (None, {}),
        (CATALOGUE, {"sources": ("nobody",)}),
        (None, {"urls": ("https://daily.com/x",), "allow_networks": ("nonsense",)}),
    ],
)
def test_an_impossible_plan_is_one_clear_error(catalogue, config):
    networks = config.pop("allow_networks", ())

    with pytest.raises(ConfigError) as told:
        plan(catalogue, allow_networks=networks, **config)

    assert "\n" not in str(told.value)
