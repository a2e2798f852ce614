"""Sweeps of real pages, into a directory and into S3."""

import gzip
import json
from collections import Counter
from pathlib import Path

import pytest
from deltalake import DeltaTable

from tests.newsroom import NEWSROOM, Newsroom, needs_newsroom, serving

pytestmark = [pytest.mark.engine, pytest.mark.newsroom]


@pytest.fixture
def lake(lake_address, presslake) -> dict[str, str]:
    """The environment that names the lake."""
    told = {"PRESSLAKE_LAKE": lake_address.uri}
    if lake_address.s3.endpoint_url:
        told |= {"PRESSLAKE_S3_ENDPOINT_URL": lake_address.s3.endpoint_url, "AWS_REGION": "us-east-1"}
    return told


def _hits_by_kind(newsroom: Newsroom) -> tuple[Counter[int], Counter[int]]:
    """Count hits of robots.txt and of articles: for each number of hits, how many URLs had it."""
    articles = {url.partition("//")[2] for site in newsroom.sites() for url in site["articles"]}
    robots, pages = Counter(), Counter()
    for name, times in newsroom.hits().items():
        if name.endswith("/robots.txt"):
            robots[times] += 1
        elif not name.endswith(("/feed.xml", "/_sites", "/_hits", "/_touch")):
            pages[times] += 1
    assert articles
    return robots, pages


@pytest.mark.parametrize(
    "lake_address",
    [
        "directory",
        pytest.param("moto", marks=pytest.mark.s3),
        pytest.param("ceph", marks=[pytest.mark.s3, pytest.mark.long]),
    ],
    indirect=True,
)
def test_the_newsroom_is_stored_once_and_pages_with_new_furniture_are_unchanged(newsroom, presslake, lake, tmp_path):
    catalogue = newsroom.catalogue(tmp_path / "sources.yaml")

    first = presslake.ingest("--catalogue", catalogue, **lake)
    robots, pages = _hits_by_kind(newsroom)

    assert first["fetched"] + sum(first["skipped"].values()) == first["discovered"] == 150
    assert (first["failed"], first["quarantined"], first["pending"]) == ({}, 0, 0)
    assert first["articles"]["new"] >= 147
    assert (robots, pages) == (Counter({1: 134}), Counter({1: 150}))

    second = presslake.ingest("--catalogue", catalogue, **lake)

    assert (second["fetched"], second["not_modified"]) == (0, 0)
    assert _hits_by_kind(newsroom)[1] == Counter({1: 150})

    again = presslake.ingest("--catalogue", catalogue, "--refetch", **lake)

    assert (again["not_modified"], again["fetched"]) == (150, 0)

    rows = [json.loads(line) for line in (NEWSROOM / "pages/truth.jsonl").read_text().splitlines()[:10]]
    for row in rows:
        newsroom.touch(row["id"])
    touched = presslake.ingest("--catalogue", catalogue, "--refetch", **lake)

    assert touched["articles"]["unchanged"] == 10
    assert (touched["articles"]["new"], touched["articles"]["revision"]) == (0, 0)


@needs_newsroom
def test_the_seed_pages_give_equal_texts_with_any_teasers(presslake, tmp_path):
    expected = (NEWSROOM / "seedpage/expected.txt").read_text().strip()
    pages = _seed_pages(tmp_path)

    with serving(pages) as newsroom:
        summary = presslake.ingest("--catalogue", newsroom.catalogue(tmp_path / "sources.yaml"))

    rows = DeltaTable(str(presslake.lake / "articles")).to_pyarrow_table().to_pylist()
    by_path = {row["url"].rpartition("/")[2]: row for row in rows}
    assert summary["fetched"] == 8
    for layout in ("easy", "hard", "nested", "noarticle"):
        one, other = by_path[f"{layout}_a"], by_path[f"{layout}_b"]
        assert one["text_digest"] == other["text_digest"], layout
        assert "Keep Reading" not in one["text"]
    assert [row["text"].split() == expected.split() for row in rows] == [True] * 8


def _seed_pages(folder: Path) -> Path:
    """Write the seed pages as a newsroom of two sites, one per set of teasers."""
    lines = []
    for page in sorted((NEWSROOM / "seedpage").glob("*.html")):
        packed = folder / f"{page.stem}.html.gz"
        packed.write_bytes(gzip.compress(page.read_bytes()))
        url = f"https://seed-{page.stem.replace('_', '-')}.example/{page.stem}"
        lines.append(json.dumps({"id": page.stem, "url": url, "html_path": packed.name, "title": page.stem}))
    pages = folder / "pages.jsonl"
    pages.write_text("\n".join(lines) + "\n")
    return pages
