"""An index rebuilt from the lake's rows makes the same decisions as the lost one."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from tasks.index.database import open_index
from tasks.verify.rebuild import Revision, remember_revisions
from tests.deduplicate.deciding import NOW, captured, decide, known, published
from tests.deduplicate.pages import page, story

KEY = "a.example/1"
FIRST = page(story(1), title="Cold at the pass", authors=("Ada Byron",), published_at=datetime(2026, 2, 27, tzinfo=UTC))
SECOND = replace(FIRST, title="Mild at the pass")


@pytest.fixture
def rows(tmp_path):
    """The rows of an article with two revisions."""
    with open_index(f"sqlite:///{tmp_path}/old.db") as old:
        for number, one in enumerate((FIRST, SECOND), 1):
            decide(old, f"b{number}", {KEY: one}, now=NOW + timedelta(hours=number))
        return published(old)


@pytest.fixture(params=[True, False], ids=["with digests", "from before there were any"])
def rebuilt(request, rows, tmp_path):
    if not request.param:
        rows = [replace(row, content_digest=None, changes=None) for row in rows]
    with open_index(f"sqlite:///{tmp_path}/new.db") as index:
        with index.write() as tx:
            remember_revisions(tx, [Revision(article=row, final_url=row.url) for row in rows], now=NOW)
        yield index


@pytest.mark.parametrize(
    ("one", "expected", "revision"),
    [
        (FIRST, {"unchanged": 1}, 1),
        (SECOND, {"unchanged": 1}, 2),
        (replace(SECOND, text=story(1, changed=1)), {"revision": 1}, 3),
    ],
)
def test_earlier_contents_are_known(rebuilt, one, expected, revision):
    report = decide(rebuilt, "b9", {KEY: one}, now=NOW + timedelta(hours=9))

    assert (report.articles, captured(rebuilt)[-1].revision) == (expected, revision)


def test_a_row_remembered_twice_changes_nothing(rebuilt, rows):
    before = known(rebuilt, KEY)

    with rebuilt.write() as tx:
        remember_revisions(tx, [Revision(article=row, final_url=row.url) for row in rows[-1:]], now=NOW)

    after = known(rebuilt, KEY)
    assert set(before.earlier_contents) <= {*after.earlier_contents, (after.revision, after.content_digest)}
