"""A trace collector on loopback that decodes what an exporter sends."""

import gzip
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest


@dataclass(frozen=True)
class Span:
    name: str
    span_id: bytes
    parent_id: bytes
    trace_id: bytes
    scope: str
    attributes: dict[str, Any]
    links: tuple[bytes, ...]
    error: str | None


@dataclass
class Collector:
    url: str = ""
    spans: list[Span] = field(default_factory=list)
    services: set[str] = field(default_factory=set)
    bodies: list[bytes] = field(default_factory=list)

    def named(self, name: str, scope: str = "presslake") -> list[Span]:
        return [one for one in self.spans if one.scope == scope and one.name == name]

    def path(self, span: Span) -> list[str]:
        """Return the span names from the root to `span`."""
        by_id = {one.span_id: one for one in self.spans}
        names = [span.name]
        while span.parent_id:
            span = by_id[span.parent_id]
            names.insert(0, span.name)
        return names


@contextmanager
def collecting() -> Iterator[Collector]:
    collector = Collector()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            body = gzip.decompress(body) if self.headers.get("Content-Encoding") == "gzip" else body
            assert self.path == "/v1/traces"
            collector.bodies.append(body)
            _take(collector, ExportTraceServiceRequest.FromString(body))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Log nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        collector.url = f"http://127.0.0.1:{server.server_port}"
        try:
            yield collector
        finally:
            server.shutdown()
            thread.join()


def _take(collector: Collector, request: ExportTraceServiceRequest) -> None:
    for resource in request.resource_spans:
        collector.services |= {
            one.value.string_value for one in resource.resource.attributes if one.key == "service.name"
        }
        for scope in resource.scope_spans:
            collector.spans += [
                Span(
                    name=one.name,
                    span_id=one.span_id,
                    parent_id=one.parent_span_id,
                    trace_id=one.trace_id,
                    scope=scope.scope.name,
                    attributes={
                        attribute.key: getattr(attribute.value, attribute.value.WhichOneof("value"))
                        for attribute in one.attributes
                    },
                    links=tuple(link.span_id for link in one.links),
                    error=one.status.message if one.status.code == 2 else None,
                )
                for one in scope.spans
            ]
