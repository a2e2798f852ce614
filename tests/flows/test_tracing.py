"""A sweep's spans, from Prefect and from us, at a collector."""

import pytest

from tests.collecting import collecting
from tests.press import running_press

pytestmark = pytest.mark.engine


def test_a_sweeps_spans_nest_in_its_flow_run(presslake, tmp_path):
    with running_press(sites=1, articles=2) as press, collecting() as collector:
        catalogue = press.catalogue(tmp_path / "sources.yaml")
        summary = presslake.ingest("--catalogue", catalogue, OTEL_EXPORTER_OTLP_ENDPOINT=collector.url)

    paths = {" > ".join(collector.path(one)) for one in collector.spans if one.scope == "presslake"}
    assert paths == {
        "all sources > run",
        "all sources > run > discover",
        "all sources > run > store",
        "all sources > run > batch",
        *(f"all sources > run > batch > {stage}" for stage in ("fetch", "extract", "deduplicate", "store")),
    }
    (batch,) = collector.named("batch")
    (run,) = collector.named("run")
    (fetch,) = collector.named("fetch")
    assert run.attributes["presslake.run_id"] == summary["run_id"]
    assert (batch.attributes["presslake.urls"], batch.attributes["presslake.fetched"]) == (2, 2)
    task_runs = {one.span_id: one for one in collector.spans if one.scope == "prefect"}
    assert [task_runs[link].name for link in fetch.links] == [f"fetch {batch.attributes['presslake.batch_id']}"]
