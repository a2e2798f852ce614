"""Sweeps with a source that lists another source's articles."""

import itertools
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from deltalake import DeltaTable

from tests.press import Press, running_press

pytestmark = pytest.mark.engine

EVIL, GOOD = 0, 1


def _takeover(press: Press, date: datetime) -> None:
    """Let the first site's feed list the other's articles with a false date."""
    press.listed[EVIL] = tuple(press.url(GOOD, path) for path in press.stories[GOOD])
    press.listed_at = date


def _catalogue(press: Press, path: Path, of_good: str) -> Path:
    press.catalogue(path)
    path.write_text(path.read_text().replace("  - id: site-1\n", f"  - id: site-1\n    {of_good}\n"))
    return path


def _rows(presslake, table):
    return DeltaTable(str(presslake.lake / table)).to_pyarrow_table().to_pylist()


@pytest.mark.parametrize("date", [datetime(1990, 1, 1, tzinfo=UTC), datetime.now(UTC) + timedelta(hours=20)])
def test_articles_listed_by_another_source_keep_their_owner_its_pace_and_no_false_date(presslake, tmp_path, date):
    with running_press(sites=2, articles=3, network=61) as press:
        _takeover(press, date)
        catalogue = _catalogue(press, tmp_path / "sources.yaml", "crawl_delay_s: 0.5\n    max_per_host: 1")

        presslake.ingest("--catalogue", catalogue, "--source", "site-0")  # before the owner's own feed is polled
        presslake.ingest("--catalogue", catalogue)

    came_at = [one.came_at for one in press.log if one.site == GOOD]
    articles = _rows(presslake, "articles")
    assert sorted(row["source_id"] for row in articles) == ["site-0"] * 3 + ["site-1"] * 3
    assert {row["published_at"].year for row in articles} == {2026}
    assert len(came_at) == 5  # robots.txt, the owner's feed, and each article once
    assert min(later - earlier for earlier, later in itertools.pairwise(came_at)) >= 0.45


def test_an_owners_obey_tdm_applies_to_articles_listed_by_others(presslake, tmp_path):
    with running_press(sites=2, articles=2, network=62) as press:
        _takeover(press, datetime(1990, 1, 1, tzinfo=UTC))
        path = next(iter(press.stories[GOOD]))
        press.headers[GOOD, path] = {"tdm-reservation": "1"}
        catalogue = _catalogue(press, tmp_path / "sources.yaml", "obey_tdm: true")

        summary = presslake.ingest("--catalogue", catalogue, "--source", "site-0")

    [reserved] = [row for row in _rows(presslake, "captures") if row["reason"] == "tdm_reserved"]
    assert (reserved["source_id"], reserved["url"]) == ("site-1", press.url(GOOD, path))
    assert (summary["articles"]["new"], summary["skipped"]) == (3, {"tdm_reserved": 1})


def test_articles_of_a_requested_feed_belong_to_their_owner(presslake, tmp_path):
    with running_press(sites=2, articles=2, network=63) as press:
        _takeover(press, datetime(1990, 1, 1, tzinfo=UTC))
        catalogue = press.catalogue(tmp_path / "sources.yaml")
        kept = catalogue.read_text().partition("  - id: site-0\n")
        catalogue.write_text(kept[0] + "".join(kept[2].partition("  - id: site-1\n")[1:]))

        summary = presslake.ingest("--catalogue", catalogue, "--feed", press.url(EVIL, "/feed.xml"))

    assert (summary["fetched"], summary["pending"]) == (4, 0)
    assert sorted(row["source_id"] for row in _rows(presslake, "articles")) == ["adhoc"] * 2 + ["site-1"] * 2
