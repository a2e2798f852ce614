"""Pages removed by retention or a takedown are not read again: they count as expired, and no replay restores them."""

from datetime import UTC, datetime

from tasks.config.retention import KeptDays, RetentionRules
from tasks.forget.forgetting import forget
from tasks.forget.plan import Selection
from tasks.values.takedown import Scope
from tests.maintain.test_expiry import tidy
from tests.replay.conftest import SHORTER


def test_expired_pages_are_no_failures_and_others_are_read(replays):
    rules = RetentionRules(by_source={"site-1": KeptDays(payload_days=1)})
    tidy(replays.world, 2, rules)
    before = replays.articles()

    report = replays.run(site_0=SHORTER, site_1=SHORTER)

    own = report.by_source["site-1"]
    assert set(own) == {"expired"}
    assert (report.expired, report.failed) == (own["expired"], 0)
    assert report.changed
    after = replays.articles()  # copies on other sites may have other relations now
    assert all(row.text == before[key].text for key, row in after.items() if row.source_id == "site-1")


def test_an_expired_text_is_not_restored_from_its_page(replays):
    tidy(replays.world, 2, RetentionRules(usual=KeptDays(text_days=1)))

    report = replays.run(site_0=SHORTER)

    assert {row.text for row in replays.stored()} == {""}
    assert (report.changed, report.failed, report.expired > 40) == (0, 0, True)
    assert replays.world.verify().found == {}


def test_pages_that_were_taken_down_are_not_read(replays):
    url = next(row.url for row in replays.stored() if row.source_id == "site-0" and row.duplicate_of is None)
    before = replays.run({"dry_run": True}).pages
    forget(
        Selection(scope=Scope.URL, names=(url,)),
        index=replays.world.index,
        store=replays.world.store,
        now=datetime.now(UTC),
    )

    report = replays.run()

    assert report.pages < before
    assert (report.failed, report.expired, report.gained) == (0, 0, 0)
    assert url not in {row.url for row in replays.stored()}
