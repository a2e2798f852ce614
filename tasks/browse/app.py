"""The web application: one route per page. It only reads."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

from anyio.to_thread import run_sync
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from tasks.browse import articles, finding, trouble
from tasks.browse.articles import NotFound
from tasks.browse.guard import STORED_POLICY, Access, Guard
from tasks.browse.library import Library
from tasks.browse.newest import ListFilter, newest, read_day
from tasks.browse.rendering import readable, render, segment, static_files
from tasks.browse.stored import StoredBody, inert_job, stored_body
from tasks.errors import ConfigError, IndexUnavailable, ItemError, LakeUnavailable, PresslakeError
from tasks.runtime.reading import SharedReader, close_reader

Values = dict[str, Any]
MONTH_S = 30 * 86_400


class Pages:
    """The handlers of the routes."""

    def __init__(self, library: Library, clock: Callable[[], datetime]) -> None:
        self._library, self._clock = library, clock

    def newest(self, request: Request) -> Response:
        asked = ListFilter.of(request.query_params)
        return self._page("newest.html", newest(self._library, asked, now=self._clock()), here="newest")

    def search(self, request: Request) -> Response:
        values = finding.search(self._library, request.query_params)
        return self._page("search.html", values, here="search")

    def article(self, request: Request) -> Response:
        values = articles.article(self._library, _id(request), revision=_number(request))
        return self._page("article.html", values, here="")

    def revisions(self, request: Request) -> Response:
        return self._page("revisions.html", articles.revisions(self._library, _id(request)), here="")

    def stories(self, request: Request) -> Response:
        values = articles.stories(self._library, day=read_day(request.query_params.get("day", "")))
        return self._page("stories.html", values, here="stories")

    def story(self, request: Request) -> Response:
        return self._page("story.html", articles.story(self._library, _id(request)), here="stories")

    def sources(self, _request: Request) -> Response:
        return self._page("sources.html", trouble.sources(self._library, now=self._clock()), here="sources")

    def source(self, request: Request) -> Response:
        source_id = request.path_params["source_id"]
        return self._page("source.html", trouble.source(self._library, source_id, now=self._clock()), here="sources")

    def failures(self, request: Request) -> Response:
        query = request.query_params
        values = trouble.failures(
            self._library, source_id=query.get("source") or None, reason=query.get("reason") or None, now=self._clock()
        )
        return self._page("failures.html", values, here="failures")

    def address(self, request: Request) -> Response:
        """Answer with the history of a URL; its article, if any, has a page of its own."""
        what = request.query_params.get("url", "").strip()
        if articles.is_article_id(what):
            return RedirectResponse(f"/articles/{segment(what)}", HTTPStatus.FOUND)
        if not what:
            return self._page("ask.html", {}, here="address")
        return self._page("address.html", trouble.address(self._library, what), here="address")

    async def stored(self, request: Request) -> Response:
        """Answer with a stored page, made inert, under its own Content-Security-Policy."""
        page = await run_sync(stored_body, self._library, _id(request), _number(request) or 1)
        headers = {"Content-Security-Policy": STORED_POLICY, "X-Frame-Options": "SAMEORIGIN"}
        try:
            body = await SharedReader().read(inert_job(page))
        except ItemError as error:
            raise NotFound(f"its page cannot be shown: {error.counted_as.replace('_', ' ')}") from error
        return Response(body, headers=headers, media_type="text/html")

    def static(self, request: Request) -> Response:
        found = static_files().get(request.path_params["name"])
        if found is None:
            raise NotFound("no such file")
        body, kind = found
        return Response(body, headers={"Content-Type": kind, "Cache-Control": f"max-age={MONTH_S}, immutable"})

    def trouble(self, request: Request, error: Exception) -> Response:
        """Answer with a page about one of our errors."""
        status, head = _status_of(error)
        values = {"head": head, "said": readable(error, 500), "status": int(status)}
        del request
        return self._page("error.html", values, here="", status=status)

    def _page(self, template: str, values: Mapping[str, Any], *, here: str, status: int = 200) -> Response:
        shared = {"here": here, "has_search": self._library.search is not None, "query": ""}
        return HTMLResponse(render(template, {**shared, **values}, now=self._clock()), status)


async def _warm(library: Library) -> None:
    """Warm up for the first request: open the tables, start the processes that make pages inert."""
    with suppress(PresslakeError):  # each page reports the error
        await run_sync(library.articles.files)
        await SharedReader().read(inert_job(StoredBody(url="warm-up", body=b"<p>Ready</p>", content_type="text/html")))


def _now() -> datetime:
    return datetime.now(UTC)


def browse_app(library: Library, access: Access, *, clock: Callable[[], datetime] = _now) -> Guard:
    """Return the application, with its guard."""
    pages = Pages(library, clock)
    routes = [
        Route("/", pages.newest),
        Route("/search", pages.search),
        Route("/articles/{id}", pages.article),
        Route("/articles/{id}/revisions", pages.revisions),
        Route("/articles/{id}/revisions/{number:int}", pages.article),
        Route("/articles/{id}/revisions/{number:int}/page", pages.stored),
        Route("/stories", pages.stories),
        Route("/stories/{id}", pages.story),
        Route("/sources", pages.sources),
        Route("/sources/{source_id}", pages.source),
        Route("/failures", pages.failures),
        Route("/url", pages.address),
        Route("/static/{name}", pages.static),
    ]

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        warming = asyncio.create_task(_warm(library))
        yield
        warming.cancel()
        close_reader()

    handlers = {PresslakeError: pages.trouble, HTTPStatus.NOT_FOUND: pages.trouble}
    return Guard(Starlette(routes=routes, exception_handlers=handlers, lifespan=lifespan), access)


def _status_of(error: Exception) -> tuple[HTTPStatus, str]:
    if isinstance(error, IndexUnavailable):
        return HTTPStatus.SERVICE_UNAVAILABLE, "The index is not available"
    if isinstance(error, LakeUnavailable):
        return HTTPStatus.SERVICE_UNAVAILABLE, "The lake is not available"
    if isinstance(error, ConfigError):
        return HTTPStatus.SERVICE_UNAVAILABLE, "This cannot be read at the moment"
    return HTTPStatus.NOT_FOUND, "Page not found"


def _id(request: Request) -> str:
    found: str = request.path_params["id"]
    return found


def _number(request: Request) -> int | None:
    found: int | None = request.path_params.get("number")
    return found
