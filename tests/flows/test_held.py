"""What a sweep's process holds while batch after batch goes through it: it must not grow with their number."""

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
    """How many of each kind were alive each time that a batch had been decided."""
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


def test_looks_pages_segments_and_hosts_of_a_few_batches_are_held_however_many_there_are(held):
    most = {kind: max(one[kind] for one in held) for kind in held[0]}

    assert len(held) >= ARTICLES / BATCH_SIZE
    assert 0 < most["Look"] <= 2 * 6 * BATCH_SIZE  # two being fetched, two extracted, one decided; some are made twice
    assert most["Page"] <= 4 * BATCH_SIZE
    assert most["Sample"] <= 2 * BATCH_SIZE
    assert most["SegmentWriter"] <= 2
    assert most["PoliteClient"] <= 2  # with all that it learnt of hosts


def test_rows_of_articles_are_held_for_one_batch_at_most(held):
    assert max(one["Article"] for one in held) <= 2 * BATCH_SIZE
