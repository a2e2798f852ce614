from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from tasks.deduplicate.clusters import Clusters, Member

START = datetime(2026, 3, 1, tzinfo=UTC)


def member(name, hour=0):
    return Member(START + timedelta(hours=hour), name)


def clusters(**cluster_of):
    """Return stored clusters, each with its first member by name as representative."""
    earliest = {}
    for name, cluster in sorted(cluster_of.items()):
        earliest.setdefault(cluster, member(name, hour=int(name[1:])))
    return Clusters(earliest=earliest, cluster_of=dict(cluster_of))


def test_an_article_without_relations_is_its_own_cluster():
    known = clusters()
    known.join(member("a5", 5), [])

    assert (known.find("a5"), known.is_earliest("a5")) == ("a5", True)


def test_a_copy_joins_but_is_not_the_representative():
    known = clusters(a1="a1")
    known.join(member("a5", 5), ["a1"])

    assert (known.find("a5"), known.is_earliest("a5"), known.replaced) == ("a1", False, set())


def test_a_late_but_earlier_article_becomes_the_representative():
    known = clusters(a3="a3")
    known.join(member("a1", 1), ["a3"])

    assert (known.find("a1"), known.is_earliest("a1"), known.replaced) == ("a3", True, {"a3"})


def test_an_article_similar_to_two_clusters_merges_them():
    known = clusters(a1="k1", a2="k2", a3="k2")
    known.join(member("a5", 5), ["a1", "a3"])

    assert (known.find("a3"), known.losers(), known.replaced) == ("k1", {"k2": "k1"}, {"a2"})


def test_chains_of_merged_clusters_are_followed():
    known = clusters(a1="k1", a2="k2", a3="k3")
    known.join(member("a5", 5), ["a2", "a3"])
    known.join(member("a6", 6), ["a1", "a3"])

    assert known.losers() == {"k2": "k1", "k3": "k1"}


def test_a_revision_stays_in_its_cluster():
    known = clusters(a1="k1", a2="k1")
    known.join(member("a2", 9), [])

    assert (known.find("a2"), known.is_earliest("a1")) == ("k1", True)


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), max_size=30), st.randoms())
def test_the_partition_does_not_depend_on_the_order(edges, chance):
    names = list(range(10))

    def parted(order):
        known = Clusters(earliest={}, cluster_of={})
        for place, number in enumerate(order):
            earlier = set(order[:place])
            relatives = [
                f"a{b if a == number else a}" for a, b in edges if number in (a, b) and {a, b} - {number} <= earlier
            ]
            known.join(member(f"a{number}", number), [one for one in relatives if one != f"a{number}"])
        groups = {}
        for number in names:
            groups.setdefault(known.find(f"a{number}"), set()).add(number)
        first = {frozenset(group): min(group) for group in groups.values()}
        assert all(known.is_earliest(f"a{lowest}") for lowest in first.values())
        return set(first)

    shuffled = chance.sample(names, len(names))

    assert parted(names) == parted(shuffled)
