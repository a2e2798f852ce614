"""A small lake, and a client of its pages that needs no server."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from tasks.browse.app import browse_app
from tasks.browse.guard import Access, allowed_hosts
from tasks.browse.library import Library, open_library
from tasks.config.settings import Settings
from tests.browse.filling import NOW, fill
from tests.browse.press import HOSTILE, HOSTILE_NO, NO_PRINTS, PRINTS

CATALOGUE = """\
sources:
  - {id: gazette, name: The Gazette, home_url: "https://gazette.example/", tags: [local, daily]}
  - {id: tribune, name: Sund Tribune, home_url: "https://tribune.example/", tags: [local]}
  - {id: post, name: Inselpost, home_url: "https://post.example/", tags: [german]}
  - {id: wire, name: The Wire, home_url: "https://wire.example/", tags: [agency]}
"""


class Client:
    """Sends requests to an application as a browser on this machine does."""

    def __init__(self, app: object) -> None:
        self._app = app

    def get(self, path: str, **more: Any) -> httpx.Response:
        return self.request("GET", path, **more)

    def request(self, method: str, path: str, **more: Any) -> httpx.Response:
        async def ask() -> httpx.Response:
            transport = httpx.ASGITransport(app=self._app)
            async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8420") as client:
                return await client.request(method, path, **more)

        return asyncio.run(ask())


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("browse")
    (made / "sources.yaml").write_text(CATALOGUE)
    fill(made, PRINTS + HOSTILE, NO_PRINTS + HOSTILE_NO)
    return made


@pytest.fixture(scope="session")
def settings(home: Path) -> Settings:
    return Settings(lake=str(home / "lake"), index=f"sqlite:///{home / 'index.db'}", catalogue=home / "sources.yaml")


@pytest.fixture(scope="session")
def library(settings: Settings) -> Library:
    return open_library(settings)


@pytest.fixture(scope="session")
def make_client(library: Library) -> Callable[..., Client]:
    def make(*, token: str | None = None, library: Library = library) -> Client:
        return Client(browse_app(library, Access(hosts=allowed_hosts(8420), token=token), clock=lambda: NOW))

    return make


@pytest.fixture(scope="session")
def client(make_client: Callable[..., Client]) -> Client:
    return make_client()
