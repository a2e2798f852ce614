"""An S3 proxy that fails at random: 503, no answer, an answer lost or cut off after the operation, or a slow one."""

import http.client
import random
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

BUSY = b'<?xml version="1.0" encoding="UTF-8"?><Error><Code>SlowDown</Code><Message>Reduce your rate</Message></Error>'
TROUBLES = ("busy", "silent", "lost", "cut", "slow")
_SLOW_S, _PIECES = 1.0, 4
_OF_THE_HOP = {"connection", "keep-alive", "transfer-encoding", "expect"}


class Forwarding(BaseHTTPRequestHandler):
    """Forwards every request to the real server."""

    protocol_version = "HTTP/1.1"
    upstream: str

    def log_message(self, *_args: object) -> None:
        pass

    def _serve(self) -> None:
        self._answer(*self._ask(self._body()))

    def do_GET(self) -> None:
        self._serve()

    do_PUT = do_HEAD = do_DELETE = do_POST = do_GET  # noqa: N815 - the names that http.server calls

    def _body(self) -> bytes:
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def _ask(self, body: bytes) -> tuple[int, list[tuple[str, str]], bytes]:
        connection = http.client.HTTPConnection(self.upstream, timeout=60)
        with suppress(OSError):
            connection.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
            for name, value in self.headers.items():
                if name.lower() not in _OF_THE_HOP:
                    connection.putheader(name, value)
            connection.endheaders(body)
        answer = connection.getresponse()
        content = answer.read()
        connection.close()
        headers = [(name, value) for name, value in answer.getheaders() if name.lower() not in _OF_THE_HOP]
        if not any(name.lower() == "content-length" for name, _ in headers):
            headers.append(("Content-Length", str(len(content))))
        return answer.status, headers, content

    def _answer(self, status: int, headers: list[tuple[str, str]], content: bytes) -> None:
        self.send_response_only(status)
        for name, value in headers:
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)


class _Flaky(Forwarding):
    share: float
    kinds: tuple[str, ...]
    chance: random.Random
    troubles: Counter[str]
    begun: threading.Event

    def _serve(self) -> None:
        body = self._body()
        is_troubled = self.begun.is_set() and self.chance.random() < self.share
        trouble = self.chance.choice(self.kinds) if is_troubled else "none"
        self.troubles[trouble] += 1
        if trouble == "busy":
            self._answer(503, [("Content-Type", "application/xml"), ("Content-Length", str(len(BUSY)))], BUSY)
            return
        if trouble != "silent":
            status, headers, content = self._ask(body)
        if trouble == "none":
            self._answer(status, headers, content)
        elif trouble == "slow":
            self._answer_slowly(status, headers, content)
        else:
            if trouble == "cut":
                self._answer(status, headers, content[: len(content) // 2])
            self.close_connection = True

    def _answer_slowly(self, status: int, headers: list[tuple[str, str]], content: bytes) -> None:
        time.sleep(_SLOW_S / 2)
        self._answer(status, headers, b"")
        size = -(-len(content) // _PIECES) or 1
        for start in range(0, 0 if self.command == "HEAD" else len(content), size):
            time.sleep(_SLOW_S / 2 / _PIECES)
            self.wfile.write(content[start : start + size])
            self.wfile.flush()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request: object, client_address: object) -> None:
        """Log nothing: the client was killed, or gets no answer on purpose."""


@contextmanager
def served(handler: type[Forwarding], endpoint_url: str, **attributes: object) -> Iterator[str]:
    """Run a proxy with this handler in front of the real server; yield its address."""
    own = {"upstream": urlsplit(endpoint_url).netloc, **attributes}
    server = _Server(("127.0.0.1", 0), type("Handler", (handler,), own))
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


@contextmanager
def flaky_s3(
    endpoint_url: str,
    *,
    share: float,
    seed: int,
    kinds: tuple[str, ...] = TROUBLES,
    begun: threading.Event | None = None,
) -> Iterator[tuple[str, Counter[str]]]:
    """Run a proxy that fails a `share` of the requests; yield its address, and the failures counted by kind.

    If an event `begun` is given, nothing fails before it is set.
    """
    troubles: Counter[str] = Counter()
    if begun is None:
        begun = threading.Event()
        begun.set()
    with served(
        _Flaky, endpoint_url, share=share, kinds=kinds, begun=begun, chance=random.Random(seed), troubles=troubles
    ) as url:
        yield url, troubles
