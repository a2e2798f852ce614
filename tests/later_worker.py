"""The later version's worker (tests/later.py): runs one job per input line in a forked process; an empty line waits for all."""

import json
import os
import sys
import traceback
from datetime import UTC, datetime

from tasks.index import outbox
from tasks.index.database import open_index
from tasks.lake.growing import add_missing_columns
from tasks.lake.objects.stores import S3Config, open_store
from tasks.store.publishing import publish
from tests.later import Job
from tests.rows import make_item


def do(job: Job) -> None:
    if job.do == "decide":
        _decide(job)
        return
    store = open_store(job.lake, s3=S3Config(endpoint_url=job.endpoint_url))
    if job.do == "grow":
        add_missing_columns(store)
        return
    with open_index(job.index) as index:
        with index.read() as tx:
            items = outbox.pending(tx, limit=10)
        publish(items, store=store, index_id=index.index_id)
        with index.write() as tx:
            outbox.clear(tx, (item.sequence for item in items))


def _decide(job: Job) -> None:
    """Put a batch with values in the new columns into the outbox."""
    item = make_item(batch_id="later", mood="glad", echoes=("hall", "hill"))
    with open_index(job.index) as index, index.write() as tx:
        outbox.append(
            tx, batch_id=item.batch_id, run_id="r2", captures=item.captures, articles=item.articles, counts={},
            now=datetime.now(UTC),
        )  # fmt: skip


def main() -> None:
    children: list[int] = []
    for line in sys.stdin:
        if line.strip():
            children.append(_forked(Job(**json.loads(line))))
            _answer(children[-1])
        else:
            _answer([os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children])
            children.clear()


def _forked(job: Job) -> int:
    """Run a job in a forked process; return the process id."""
    if child := os.fork():
        return child
    code = 1
    try:
        do(job)
        code = 0
    except Exception:  # noqa: BLE001 - the parent shows it
        traceback.print_exc()
    finally:
        os._exit(code)


def _answer(what: object) -> None:
    sys.stdout.write(f"{json.dumps(what)}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
