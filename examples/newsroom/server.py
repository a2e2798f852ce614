"""Serve the newsroom, each outlet on its own loopback address. `python -m examples.newsroom.server` runs it."""

import time
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import TCPServer
from threading import Event, Thread
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

import yaml

from examples.newsroom.press import OUTLETS, PASSING, Outlet, read_press
from examples.newsroom.site import FEEDS, Resource, build_site
from examples.newsroom.truth import Truth

ADDRESSES = ("127.0.10.1", "127.0.10.2", "127.0.10.3")
CRAWL_DELAY_S = 0.15


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One answered request."""

    outlet_id: str
    path: str
    status: int


class Newsroom:
    """The running press: its first edition or, after `pass_time`, its second. A context manager that stops the servers."""

    def __init__(self, *, opened_at: datetime | None = None) -> None:
        self.opened_at = opened_at or datetime.now(UTC) - PASSING  # dates the second edition now
        self.asked: list[Asked] = []
        self._edition = 0
        self._stack = ExitStack()
        self._servers: dict[str, _Server] = {}

    def __enter__(self) -> Self:
        port = 0
        for outlet_id, address in zip(OUTLETS, ADDRESSES, strict=True):
            server = _listening(address, port, outlet_id, self.asked)
            port = server.server_address[1]
            self._servers[outlet_id] = server
            self._stack.callback(server.server_close)
        self._publish()
        for server in self._servers.values():
            Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
            self._stack.callback(server.shutdown)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def base_url(self, outlet_id: str) -> str:
        """Return an outlet's base URL: scheme, address and port."""
        address, port = self._servers[outlet_id].server_address[:2]
        return f"http://{address!s}:{port}"

    def pass_time(self) -> None:
        """Publish the second edition: a correction, a new story, different teasers."""
        self._edition = 1
        self._publish()

    @property
    def outlets(self) -> tuple[Outlet, ...]:
        """The outlets in the current edition."""
        return read_press(opened_at=self.opened_at, is_later=self._edition > 0)

    def truth(self) -> Truth:
        """Return the expected result of a sweep of this edition."""
        return Truth.of({self.base_url(outlet.id): outlet for outlet in self.outlets})

    def catalogue(self) -> str:
        """Return the `sources.yaml` that follows the press."""
        sources = [
            {
                "id": outlet.id,
                "name": outlet.name,
                "home_url": f"{self.base_url(outlet.id)}/",
                "language": outlet.language,
                **{
                    kind: [self.base_url(outlet.id) + path for path in paths]
                    for kind, paths in FEEDS[outlet.id].items()
                },
            }
            for outlet in self.outlets
        ]
        defaults = {"crawl_delay_s": CRAWL_DELAY_S, "allow_networks": ["127.0.0.0/8"]}
        return yaml.safe_dump({"defaults": defaults, "sources": sources}, allow_unicode=True, sort_keys=False)

    def _publish(self) -> None:
        edition_at = (self.opened_at + self._edition * PASSING).replace(microsecond=0)
        for outlet in self.outlets:
            self._servers[outlet.id].site = build_site(
                outlet, base_url=self.base_url(outlet.id), edition=self._edition, edition_at=edition_at
            )


def _listening(address: str, port: int, outlet_id: str, asked: list[Asked]) -> "_Server":
    """Listen on the given address and port, else on any port of it, else on 127.0.0.1, the only one outside Linux."""
    for place in ((address, port), (address, 0), ("127.0.0.1", 0)):
        try:
            return _Server(place, outlet_id, asked)
        except OSError as error:
            trouble = error
    raise trouble


class _Server(ThreadingHTTPServer):
    """One outlet's server; `site` may be replaced while it runs."""

    daemon_threads = True

    def __init__(self, place: tuple[str, int], outlet_id: str, asked: list[Asked]) -> None:
        self.outlet_id = outlet_id
        self.asked = asked
        self.site: Mapping[str, Resource] = {}
        super().__init__(place, _Handler)

    def server_bind(self) -> None:
        # HTTPServer.server_bind looks the host name up, which takes seconds without a network
        TCPServer.server_bind(self)
        self.server_name, self.server_port = str(self.server_address[0]), self.server_address[1]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version, sys_version = "newsroom", ""
    disable_nagle_algorithm = True
    timeout = 20
    server: _Server

    def do_GET(self) -> None:
        path = urlsplit(self.path).path
        resource = self.server.site.get(path)
        if resource is None:
            missing = b"<!DOCTYPE html><title>Not found</title><h1>Not found</h1><p>Page not found.</p>"
            self._answer(path, HTTPStatus.NOT_FOUND, {"Content-Type": "text/html; charset=utf-8"}, missing)
            return
        time.sleep(resource.delay_s)
        headers = {
            "ETag": resource.etag,
            "Last-Modified": format_datetime(resource.modified_at, usegmt=True),
            "Vary": "Accept-Encoding",
        }
        if self._is_current(resource):
            self._answer(path, HTTPStatus.NOT_MODIFIED, headers, b"")
            return
        headers["Content-Type"] = resource.content_type
        gzipped = resource.gzipped if "gzip" in self.headers.get("Accept-Encoding", "") else None
        if gzipped is not None:
            headers["Content-Encoding"] = "gzip"
        self._answer(path, HTTPStatus.OK, headers, resource.body if gzipped is None else gzipped)

    do_HEAD = do_GET  # noqa: N815 - the standard library's name

    def _is_current(self, resource: Resource) -> bool:
        """Whether the client has the current version; If-None-Match takes precedence (RFC 9110, 13.2.2)."""
        if (known := self.headers.get("If-None-Match")) is not None:
            return resource.etag in (one.strip() for one in known.split(","))
        since = self.headers.get("If-Modified-Since")
        try:
            return since is not None and resource.modified_at <= parsedate_to_datetime(since)
        except ValueError:
            return False

    def _answer(self, path: str, status: HTTPStatus, headers: Mapping[str, str], body: bytes) -> None:
        self.server.asked.append(Asked(outlet_id=self.server.outlet_id, path=path, status=status))
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if status != HTTPStatus.NOT_MODIFIED:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Log nothing: requests are recorded in `asked`."""


def main() -> None:
    """Serve the newsroom for a browser until Ctrl-C."""
    with Newsroom() as newsroom:
        print(newsroom.catalogue())
        try:
            Event().wait()
        except KeyboardInterrupt:
            print()


if __name__ == "__main__":
    main()
