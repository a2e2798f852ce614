"""Serve a collector to Prometheus over HTTP: `/metrics`, and nothing else."""

import socket
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from ipaddress import ip_address
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from prometheus_client import CollectorRegistry, generate_latest, make_wsgi_app
from prometheus_client.registry import Collector

from tasks.errors import ConfigError

PATH = "/metrics"
CLIENT_TIMEOUT_S = 30
"""After this time the connection of a silent client is closed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ListenAddress:
    """Where to listen: an IP address and a port."""

    host: str
    port: int

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine reaches it."""
        return ip_address(self.host).is_loopback

    def at(self, port: int) -> str:
        """Return it as in URLs, with the actual port if 0 was requested."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{port}"


def parse_address(value: str) -> ListenAddress:
    """Parse an address such as `127.0.0.1:9464` or `[::1]:9464`; raises ConfigError."""
    host, colon, port = value.rpartition(":")
    try:
        address = ip_address(host.removeprefix("[").removesuffix("]") if host.startswith("[") else host)
        if not colon or not port.isascii() or not port.isdigit() or int(port) > 65535:
            raise ValueError(port)  # noqa: TRY301 - one message for every mistake
        if address.version == 6 and not host.startswith("["):
            raise ValueError(host)  # noqa: TRY301
    except ValueError as error:
        raise ConfigError(f"--listen {value!r} is not an address such as 127.0.0.1:9464 or [::1]:9464") from error
    return ListenAddress(host=str(address), port=int(port))


def registry_of(collector: Collector) -> CollectorRegistry:
    """Return a registry with this collector only, without metrics of this process."""
    registry = CollectorRegistry()
    registry.register(collector)
    return registry


def rendered(collector: Collector) -> bytes:
    """Return all metrics as text, once."""
    return generate_latest(registry_of(collector))


def bound_server(address: ListenAddress, collector: Collector) -> WSGIServer:
    """Return a server that listens; `serve_forever` answers. Raises ConfigError if the address cannot be used."""
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    kind = type("Server", (_Server,), {"address_family": family})
    try:
        return make_server(
            address.host, address.port, _only_metrics(make_wsgi_app(registry_of(collector))), kind, _Handler
        )
    except OSError as error:
        raise ConfigError(f"--listen {address.at(address.port)}: {error.strerror or error}") from error


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True
    request_queue_size = 64

    def server_bind(self) -> None:
        """Bind without resolving this machine's name, which may take seconds."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = self.server_address[:2]  # type: ignore[assignment]
        self.setup_environ()

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ANN401
        """Log nothing: the client closed the connection itself."""


class _Handler(WSGIRequestHandler):
    timeout = CLIENT_TIMEOUT_S

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Log nothing: there is a scrape every few seconds."""


def _only_metrics(metrics: Callable[..., Iterable[bytes]]) -> Callable[..., Iterable[bytes]]:
    def answer(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        if environ["PATH_INFO"] == PATH:
            return metrics(environ, start_response)
        start_response("404 Not Found", [("Content-Type", "text/plain; charset=utf-8")])
        return [f"Metrics are at {PATH}\n".encode()]

    return answer
