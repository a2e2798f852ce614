"""`presslake trace`, `show` and `status`."""

from pathlib import Path

import pytest

from tests.engine import Presslake
from tests.press import Story, running_press

pytestmark = pytest.mark.engine


@pytest.fixture(scope="module")
def corrected(prefect_api_url, tmp_path_factory) -> tuple[Presslake, str]:
    """A lake with an article of two revisions, and that article's URL."""
    home = tmp_path_factory.mktemp("trace")
    presslake = Presslake(home, {"PREFECT_API_URL": prefect_api_url})
    with running_press(sites=2, articles=3) as press:
        catalogue = press.catalogue(home / "sources.yaml")
        presslake.ingest("--catalogue", catalogue)
        path, story = next(iter(press.stories[0].items()))
        press.stories[0][path] = Story(story.site, story.number, story.version + 1)
        presslake.ingest("--catalogue", catalogue, "--refetch")
        return presslake, press.url(0, path)


def test_a_trace_shows_announcement_captures_revisions_and_warc_locations(corrected):
    presslake, url = corrected

    told = presslake.run("trace", url, "--json").json()

    assert told["frontier"]["announced_by"].endswith("/feed.xml")
    assert [row["novelty"] for row in told["captures"]] == ["new", "revision"]
    assert [row["revision"] for row in told["revisions"]] == [1, 2]
    assert all((presslake.lake / row["warc_key"]).is_file() for row in told["captures"])
    assert (told["changes"][0]["words_added"], told["changes"][0]["words_removed"]) == (8, 0)


def test_a_trace_by_id_equals_the_trace_by_url(corrected):
    presslake, url = corrected
    told = presslake.run("trace", url, "--json").json()

    assert presslake.run("trace", told["article"]["article_id"], "--json").json() == told


def test_the_diff_shows_the_added_sentence(corrected):
    presslake, url = corrected

    shown = presslake.run("trace", url, "--diff").out

    assert "+This report was corrected 1 times after publication." in shown
    assert "+8" in shown  # words; the table may wrap the cell


def test_show_prints_the_latest_or_a_given_revision(corrected):
    presslake, url = corrected
    added = "This report was corrected 1 times after publication."

    assert added in presslake.run("show", url, "--text").out
    assert added not in presslake.run("show", url, "--text", "--revision", "1").out
    assert presslake.run("show", url, "--json").json()["revision"] == 2


def test_show_html_prints_the_page_as_fetched(corrected):
    presslake, url = corrected

    page = presslake.run("show", url, "--html", "--revision", "1").out

    assert page.startswith("<!doctype html>")
    assert "This report was corrected" not in page


def test_a_missing_revision_is_named(corrected):
    presslake, url = corrected

    ended = presslake.run("show", url, "--revision", "7", check=False)

    assert ended.code == 2
    assert "--revision 7: there are 2 revisions" in ended.err


def test_status_counts_sources_and_runs(corrected):
    presslake, _ = corrected

    told = presslake.run("status", "--json").json()

    assert told["frontier"] == {"site-0": {"done": 3}, "site-1": {"done": 3}}
    assert [run["state"] for run in told["runs"]] == ["ended", "ended"]
    assert told["unpublished"] == 0
    assert "site-1" in presslake.run("status").out


def test_an_html_feed_and_an_empty_feed_are_counted_and_affect_no_other(presslake, tmp_path: Path):
    with running_press(sites=1, articles=2) as press:
        catalogue = press.catalogue(tmp_path / "sources.yaml")
        page = next(iter(press.urls()))
        catalogue.write_text(catalogue.read_text() + f'  - id: html\n    feeds: ["{page}"]\n')

        summary = presslake.ingest("--catalogue", catalogue)

    assert summary["articles"]["new"] == 2
    assert summary["failed"] == {"feed_not_a_feed": 1}
