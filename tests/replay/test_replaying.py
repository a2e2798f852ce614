"""A replay changes what its rules read differently, and nothing else; with the first rules again all is as it was."""

import pytest

from tests.replay.conftest import SHORTER


def test_the_same_rules_change_nothing(replays):
    before, versions = (replays.articles(), replays.captures(), replays.index()), replays.versions()

    report = replays.run()

    assert report.same == report.pages
    assert report.pages > 40
    assert replays.versions() == versions
    assert (replays.articles(), replays.captures(), replays.index()) == before


@pytest.mark.parametrize("sources", [["site_0"], ["site_1"], ["site_2"], ["site_0", "site_1", "site_2"]])
def test_other_options_and_the_first_ones_again_leave_all_as_it_was(replays, sources):
    before = replays.articles(), replays.captures(), replays.index()

    there = replays.run(**dict.fromkeys(sources, SHORTER))
    between = replays.world.verify().found
    changed = replays.articles()
    back = replays.run()

    assert there.changed
    assert back.changed
    assert changed != before[0]
    assert (between, replays.world.verify().found) == ({}, {})
    after = replays.articles(), replays.captures(), replays.index()
    assert after[0] == before[0]
    assert after[1] == before[1]
    assert after[2] == before[2]


def test_on_postgresql_too(replays_on_postgresql):
    replays = replays_on_postgresql
    before = replays.articles(), replays.captures(), replays.index()

    replays.run(site_0=SHORTER, site_1=SHORTER)
    replays.run()

    assert (replays.articles(), replays.captures(), replays.index()) == before
