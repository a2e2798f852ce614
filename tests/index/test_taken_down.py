from dataclasses import replace

import pytest

from tasks.index import taken_down
from tasks.values.takedown import Scope, Takedown, host_digest, source_digest, url_digest
from tests.index.test_announcing import FOREIGN, OWN, announce, row


def takedown(*digests, **changes):
    values = {"takedown_id": "t1", "scope": Scope.URL, "reason": None, "articles": 0, "revisions": 0, "segments": 0}
    return Takedown(**{**values, "key_digests": digests, **changes})


def kept_out(index):
    with index.read() as tx:
        return taken_down.read_kept_out(tx)


def test_the_index_agrees_with_the_lakes_takedowns(index, now):
    first = takedown(url_digest("a.example/1"), url_digest("a.example/2"), taken_at=now)
    second = takedown(url_digest("a.example/2"), takedown_id="t2", taken_at=now)

    taken_down.agree(index, [first, second])
    taken_down.agree(index, [first, second])

    assert kept_out(index).digests == {*first.key_digests}


def test_an_undone_takedown_no_longer_blocks_unless_another_does(index, now):
    first = takedown(url_digest("a.example/1"), url_digest("a.example/2"), taken_at=now)
    second = takedown(url_digest("a.example/2"), takedown_id="t2", taken_at=now)
    taken_down.agree(index, [first, second])

    taken_down.agree(index, [replace(first, undone_at=now), second])

    assert kept_out(index).digests == {url_digest("a.example/2")}


def test_takedowns_missing_in_the_lake_still_block(index, now):
    taken_down.agree(index, [takedown(url_digest("a.example/1"), taken_at=now)])

    taken_down.agree(index, [])

    assert kept_out(index).has_key("a.example/1")


@pytest.mark.parametrize("digest", [url_digest("good.com/1"), host_digest("good.com"), source_digest("good")])
def test_blocked_urls_are_not_announced(index, now, digest):
    taken_down.agree(index, [takedown(digest, taken_at=now)])
    other = replace(OWN, url="https://fine.com/2", url_key="fine.com/2", host="fine.com", source_id="fine")

    assert announce(index, OWN, FOREIGN, other, now=now) == 1

    assert row(index, "url_key") == ("fine.com/2",)


def test_announcements_of_a_blocked_source_are_ignored(index, now):
    taken_down.agree(index, [takedown(source_digest("other"), taken_at=now)])

    assert announce(index, replace(OWN, announcer="other"), now=now) == 0
