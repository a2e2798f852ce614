"""Every query of docs/cookbook.md returns rows on a lake with data of every kind."""

import re
from datetime import timedelta
from pathlib import Path

import pytest

from tasks.index.outbox import OutboxItem
from tasks.query.asking import ask
from tasks.store.publishing import publish
from tasks.values.rows import Novelty, Outcome
from tests.lakes import Lake
from tests.rows import FETCHED_AT, make_capture

PAGE = (Path(__file__).parents[2] / "docs/cookbook.md").read_text(encoding="utf-8")
QUESTIONS = re.findall(r"^## \d+\. (.*?)\n\n```sql\n(.*?)```", PAGE, re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def lake(tmp_path_factory):
    lake = Lake(tmp_path_factory.mktemp("cookbook"))
    lake.publish(
        {"source_tags": ("regional",), "cluster_size": 2},
        {"article_id": "a2", "source_id": "weekly", "novelty": Novelty.DUPLICATE, "duplicate_of": "a1", "quality": 0.2},
    )
    lake.publish(
        {
            "revision": 2,
            "title": "Harbour shut",
            "novelty": Novelty.REVISION,
            "changes": ("title",),
            "fetched_at": FETCHED_AT + timedelta(hours=3),
            "source_tags": ("regional",),
        }
    )
    failed = make_capture(
        capture_id="c9",
        status=403,
        outcome=Outcome.FAILED,
        reason="http_403",
        novelty=None,
        article_id=None,
        revision=None,
    )
    publish([OutboxItem(sequence=9, batch_id="b9", captures=(failed,), articles=())], store=lake.store, index_id="i")
    return lake


def test_there_are_twenty_questions():
    assert len(QUESTIONS) == len(re.findall(r"^## \d+\.", PAGE, re.MULTILINE)) == 20


@pytest.mark.parametrize(("question", "query"), QUESTIONS, ids=[f"{n}" for n in range(1, len(QUESTIONS) + 1)])
def test_each_question_has_an_answer(lake, question, query):
    with ask(query, lake.settings) as answer:
        rows = list(answer.rows)

    assert rows, question
