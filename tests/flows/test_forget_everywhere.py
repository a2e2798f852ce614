"""Unique articles are taken down, then searched for in every byte and by every command; nothing brings them back.

With the lake in a directory and in S3, and the index in SQLite and in PostgreSQL.
"""

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import closing, contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from tasks.browse.app import browse_app
from tasks.browse.guard import Access, allowed_hosts
from tasks.browse.library import open_library
from tasks.config.settings import Settings
from tasks.index.database import open_index
from tasks.lake.objects.stores import S3Config, open_store
from tests.browse.conftest import Client
from tests.engine import Presslake
from tests.forget.searching import find_bytes, find_rows
from tests.postgres import fresh_database
from tests.press import Press, Story, running_press
from tests.servers import make_bucket

pytestmark = pytest.mark.engine

TAKEN = 10
PLACES = ("directory-sqlite", "directory-postgresql", "s3-sqlite", "s3-postgresql")


# dozens of read commands in one process: separate processes would cost ten times as much
LOOKING = """
import contextlib, io, json, sys
from flows.cli.app import app

ended = []
for words in json.loads(sys.argv.pop(1)):
    sys.argv[1:], said, code = words, io.TextIOWrapper(io.BytesIO(), "utf-8", write_through=True), 0
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        try:
            app()
        except SystemExit as end:
            code = end.code
    ended.append([code, said.buffer.getvalue().decode()])
print(json.dumps(ended))
"""
COPIES = ("duplicate", "near_duplicate", "excerpt")


@dataclass(frozen=True)
class Copy(Story):
    """A copy of another site's story at its own URL."""

    of_site: int = 0

    @property
    def path(self) -> str:
        return f"/news/copy-{self.original.slug}.html"

    @property
    def original(self) -> Story:
        return Story(self.of_site, self.number)

    @property
    def title(self) -> str:
        return self.original.title

    @property
    def paragraphs(self) -> tuple[str, ...]:
        return self.original.paragraphs


@dataclass
class Archive:
    """A lake and an index, the command, and every place that keeps something of them."""

    command: Presslake
    press: Press
    home: Path
    index_url: str
    lake_uri: str
    s3: S3Config
    catalogue: Path
    number: int = field(default=0)

    def run(self, *words: str | Path, **environment: str):
        return self.command.run(*words, timeout=1200, **environment)

    def json(self, *words: str | Path, **environment: str):
        return self.run(*words, "--json", **environment).json()

    def sweep(self):
        return self.json("ingest", "--catalogue", self.catalogue)

    def look(self, *commands: tuple[str, ...]) -> list[tuple[int, str]]:
        """Run commands in one process; return each one's exit code and output."""
        ended = self.command.execute(LOOKING, json.dumps(commands), timeout=1200)
        assert ended.code == 0, ended
        return [(code, said) for code, said in ended.json()]

    def find(self, needles, *, urls=()) -> dict[str, set[str]]:
        """Return the places that contain the needles: lake, index, search index, write-ahead log, Prefect's database.

        Prefect's files are searched only for the URLs, since other tests' presses have the same stories at other addresses.
        """
        found = {name: set(files) for name, files in find_bytes(self._everything(), needles).items()}
        with closing(open_index(self.index_url)) as index, index.read() as tx:
            for name, tables in find_rows(tx, needles).items():
                found.setdefault(name, set()).update(tables)
        for name, files in find_bytes(Path(os.environ["PREFECT_HOME"]), list(urls)).items():
            found.setdefault(name, set()).update(files)
        return found

    def _everything(self) -> Path:
        """Copy all files of the place, including the lake's objects, into one folder."""
        copied = self.home.parent / f"copy-{self.number}"
        self.number += 1
        shutil.copytree(self.home, copied)
        if self.lake_uri.startswith("s3://"):
            store = open_store(self.lake_uri, s3=self.s3)
            for one in store.list(""):
                path = copied / "lake" / one.key
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(store.get(one.key))
        return copied

    def answers(self, story: Story) -> str:
        """Return the output of all searches and lists that could show the story."""
        sentence = story.paragraphs[0].partition(". ")[0]
        settings = Settings(lake=self.lake_uri, index=self.index_url, catalogue=self.catalogue,
                            s3_endpoint_url=self.s3.endpoint_url)  # fmt: skip
        client = Client(browse_app(open_library(settings), Access(hosts=allowed_hosts(8420), token=None)))
        pages = [client.get(path) for path in (
            "/", "/stories", "/sources", f"/sources/site-{story.site}", "/failures", f"/search?q={sentence}",
        )]  # fmt: skip
        assert {page.status_code for page in pages} == {200}
        searches = self.look(*(("search", words, "--json") for words in (f'"{sentence}"', story.title)))
        assert {code for code, _ in searches} == {0}
        return "\n".join([*(said for _, said in searches), *(page.text for page in pages)])

    def histories(self, url: str) -> str:
        """Return the output of all commands that look up a URL."""
        ended = self.look(("show", url), ("trace", url), ("rights", "explain", url))
        return "\n".join(said for _, said in ended)

    def with_index(self, index_url: str) -> "Archive":
        """Return this archive with another index."""
        command = Presslake(self.home, {**self.command.environment, "PRESSLAKE_INDEX": index_url})
        return replace(self, command=command, index_url=index_url, number=self.number + 1000)


@contextmanager
def archive_in(place: str, home: Path, press: Press, api_url: str, request: pytest.FixtureRequest) -> Iterator[Archive]:
    lake, index = place.split("-")
    home.mkdir()
    lake_uri, s3, where = str(home / "lake"), S3Config(), {}
    if lake == "s3":
        endpoint = request.getfixturevalue("moto_url")
        lake_uri, s3 = f"s3://{make_bucket(endpoint)}/lake", S3Config(endpoint_url=endpoint)
        where = {"PRESSLAKE_S3_ENDPOINT_URL": endpoint}
    server = request.getfixturevalue("postgres_server") if index == "postgresql" else None
    with fresh_database(server) if server else nullcontext(f"sqlite:///{home / 'index.db'}") as index_url:
        variables = {"PRESSLAKE_LAKE": lake_uri, "PRESSLAKE_INDEX": index_url, "PREFECT_API_URL": api_url, **where}
        catalogue = press.catalogue(home.parent / "sources.yaml", max_per_host=16)
        yield Archive(Presslake(home, variables), press, home, index_url, lake_uri, s3, catalogue)


def add_copies(press: Press, number: int) -> list[tuple[Story, list[Story]]]:
    """Add three copies of two stories of the first site, on other sites."""
    found = []
    for story in list(press.stories[0].values())[-2:]:
        copies = [Copy(site=one, number=story.number, of_site=0) for one in range(1, number + 1)]
        for copy in copies:
            press.stories[copy.site][copy.path] = copy
        found.append((story, copies))
    return found


def words_of(story: Story) -> list[str]:
    return [story.title, *story.paragraphs]


@pytest.mark.parametrize(
    ("place", "articles"),
    [
        ("s3-postgresql", 6),
        *(pytest.param(place, 250, marks=pytest.mark.long) for place in PLACES),
    ],
)
def test_nothing_remains_of_taken_down_articles_and_nothing_brings_them_back(
    place, articles, tmp_path, prefect_api_url, request
):
    with (
        running_press(sites=4, articles=articles, network=62) as press,
        archive_in(place, tmp_path / "home", press, prefect_api_url, request) as archive,
    ):
        (lonely, stays), (doomed, goes) = add_copies(press, 3)
        alone = [story for site in range(1, 4) for story in list(press.stories[site].values())[:4]][:TAKEN]
        urls = {story: press.url(story.site, story.path) for story in (*alone, lonely, doomed, *stays, *goes)}
        swept = archive.sweep()
        archive.json("search", alone[0].title)
        archive.json("export", "--format", "warc", "--out", tmp_path / "before")
        gone = [needle for story in alone for needle in (urls[story], story.path, *words_of(story))]
        before = archive.find(gone, urls=[])
        listed = tmp_path / "list.txt"
        listed.write_text("".join(f"{urls[story]}\n" for story in alone))

        taken = archive.json("forget", "--list", listed, "--reason", "withdrawn")
        without = archive.json("forget", "--url", urls[lonely])
        with_copies = archive.json("forget", "--url", urls[doomed], "--copies")
        kept = {archive.run("show", urls[story], "--text").out.strip() for story in stays}

        total = 4 * articles + 6
        assert swept["articles"]["new"] + sum(swept["articles"].get(one, 0) for one in COPIES) == total
        assert set(before) == set(gone)
        assert [(one["articles"], one["copies"]) for one in (taken, without, with_copies)] == [
            (TAKEN, 0),
            (1, 3),
            (4, 0),
        ]
        assert len(kept) == 1
        assert lonely.paragraphs[0] in kept.pop()

        texts = [*alone, doomed] if articles > 100 else [alone[0], doomed]  # each takes a dozen commands
        gone += [needle for story in (doomed, *goes) for needle in (urls[story], story.path, *words_of(story))]
        gone += [urls[lonely], lonely.path]
        named = [urls[story] for story in (*alone, lonely, doomed, *goes)]

        def check(archive: Archive) -> None:
            assert archive.find(gone, urls=named) == {}
            changes = archive.run("changes", "--since", "0", "--json").out
            for story in texts:
                answers, histories = archive.answers(story) + changes, archive.histories(urls[story])
                assert [one for one in (story.path, *words_of(story)) if one in answers] == []
                assert [one for one in words_of(story) if one in histories] == []
                assert "taken down" in histories
            assert archive.json("verify")["is_well"]

        check(archive)
        left = total - TAKEN - 5
        archive.run("export", "--format", "jsonl", "--out", tmp_path / "after")
        replayed = archive.json("replay", "--catalogue", archive.catalogue)
        again = archive.sweep()
        backfilled = archive.json("backfill", "warc", tmp_path / "before", "--catalogue", archive.catalogue)
        assert find_bytes(tmp_path / "after", gone) == {}
        assert sum(path.read_text().count("\n") for path in (tmp_path / "after").glob("*.jsonl")) == left
        assert (replayed["pages"], replayed["same"]) == (left, left)
        assert [report["articles"]["new"] for report in (again, backfilled)] == [0, 0]
        check(archive)
        made_again = archive.with_index(f"sqlite:///{archive.home / 'again.db'}")
        assert made_again.json("reindex")["articles"] == left
        check(made_again)
