"""The command `forget`: nothing remains in the lake, the index, the search index and Prefect's database."""

import os
from pathlib import Path

import pytest

from tests.engine import Presslake
from tests.forget.searching import find_bytes
from tests.press import Press, running_press

pytestmark = pytest.mark.engine


@pytest.fixture
def press():
    with running_press(sites=2, articles=4) as running:
        yield running


def test_a_forgotten_url_is_in_no_byte_of_any_place(presslake: Presslake, press: Press, tmp_path: Path):
    catalogue = press.catalogue(tmp_path / "sources.yaml")
    url, story = next(iter(press.by_url().items()))
    presslake.ingest("--catalogue", catalogue, "--url", url)
    presslake.ingest("--catalogue", catalogue)
    presslake.run("search", story.title, "--json")
    prefect = Path(os.environ["PREFECT_HOME"])
    needles = [url, story.path, *story.paragraphs]
    before, known = find_bytes(tmp_path, needles), find_bytes(prefect, [url])

    would = presslake.run("forget", "--url", url, "--dry-run", "--json").json()
    done = presslake.run("forget", "--url", url, "--reason", "withdrawn", "--json").json()
    again = presslake.run("forget", "--url", url)

    assert set(before) == set(needles)
    assert known
    assert (would["is_dry_run"], would["articles"]) == (True, 1)
    assert (done["articles"], done["revisions"], done["captures"], done["segments_rewritten"]) == (1, 1, 1, 1)
    assert find_bytes(tmp_path, needles) == {}
    assert find_bytes(prefect, [url]) == {}  # only the URL: other tests' presses have the same stories
    assert again.out.strip() == "Nothing matches; nothing to forget."
    found = presslake.run("verify", "--json").json()
    summary = presslake.ingest("--catalogue", catalogue, "--url", url)
    assert found["is_well"]
    assert (summary["discovered"], summary["fetched"], summary["skipped"]) == (0, 0, {"taken_down": 1})
    assert find_bytes(presslake.lake, needles) == {}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "name what to forget: one of --url, --article, --host, --source and --list"),
        (("--url", "https://a.example/", "--host", "b.example"), "name what to forget"),
        (("--undo", "x", "--url", "https://a.example/"), "--undo cannot be combined with a selection"),
        (("--list", "missing.txt"), "--list missing.txt: no such file"),
    ],
)
def test_wrong_usage_is_one_line(offline_presslake: Presslake, words, said):
    ended = offline_presslake.run("forget", *words, check=False)

    assert (ended.code, len(ended.err.splitlines())) == (2, 1)
    assert said in ended.err
    assert not offline_presslake.lake.exists()
