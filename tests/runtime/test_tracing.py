"""Spans of run, batch and stage, as received by a collector.

Each test runs in a separate process, since a provider is set once per process.
"""

import os
import subprocess
import sys

import pytest

from tasks.errors import ConfigError
from tasks.runtime import tracing
from tests.collecting import collecting

RUN = """
from tasks.runtime import tracing
tracing.configure()
with tracing.run_span("r1"):
    with tracing.stage_span("discover") as note:
        note(feeds=3)
    tracing.begin_batch("b1", urls=2)
    tracing.begin_batch("b2", urls=1)
    with tracing.stage_span("fetch", "b2"):
        pass
    with tracing.batch_span("b1") as note:
        with tracing.stage_span("extract", "b1"):
            pass
        with tracing.stage_span("store"):
            pass
        note(fetched=2)
"""
FAILING = """
from tasks.runtime import tracing
tracing.configure()
with tracing.run_span("r1"), tracing.stage_span("store"):
    raise ValueError("</script>\\x1b[31m a word from the web")
"""


def run(program: str, **environment: str) -> subprocess.CompletedProcess:
    plain = {name: value for name, value in os.environ.items() if not name.startswith("OTEL_")}
    return subprocess.run(
        [sys.executable, "-c", program],
        env=plain | environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_stage_spans_nest_in_batches_and_batches_in_the_run():
    with collecting() as collector:
        ended = run(RUN, OTEL_EXPORTER_OTLP_ENDPOINT=collector.url)

    assert ended.returncode == 0, ended.stderr
    assert {" > ".join(collector.path(one)) for one in collector.spans} == {
        "run",
        "run > discover",
        "run > batch",
        "run > batch > fetch",
        "run > batch > extract",
        "run > batch > store",
    }
    assert len({one.trace_id for one in collector.spans}) == 1
    assert collector.services == {"presslake"}


def test_spans_have_ids_and_counts():
    with collecting() as collector:
        run(RUN, OTEL_EXPORTER_OTLP_ENDPOINT=collector.url)

    batches = [one.attributes for one in collector.named("batch")]
    assert {"presslake.batch_id": "b1", "presslake.urls": 2, "presslake.fetched": 2} in batches
    assert collector.named("run")[0].attributes == {"presslake.run_id": "r1"}
    assert collector.named("discover")[0].attributes == {"presslake.stage": "discover", "presslake.feeds": 3}


def test_an_error_is_recorded_by_its_type_only():
    with collecting() as collector:
        ended = run(FAILING, OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=f"{collector.url}/v1/traces")

    assert ended.returncode == 1
    assert {one.name: one.error for one in collector.spans} == {"run": "ValueError", "store": "ValueError"}
    assert b"from the web" not in b"".join(collector.bodies)


@pytest.mark.parametrize(
    "environment",
    [
        {},
        {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9", "OTEL_SDK_DISABLED": "true"},
        {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9", "OTEL_TRACES_EXPORTER": "none"},
    ],
)
def test_nothing_is_imported_without_an_endpoint(environment):
    told = "import sys; print([one for one in sys.modules if one.startswith('opentelemetry')])"

    assert run(RUN + told, **environment).stdout == "[]\n"


def test_an_unavailable_collector_does_not_delay_the_run():
    ended = run(RUN, OTEL_EXPORTER_OTLP_ENDPOINT="http://127.0.0.1:9")

    assert ended.returncode == 0


def test_a_missing_package_is_reported(monkeypatch):
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setitem(sys.modules, "opentelemetry.exporter.otlp.proto.http.trace_exporter", None)

    with pytest.raises(ConfigError, match=r"pip install 'presslake\[telemetry\]'"):
        tracing.configure()


def test_an_unsupported_protocol_is_reported(monkeypatch):
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")

    with pytest.raises(ConfigError, match="http/protobuf"):
        tracing.configure()
