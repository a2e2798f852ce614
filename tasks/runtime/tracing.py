"""OpenTelemetry spans: a run, its batches, and their stages, in addition to Prefect's spans.

Spans exist only if an endpoint is configured (`OTEL_EXPORTER_OTLP_ENDPOINT`); otherwise nothing is imported and nothing
happens. Attributes are our own ids, names and counts, and never text of a page, a URL or an error.
"""

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from importlib.metadata import version
from typing import TYPE_CHECKING

from tasks.errors import ConfigError

if TYPE_CHECKING:
    from opentelemetry.trace import Span

ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
PROTOCOLS = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")
LONGEST = 1000
"""The longest attribute in characters; Prefect's events with error messages are included."""

Note = Callable[..., None]
"""Records counts by name as attributes of the span."""

_lock = threading.Lock()
_parent: ContextVar["Span | None"] = ContextVar("presslake_span", default=None)
_batches: dict[str, "Span"] = {}


def is_wanted() -> bool:
    """Whether traces are sent."""
    is_off = (
        os.environ.get("OTEL_SDK_DISABLED", "").lower() == "true" or os.environ.get("OTEL_TRACES_EXPORTER") == "none"
    )
    return not is_off and any(os.environ.get(name) for name in ENDPOINTS)


def configure() -> None:
    """Export spans to the configured endpoint, unless a provider is set already; raises ConfigError.

    Call it before the first flow begins: Prefect starts a flow's span before the flow's own code.
    """
    if not is_wanted():
        return
    protocol = next((os.environ[name] for name in PROTOCOLS if os.environ.get(name)), "http/protobuf")
    if protocol != "http/protobuf":
        raise ConfigError(f"OTEL_EXPORTER_OTLP_PROTOCOL={protocol}: only http/protobuf is supported")
    try:
        from opentelemetry import trace  # noqa: PLC0415 - only if an endpoint is configured
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415
        from opentelemetry.sdk.resources import Resource  # noqa: PLC0415
        from opentelemetry.sdk.trace import SpanLimits, TracerProvider  # noqa: PLC0415
        from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415
    except ModuleNotFoundError as error:
        raise ConfigError(
            f"{ENDPOINTS[-1]} is set, but traces need a package: pip install 'presslake[telemetry]'"
        ) from error
    with _lock:
        if not isinstance(trace.get_tracer_provider(), trace.ProxyTracerProvider):
            return
        named = {} if os.environ.get("OTEL_SERVICE_NAME") else {"service.name": "presslake"}
        provider = TracerProvider(
            resource=Resource.create({**named, "service.version": version("presslake")}),
            span_limits=SpanLimits(max_attribute_length=LONGEST),
        )
        provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
        trace.set_tracer_provider(provider)


@contextmanager
def run_span(run_id: str) -> Iterator[Note]:
    """Trace a run in the current span, which is its flow's; open batches end with it."""
    if not is_wanted():
        yield _nothing
        return
    span = _start("run", None, run_id=run_id)
    try:
        with _within(span) as note:
            yield note
    finally:
        for batch_id in list(_batches):
            _batches.pop(batch_id).end()
        span.end()


def begin_batch(batch_id: str, *, urls: int) -> None:
    """Start the span of a batch, which ends elsewhere."""
    if is_wanted():
        _batches[batch_id] = _start("batch", _parent.get(), batch_id=batch_id, urls=urls)


@contextmanager
def batch_span(batch_id: str) -> Iterator[Note]:
    """Trace the rest of a batch, and end its span."""
    span = _batches.get(batch_id)
    if span is None:
        yield _nothing
        return
    try:
        with _within(span) as note:
            yield note
    finally:
        _batches.pop(batch_id, None)
        span.end()


@contextmanager
def stage_span(stage: str, batch_id: str | None = None) -> Iterator[Note]:
    """Trace a stage inside its batch's span if known, else its run's, else the current one; link it to Prefect's task run."""
    if not is_wanted():
        yield _nothing
        return
    span = _start(stage, _batches.get(batch_id or "") or _parent.get(), stage=stage)
    try:
        with _within(span) as note:
            yield note
    finally:
        span.end()


@contextmanager
def _within(span: "Span") -> Iterator[Note]:
    """Make spans inside the block children of this span; an error is recorded by its type only."""
    from opentelemetry.trace import Status, StatusCode  # noqa: PLC0415

    token = _parent.set(span)
    try:
        yield lambda **counts: span.set_attributes({f"presslake.{name}": value for name, value in counts.items()})
    except BaseException as error:
        span.set_status(Status(StatusCode.ERROR, type(error).__name__))
        raise
    finally:
        _parent.reset(token)


def _start(name: str, parent: "Span | None", **attributes: str | int) -> "Span":
    from opentelemetry import trace  # noqa: PLC0415

    current = trace.get_current_span().get_span_context()
    links = [trace.Link(current)] if parent is not None and current.is_valid else None
    return trace.get_tracer("presslake", version("presslake")).start_span(
        name,
        context=trace.set_span_in_context(parent) if parent is not None else None,
        links=links,
        attributes={f"presslake.{name}": value for name, value in attributes.items()},
    )


def _nothing(**_counts: int) -> None:
    """Record nothing."""
