"""The daily budget of new URLs and hosts of a source's feeds."""

from datetime import timedelta

import pytest

from tasks.index import announcing
from tasks.index.announcing import NEW_HOSTS, NEW_URLS, Allowance, Announcement, take_in


def announced(number, *, host="a.example", announcer="a"):
    return Announcement(
        url=f"https://{host}/{number}",
        url_key=f"{host}/{number}",
        host=host,
        source_id=announcer,
        announced_by=f"https://{announcer}.example/feed",
        announcer=announcer,
    )


def take(index, now, *many, urls=100, hosts=100):
    allowance = Allowance(new_urls_a_day=urls, new_hosts_a_day=hosts)
    with index.write() as tx:
        kept, beyond = take_in(tx, many, {"a": allowance, "b": allowance}, now=now)
        announcing.announce(tx, kept, now=now)
    return len(kept), [one.budget for one in beyond]


def test_new_urls_beyond_the_days_budget_are_left_out(index, now):
    first = take(index, now, *(announced(one) for one in range(3)), urls=5)
    second = take(index, now, *(announced(one) for one in range(3, 9)), urls=5)

    assert (first, second) == ((3, []), (2, [NEW_URLS] * 4))


def test_known_urls_cost_no_budget(index, now):
    many = [announced(one) for one in range(5)]
    take(index, now, *many, urls=5)

    assert take(index, now, *many, *many, urls=5) == (10, [])


def test_only_new_hosts_beyond_the_days_budget_are_left_out(index, now):
    take(index, now, announced(0, host="known.example", announcer="b"))

    many = [announced(1, host=f"h{one}.example") for one in range(4)]
    known = [announced(one, host="known.example") for one in range(1, 4)]

    assert take(index, now, *many, *known, hosts=2) == (5, [NEW_HOSTS] * 2)


def test_each_source_and_each_day_has_its_own_budget(index, now):
    spent = take(index, now, *(announced(one) for one in range(4)), urls=3)
    other = take(index, now, announced(9, announcer="b"), urls=3)
    later = take(index, now + timedelta(days=1), announced(3), urls=3)

    assert (spent, other, later) == ((3, [NEW_URLS]), (1, []), (1, []))


@pytest.mark.parametrize("number", [1, 700])
def test_a_source_without_a_budget_is_unbounded(index, now, number):
    many = [announced(one, announcer="asked") for one in range(number)]

    assert take(index, now, *many, urls=1, hosts=1) == (number, [])
