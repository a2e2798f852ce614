"""Which source owns a host, according to the catalogue."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.config.catalogue import Catalogue, Source
from tasks.config.owners import NO_OWNERS, Owners
from tasks.values.rights import Obedience
from tasks.values.url import Url, fetch_url, url_key

DAILY = Source(id="daily", home_url="https://www.daily.com/", feeds=("https://feeds.burner.com/daily",))
SPORT = Source(id="sport", home_url="https://sport.daily.com/")
WEEKLY = Source(id="weekly", sitemaps=("https://weekly.co.uk/news.xml",), listings=("https://app.weekly.net/latest",))
BLOG = Source(id="blog", home_url="https://someone.github.io/blog/")
LISTED = Source(id="listed", urls=("https://listed.com/a",))
NEAR = Source(id="near", feeds=("http://127.0.0.1:8000/feed",))
NEXT = Source(id="next", feeds=("http://127.0.0.1:9000/feed",))
SIX = Source(id="six", home_url="http://[::1]/")
LOCAL = Source(id="local", home_url="http://newsroom:8000/")
SOURCES = (DAILY, SPORT, WEEKLY, BLOG, LISTED, NEAR, NEXT, SIX, LOCAL)


def owners_of(*sources):
    return Owners.of(sources, Catalogue(sources=sources).rules())


OWNERS = owners_of(*SOURCES)


@pytest.mark.parametrize(
    ("url", "owner"),
    [
        ("https://www.daily.com/a", "daily"),
        ("http://daily.com/a", "daily"),
        ("https://daily.com./a", "daily"),
        ("https://sport.daily.com/a", "sport"),
        ("https://news.daily.com:8443/a", "daily"),
        ("https://feeds.burner.com/daily/1", None),
        ("https://weekly.co.uk/a", "weekly"),
        ("https://www.weekly.co.uk/a", "weekly"),
        ("https://other.co.uk/a", None),
        ("https://weekly.net/a", "weekly"),
        ("https://someone.github.io/other", "blog"),
        ("https://other.github.io/blog/a", None),
        ("https://github.io/a", None),
        ("https://listed.com/a", None),
        ("http://127.0.0.1:8000/a", "near"),
        ("http://127.0.0.1:9000/a", "next"),
        ("http://127.0.0.1:7000/a", None),
        ("http://127.0.0.1/a", None),
        ("http://[::1]/a", "six"),
        ("http://[::1]:8000/a", None),
        ("http://newsroom:8000/a", "local"),
        ("http://newsroom:9000/a", None),
    ],
)
def test_a_hosts_owner_names_the_host_or_else_its_registrable_domain(url, owner):
    assert OWNERS.owner_of(url, announcer="nobody") == owner


def test_a_source_with_a_home_does_not_own_the_host_of_its_feeds():
    assert OWNERS.claimants(Url.of("https://feeds.burner.com/daily").site) == ()


def test_without_a_catalogue_no_host_has_an_owner():
    assert NO_OWNERS.owner_of("https://www.daily.com/a", announcer="daily") is None


POLITICS = Source(id="politics", home_url="https://paper.com/politics", include=("/politics/",))
CULTURE = Source(id="culture", feeds=("https://paper.com/culture/feed.xml",), exclude=("/ads/",))
ALL_OF_IT = Source(id="whole", home_url="https://www.paper.com/", exclude=("/ads/", "/private/"))


@pytest.mark.parametrize(
    ("announcer", "url", "owner"),
    [
        ("politics", "https://paper.com/culture/a", "politics"),
        ("culture", "https://paper.com/politics/a", "culture"),
        ("nobody", "https://paper.com/politics/a", "politics"),
        ("nobody", "https://paper.com/culture/a", "culture"),
        ("nobody", "https://paper.com/culture/private/a", "culture"),
        ("nobody", "https://paper.com/cultured/a", "whole"),
        ("nobody", "https://paper.com/private/a", "culture"),
        ("nobody", "https://paper.com/x/ads/a", "whole"),
        ("nobody", "https://more.paper.com/a", "culture"),
    ],
)
def test_among_sections_of_a_site_the_announcer_or_the_best_match_owns_a_url(announcer, url, owner):
    assert owners_of(POLITICS, CULTURE, ALL_OF_IT).owner_of(url, announcer=announcer) == owner


def test_among_equal_sections_the_first_in_the_catalogue_owns():
    twins = [Source(id=name, home_url="https://daily.com/") for name in ("b", "a")]

    assert owners_of(*twins).owner_of("https://daily.com/x", announcer="nobody") == "b"


HOSTS = st.sampled_from(
    "daily.com sport.daily.com www.daily.com weekly.co.uk a.weekly.co.uk x.github.io y.github.io 10.0.0.1 h h:81".split()
)
CATALOGUES = st.lists(HOSTS, min_size=1, max_size=5).map(
    lambda hosts: tuple(Source(id=f"s{number}", home_url=f"https://{host}/") for number, host in enumerate(hosts))
)


@given(CATALOGUES, HOSTS, st.sampled_from(["s0", "s1", "s2", "nobody"]))
def test_two_forms_of_one_url_have_one_owner(sources, host, announcer):
    owners = owners_of(*sources)
    starts = ("https://", "http://") if host == "10.0.0.1" else ("https://", "http://", "https://www.")
    forms = [fetch_url(f"{start}{host}/a") for start in starts]
    of_one_key = [one for one in forms if url_key(one) == url_key(forms[0])]

    assert len({owners.owner_of(one, announcer=announcer) for one in of_one_key}) == 1


@given(CATALOGUES, HOSTS, st.sampled_from(["s0", "s1", "s2", "nobody"]))
def test_an_owner_names_the_host_and_the_announcer_takes_precedence(sources, host, announcer):
    url = f"https://{host}/a"
    owners, turned = owners_of(*sources), owners_of(*reversed(sources))

    owner = owners.owner_of(url, announcer=announcer)

    assert set(owners.claimants(Url.of(url).site)) == set(turned.claimants(Url.of(url).site))
    assert (owner is None) == (not owners.claimants(Url.of(url).site))
    assert owner is None or owner in owners.claimants(Url.of(url).site)
    assert announcer not in owners.claimants(Url.of(url).site) or owner == announcer


@given(CATALOGUES, HOSTS)
def test_every_source_owns_its_own_home_when_it_announces_it(sources, host):
    owners = owners_of(*sources, Source(id="mine", home_url=f"https://{host}/"))

    assert owners.owner_of(f"https://{host}/a", announcer="mine") == "mine"


def slow_and_quick():
    slow = Source(id="slow", home_url="https://paper.com/a/", crawl_delay_s=9.0, max_per_host=4, obey_tdm=True)
    quick = Source(id="quick", home_url="https://paper.com/b/", crawl_delay_s=2.0, max_per_host=2)
    other = Source(id="other", home_url="https://other.com/", crawl_delay_s=0.0, max_per_host=16, user_agent="x")
    return owners_of(slow, quick, other)


@pytest.mark.parametrize(
    ("asker", "url", "pace"),
    [
        ("other", "https://paper.com/c", (9.0, 2)),
        ("quick", "https://paper.com/a/c", (2.0, 2)),
        ("slow", "https://paper.com/b/c", (9.0, 4)),
        ("slow", "https://other.com/c", (0.0, 16)),
        ("other", "https://nobody.com/c", (0.0, 16)),
    ],
)
def test_a_hosts_pace_is_its_owners_for_every_source(asker, url, pace):
    owners = slow_and_quick()

    kept = owners.pace_at(Url.of(url).site, owners.rules[asker])

    assert (kept.crawl_delay_s, kept.max_per_host) == pace
    assert kept.user_agent == owners.rules[asker].user_agent


def test_rights_are_obeyed_if_an_owner_of_the_host_obeys_them():
    owners = slow_and_quick()

    urls = ("https://paper.com/b/c", "https://other.com/c", "https://nobody.com/c")
    obeyed = [owners.obedience_at(Url.of(url).site, owners.rules["other"]).obeys_tdm for url in urls]

    assert obeyed == [True, False, False]
    assert owners.obedience_at(Url.of(urls[2]).site, None) == Obedience()


@pytest.mark.parametrize(("url", "kept_s"), [("https://www.daily.com/a", 900.0), ("https://nobody.com/a", 10.0)])
def test_the_crawl_delay_at_an_unowned_host_is_bounded(url, kept_s):
    slow = DAILY.model_copy(update={"crawl_delay_s": 900.0})
    owners = owners_of(slow, WEEKLY)

    assert owners.pace_at(Url.of(url).site, owners.rules["daily"]).crawl_delay_s == kept_s
