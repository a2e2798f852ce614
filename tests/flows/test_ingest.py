"""The flow `ingest`, run by the command on a real Prefect server."""

from collections import Counter
from pathlib import Path

import pytest
from deltalake import DeltaTable

from tests.engine import Presslake
from tests.press import Press, Story, running_press
from tests.workers import api_client

pytestmark = pytest.mark.engine


@pytest.fixture
def press():
    with running_press(sites=3, articles=4) as running:
        yield running


@pytest.fixture
def catalogue(press: Press, tmp_path: Path) -> Path:
    return press.catalogue(tmp_path / "sources.yaml")


def _articles(presslake: Presslake) -> list[dict]:
    return DeltaTable(str(presslake.lake / "articles")).to_pyarrow_table().to_pylist()


def _correct(press: Press, site: int) -> str:
    """Correct the site's first article; return its URL."""
    path, story = next(iter(press.stories[site].items()))
    press.stories[site][path] = Story(story.site, story.number, story.version + 1)
    return press.url(site, path)


def test_a_sweep_stores_every_announced_article_with_its_text(presslake, press, catalogue):
    summary = presslake.ingest("--catalogue", catalogue)

    assert summary["articles"]["new"] == summary["fetched"] == 12
    assert {row["url"]: row["text"] for row in _articles(presslake)} == {
        url: story.text for url, story in press.by_url().items()
    }


def test_a_second_sweep_fetches_no_article_again(presslake, press, catalogue):
    presslake.ingest("--catalogue", catalogue)

    summary = presslake.ingest("--catalogue", catalogue)

    assert (summary["discovered"], summary["fetched"], summary["not_modified"]) == (0, 0, 0)
    assert set(press.article_hits().values()) == {1}


def test_refetched_unmodified_articles_are_not_modified(presslake, press, catalogue):
    presslake.ingest("--catalogue", catalogue)

    summary = presslake.ingest("--catalogue", catalogue, "--refetch")

    assert (summary["fetched"], summary["not_modified"]) == (0, 12)
    assert not any(summary["articles"].values())


def test_changed_furniture_is_unchanged_and_a_correction_is_a_revision(presslake, press, catalogue):
    presslake.ingest("--catalogue", catalogue)
    press.tick += 1
    corrected = _correct(press, 0)

    summary = presslake.ingest("--catalogue", catalogue, "--refetch")

    assert (summary["articles"]["revision"], summary["articles"]["unchanged"]) == (1, 11)
    assert [row["revision"] for row in _articles(presslake) if row["url"] == corrected] in ([1, 2], [2, 1])


def test_the_limit_is_kept_and_the_next_sweep_fetches_the_rest(presslake, press, catalogue):
    first = presslake.ingest("--catalogue", catalogue, "--limit", "5")

    second = presslake.ingest("--catalogue", catalogue)

    assert (first["fetched"], first["pending"]) == (5, 7)
    assert (second["fetched"], second["pending"]) == (7, 0)


def test_a_source_can_be_selected(presslake, press, catalogue):
    summary = presslake.ingest("--catalogue", catalogue, "--source", "site-1")

    assert summary["fetched"] == 4
    assert {row["source_id"] for row in _articles(presslake)} == {"site-1"}


def test_a_dry_run_lists_urls_and_fetches_nothing(presslake, press, catalogue):
    told = presslake.ingest("--catalogue", catalogue, "--dry-run", "--limit", "7")
    hits, made = press.article_hits(), {one.name for one in presslake.home.iterdir()} & {"lake", "index.db"}

    summary = presslake.ingest("--catalogue", catalogue)

    assert (told["dry_run"], told["discovered"], told["would_fetch"], len(told["urls"])) == (True, 12, 7, 7)
    assert {one["url"] for one in told["urls"]} <= press.urls()
    assert (hits, made) == (Counter(), set())
    assert (summary["discovered"], summary["fetched"]) == (12, 12)


def test_force_refetches_failed_urls_at_once(presslake, press, catalogue):
    _, story = press.stories[0].popitem()
    press.stories[0]["/news/away.html"] = story
    missing = press.url(0, "/news/away.html")
    presslake.ingest("--catalogue", catalogue)  # announced, then missing
    del press.stories[0]["/news/away.html"]
    presslake.ingest("--url", missing, "--catalogue", catalogue)
    press.stories[0]["/news/away.html"] = Story(story.site, story.number, story.version + 1)
    patient = presslake.ingest("--catalogue", catalogue)

    forced = presslake.ingest("--catalogue", catalogue, "--force")

    assert (patient["fetched"], forced["fetched"], forced["articles"]["revision"]) == (0, 1, 1)


def test_a_single_url_needs_no_catalogue(presslake, press):
    url = next(iter(press.urls()))

    summary = presslake.ingest("--url", url, PRESSLAKE_ALLOW_NETWORKS="127.0.0.0/8")

    assert summary["articles"]["new"] == 1
    assert [row["url"] for row in _articles(presslake)] == [url]


def test_a_single_feed_needs_no_catalogue(presslake, press):
    summary = presslake.ingest("--feed", press.url(2, "/feed.xml"), PRESSLAKE_ALLOW_NETWORKS="127.0.0.0/8")

    assert summary["articles"]["new"] == 4


def test_due_skips_a_recently_polled_feed(presslake, press, catalogue):
    presslake.ingest("--catalogue", catalogue)
    before = Counter(press.hits)

    presslake.ingest("--catalogue", catalogue, "--due")

    assert press.hits == before


def test_a_dead_host_affects_no_other_page(presslake, press, catalogue):
    dead = '  - id: dead\n    feeds: ["http://127.20.9.9:9/feed.xml"]\n'
    catalogue.write_text(catalogue.read_text() + dead)

    summary = presslake.ingest("--catalogue", catalogue)

    assert summary["articles"]["new"] == 12
    assert summary["failed"] == {"feed_connect_failed": 1}


def test_a_gone_page_is_counted_with_its_reason(presslake, press, catalogue):
    press.stories[0] = {f"{path}?old": story for path, story in press.stories[0].items()}
    urls = [press.url(1, "/news/none.html"), press.url(1, "/news/nothing.html")]

    summary = presslake.ingest(
        "--url", urls[0], "--url", urls[1], "--catalogue", catalogue, PRESSLAKE_ALLOW_NETWORKS="127.0.0.0/8"
    )

    assert summary["failed"] == {"http_404": 2}


def test_prefect_shows_the_run_with_its_report_and_few_task_runs(presslake, press, catalogue, prefect_api_url):
    summary = presslake.ingest("--catalogue", catalogue)

    wanted = {"flow_runs": {"id": {"any_": [summary["run_id"]]}}}
    with api_client(prefect_api_url) as api:
        (run,) = api.post("/flow_runs/filter", json=wanted).json()
        artifacts = api.post("/artifacts/filter", json=wanted).json()
        tasks = api.post("/task_runs/filter", json=wanted).json()
    assert run["state"]["name"] == "Completed"
    assert "12 fetched" in next(one["data"] for one in artifacts if one["key"] == "run-report")
    assert next(one["data"] for one in artifacts if one["key"] == "sweep-progress") == 100
    assert len(tasks) <= 8
