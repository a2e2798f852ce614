"""Data of released versions (tests/data/released/): copies for today's code to open, and their press on loopback."""

import gzip
import json
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
from deltalake import DeltaTable
from sqlalchemy.engine import URL, make_url

RELEASED = Path(__file__).resolve().parents[1] / "data/released"
VERSIONS = tuple(sorted(path.name for path in RELEASED.iterdir() if (path / "expected.json").exists()))
PATIENCE_S = 600
"""How long to wait for another test session that uses the press's addresses."""

Row = dict[str, Any]


@dataclass(frozen=True)
class Specimen:
    """The data of one version; `home` is a copy, which the test may change, with `lake` and `sources.yaml`."""

    version: str
    home: Path
    index_url: str

    @property
    def expected(self) -> dict[str, Any]:
        return json.loads((RELEASED / self.version / "expected.json").read_text())

    def rows(self, table: str) -> list[Row]:
        """Return the current rows of a table of the copied lake."""
        return read_rows(self.home / "lake" / table)

    def rows_as_released(self, table: str) -> list[Row]:
        return read_rows(RELEASED / self.version / "lake" / table)


def read_rows(table: Path) -> list[Row]:
    return DeltaTable(table).to_pyarrow_table().to_pylist()


def copy_files(version: str, home: Path) -> None:
    """Copy the version's data into a new folder."""
    shutil.copytree(RELEASED / version, home)


def load_dump(version: str, index_url: str) -> None:
    """Fill an empty PostgreSQL database with the version's index."""
    dump = gzip.decompress((RELEASED / version / "index.sql.gz").read_bytes())
    with psycopg.connect(_plain(make_url(index_url)), connect_timeout=10) as connection:
        connection.execute(dump)


@contextmanager
def serving(version: str, *, change: Callable[[str, str], str] = lambda _, body: body) -> Iterator[None]:
    """Serve the version's press, at its own addresses, until the block ends.

    `change` returns a page's new body, given its URL and old body; a changed body has another ETag.
    """
    answers = json.loads((RELEASED / version / "press.json").read_text())
    for url, one in answers.items():
        if one["headers"].get("Content-Type", "").startswith("text/html"):
            body = change(url, one["body"])
            if body != one["body"]:
                one["headers"] = {"Content-Type": one["headers"]["Content-Type"], "ETag": f'"{len(body)}"'}
            one["body"] = body
    handler = type("Handler", (_Handler,), {"answers": answers})
    places = sorted({(parts.hostname, parts.port) for parts in map(urlsplit, answers)})
    with ExitStack() as stack:
        for place in places:  # always in the same order, so that the holder of the first one gets the others
            server = stack.enter_context(_bound(place, handler))
            thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
            thread.start()
            stack.callback(server.shutdown)
        yield


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    answers: dict[str, dict[str, Any]]

    def log_message(self, *_args: object) -> None:
        pass

    def do_GET(self) -> None:
        host, port = self.server.server_address[:2]
        one = self.answers.get(f"http://{host}:{port}{self.path}") or {
            "status": 404,
            "headers": {},
            "body": "no such page",
        }
        status, body, etag = one["status"], one["body"].encode(), one["headers"].get("ETag")
        if status == 200 and etag and self.headers.get("If-None-Match") == etag:
            status, body = 304, b""
        self.send_response(status)
        for name, value in {**one["headers"], "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)


def _bound(place: tuple[str, int], handler: type[BaseHTTPRequestHandler]) -> ThreadingHTTPServer:
    give_up_at = time.monotonic() + PATIENCE_S
    while True:
        try:
            return ThreadingHTTPServer(place, handler)
        except OSError:
            if time.monotonic() > give_up_at:
                raise
            time.sleep(0.5)


def _plain(url: URL) -> str:
    return url.set(drivername="postgresql").render_as_string(hide_password=False)
