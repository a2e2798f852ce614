"""The objects that a sweep's process keeps in memory: their number must not grow with the number of batches."""

import pytest

from tests.engine import Presslake
from tests.press import running_press

pytestmark = pytest.mark.engine

BATCH_SIZE, ARTICLES = 4, 48

PROGRAM = """
import gc, json, logging
from tasks.config.parameters import IngestConfig
from flows.ingest import ingest
from tasks.fetch.soft_404 import Sample
from tasks.lake.warc import SegmentWriter
from tasks.politeness.client import PoliteClient
from tasks.values.look import Look
from tasks.values.page import Page
from tasks.values.rows import Article

alive = {kind: [] for kind in (Look, Page, Article, Sample, SegmentWriter, PoliteClient)}
held = []

def count(kind, ones):  # gc.get_objects() would disturb threads that are making a tuple
    def born(cls, *_args, **_named):
        ones.append(1)
        return object.__new__(cls)
    kind.__new__, kind.__del__ = born, lambda _one: ones.pop()

class Counting(logging.Handler):
    def emit(self, record):
        if record.getMessage().startswith("decided"):
            gc.collect()
            held.append({kind.__name__: len(ones) for kind, ones in alive.items()})

if __name__ == "__main__":
    for kind, ones in alive.items():
        count(kind, ones)
    logging.getLogger("prefect.task_runs").addHandler(Counting())
    ingest(IngestConfig())
    print(json.dumps(held))
"""


@pytest.fixture(scope="module")
def held(prefect_api_url: str, tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, int]]:
    """The number of live objects by kind, counted after each decided batch."""
    home = tmp_path_factory.mktemp("held")
    with running_press(sites=2, articles=ARTICLES // 2) as press:
        settings = {
            "PREFECT_API_URL": prefect_api_url,
            "PRESSLAKE_CATALOGUE": str(press.catalogue(home / "sources.yaml")),
            "PRESSLAKE_BATCH_SIZE": str(BATCH_SIZE),
        }
        ended = Presslake(home, settings).execute(PROGRAM)
    assert ended.code == 0, ended
    return ended.json()


def test_objects_of_only_a_few_batches_are_in_memory(held):
    most = {kind: max(one[kind] for one in held) for kind in held[0]}

    assert len(held) >= ARTICLES / BATCH_SIZE
    assert 0 < most["Look"] <= 2 * 6 * BATCH_SIZE  # two batches fetched, two extracted, one decided; some copied
    assert most["Page"] <= 4 * BATCH_SIZE
    assert most["Sample"] <= 2 * BATCH_SIZE
    assert most["SegmentWriter"] <= 2
    assert most["PoliteClient"] <= 2  # each keeps what it knows of hosts


def test_article_rows_of_at_most_one_batch_are_in_memory(held):
    assert max(one["Article"] for one in held) <= 2 * BATCH_SIZE
