"""A small lake and index made by real sweeps, and replays of it in this process."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

import pytest
from sqlalchemy import select

from tasks.config.catalogue import SourceRules
from tasks.config.loading import load_catalogue
from tasks.config.options import ExtractOptions
from tasks.errors import ItemError, NotAnArticle
from tasks.extract.page import extract_html
from tasks.extract.stored_page import NamedPage
from tasks.index.schema import articles, edges
from tasks.lake.keys import ARTICLES, CAPTURES
from tasks.lake.reading import list_files
from tasks.lake.tables import open_table
from tasks.replay.config import ReplayConfig
from tasks.replay.replaying import ReplayContext, replay
from tasks.replay.report import ReplayReport
from tasks.values.page import Page
from tasks.verify.stored import as_article, as_capture, read_file
from tests.e2e.chaos_worker import InlineExtractor
from tests.verify.conftest import (  # noqa: F401 - fixtures
    World,
    press,
    swept,
    swept_on_postgresql,
    world,
    world_on_postgresql,
)

NOT_COMPARED = {"extracted_at": None, "change_seq": None, "source_tags": None}
"""Columns written by every extraction; the sweeps of this world have no catalogue, so no tags."""
SITES = ("site_0", "site_1", "site_2")
CLUSTER = ("cluster_id", "is_representative", "cluster_size", "cluster_earliest")
SHORTER = ExtractOptions(text="//p[position() < 4]")
"""Omits the last paragraph, and includes the footer, which differs between looks."""

FIRST_THREE = ExtractOptions(text="//main//p[position() < 4]")
"""Omits the last paragraph, the only one in which corrections and near-duplicates differ."""

POISON_READ = "<main><article><h1>Read at last</h1>" + "".join(
    f"<p>The harbour opened on day {n}, and {n} people came to see it from all over the valley.</p>" for n in range(9)
)


class Reader(InlineExtractor):
    """Extracts other text from some pages, and no article from others."""

    def __init__(self, pages: Mapping[str, str], refused: Collection[str]) -> None:
        self._pages, self._refused = pages, refused

    def extract(self, pages: Iterable[NamedPage]) -> Iterator[tuple[str, Page | ItemError]]:
        for url, page in pages:
            if url in self._refused:
                yield page.capture_id, NotAnArticle(url)
            elif url in self._pages:
                yield page.capture_id, extract_html(self._pages[url], url, fetched_at=page.fetched_at)
            else:
                yield from super().extract([(url, page)])


@dataclass
class Replays:
    """Runs replays of a world, with extraction `options` by source."""

    world: World

    def context(
        self, *, refuse: Collection[str] = (), pages: Mapping[str, str] | None = None, **options: ExtractOptions
    ) -> ReplayContext:
        catalogue = load_catalogue(self.world.press.catalogue(self.world.home / "sources.yaml"))
        named = {name.replace("_", "-"): one for name, one in options.items()}
        sources: dict[str, SourceRules] = {
            name: replace(rules, extract=named.get(name, rules.extract)) for name, rules in catalogue.rules().items()
        }
        return ReplayContext(
            index=self.world.index,
            store=self.world.store,
            pool=Reader(pages or {}, refuse),
            workers=1,
            sources=sources,
            revisit_after=(),
        )

    def run(self, config: dict | None = None, **choices: object) -> ReplayReport:
        chosen = ReplayConfig(**{"dry_run": False, **(config or {})})
        return replay(chosen, self.context(**choices), on_step=lambda *_: None)

    def articles(self):
        """The rows of `articles` by id and revision, without columns that every replay writes."""
        return {
            (row.article_id, row.revision): replace(row, **NOT_COMPARED) for row in self._rows(ARTICLES, as_article)
        }

    def captures(self):
        """Return the rows of `captures` by id."""
        return {row.capture_id: replace(row, change_seq=None) for row in self._rows(CAPTURES, as_capture)}

    def stored(self):
        """All rows of `articles`, unchanged."""
        return list(self._rows(ARTICLES, as_article))

    def stored_captures(self):
        """All rows of `captures`, unchanged."""
        return list(self._rows(CAPTURES, as_capture))

    def versions(self):
        return [open_table(self.world.store, name).version() for name in (ARTICLES, CAPTURES)]

    def _rows(self, name, make):
        table = open_table(self.world.store, name)
        return [make(row) for file in list_files(table, name) for row in read_file(self.world.store, file)]

    def index(self):
        """The index's data of articles, without columns on its history."""
        with self.world.index.read() as tx:
            known = {
                row["article_id"]: {k: v for k, v in row.items() if k not in {"earlier_contents", "last_revision"}}
                for row in tx.execute(select(articles)).mappings()
            }
            related = {(row.a, row.b, row.kind): row.score for row in tx.execute(select(edges))}
        return known, related


@pytest.fixture
def replays(world: World) -> Replays:  # noqa: F811
    return Replays(world)


@pytest.fixture
def replays_on_postgresql(world_on_postgresql: World) -> Replays:  # noqa: F811
    return Replays(world_on_postgresql)
