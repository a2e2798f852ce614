"""Rendered pages: the document after its scripts have run, in a headless Chromium without network access.

Every request of a page goes through our guarded client, within limits, or fails. Whatever bypasses the interception (a
worker's socket, WebRTC) finds a proxy that does not exist and a resolver that knows no names.
"""

import asyncio
import os
import shutil
import time
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING

from tasks.config.catalogue import SourceRules
from tasks.errors import BodyTooLarge, ConfigError, DecompressionBomb, ItemError, PresslakeError
from tasks.web.client import WebClient
from tasks.web.exchange import Exchange

if TYPE_CHECKING:
    from playwright.async_api import Browser as Chromium
    from playwright.async_api import BrowserContext, Page, Request, Route, WebSocketRoute

EXECUTABLES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
NOWHERE = "http://127.0.0.1:9"
"""The discard port: a proxy that never responds."""

ARGUMENTS = (
    "--host-resolver-rules=MAP * ~NOTFOUND",
    "--force-webrtc-ip-handling-policy=disable_non_proxied_udp",
    "--webrtc-ip-handling-policy=disable_non_proxied_udp",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-gpu",
    "--no-first-run",
    "--js-flags=--max-old-space-size=512",
)
WITHOUT_SOCKETS = "delete window.RTCPeerConnection; delete window.webkitRTCPeerConnection; delete window.WebTransport;"

ASKED_FOR = frozenset({"document", "script", "stylesheet", "xhr", "fetch"})
PASSED_ON = ("content-type", "content-security-policy", "access-control-")
QUIET_S = 0.5
"""A page is ready after this many seconds without a request in flight."""

FLOOD = 2
"""A page that sends more than this many times its limit of requests is taken offline."""

LAUNCH_S = 30.0
CLOSE_S = 10.0
AT_ONCE = 6


class RenderFailed(PresslakeError):
    """Rendering failed. It is not counted, because the original response is still available."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderLimits:
    """Limits of one page: requests, decoded bytes, seconds.

    After `settle_s` the document is taken even if requests are still in flight. `html_size` bounds that document.
    """

    requests: int = 100
    size: int = 20 * 1024 * 1024
    one_size: int = 5 * 1024 * 1024
    html_size: int = 5_000_000
    settle_s: float = 5.0
    deadline_s: float = 15.0


LIMITS = RenderLimits()


def check_browser(rules: Iterable[SourceRules]) -> None:
    """Raise ConfigError if a source needs a browser and none is installed."""
    if all(source.render != "browser" for source in rules):
        return
    if find_spec("playwright") is None:
        raise ConfigError("render: browser needs Playwright; install presslake[browser]")
    if _executable() is None:
        raise ConfigError(f"render: browser needs Chromium; none of {', '.join(EXECUTABLES)} is on the PATH")


@asynccontextmanager
async def opened_browser(limits: RenderLimits = LIMITS) -> AsyncIterator["Browser"]:
    """Run Chromium inside the block. Raises RenderFailed if it does not start."""
    from playwright.async_api import Error, async_playwright  # noqa: PLC0415 - imported only if needed

    async with async_playwright() as playwright:
        try:
            chromium = await playwright.chromium.launch(
                executable_path=_executable(),
                args=ARGUMENTS,
                proxy={"server": NOWHERE},
                chromium_sandbox=os.geteuid() != 0,  # Chromium has no sandbox for root
                timeout=LAUNCH_S * 1000,
            )
        except Error as error:
            raise RenderFailed(_first_line(error)) from error
        try:
            yield Browser(chromium, limits)
        finally:
            with suppress(Error):
                await chromium.close()


class Browser:
    """A headless Chromium. Each page has its own context, so no cookie or cache outlives it."""

    def __init__(self, chromium: "Chromium", limits: RenderLimits) -> None:
        self._chromium = chromium
        self._limits = limits

    async def render(self, fetched: Exchange, client: WebClient, *, user_agent: str, route: str = "") -> bytes:
        """Return the document in UTF-8 once its scripts are idle. Raises RenderFailed.

        `route` is the URL fragment from which scripts learn what to show, including `#`.
        """
        from playwright.async_api import Error  # noqa: PLC0415

        try:
            async with (
                asyncio.timeout(self._limits.deadline_s),
                self._context(user_agent) as context,
            ):
                traffic = _Traffic(fetched, client, self._limits)
                await context.route("**/*", traffic.answer)
                html = await self._document(await context.new_page(), traffic, route)
        except TimeoutError as error:
            raise RenderFailed(f"not ready after {self._limits.deadline_s:g} s") from error
        except Error as error:
            raise RenderFailed(_first_line(error)) from error
        if len(html) > self._limits.html_size:
            raise RenderFailed(f"{len(html)} bytes; the limit is {self._limits.html_size}")
        return html

    @asynccontextmanager
    async def _context(self, user_agent: str) -> AsyncIterator["BrowserContext"]:
        from playwright.async_api import Error  # noqa: PLC0415

        context = await self._chromium.new_context(
            user_agent=user_agent, service_workers="block", accept_downloads=False
        )
        try:
            await context.route_web_socket("**/*", _close)
            await context.add_init_script(WITHOUT_SOCKETS)
            yield context
        finally:
            with suppress(Error, TimeoutError):
                async with asyncio.timeout(CLOSE_S):
                    await context.close()

    async def _document(self, page: "Page", traffic: "_Traffic", route: str) -> bytes:
        from playwright.async_api import TimeoutError as Late  # noqa: PLC0415

        inspector = await page.context.new_cdp_session(page)
        end = time.monotonic() + self._limits.settle_s
        flood = asyncio.create_task(_stop_flood(traffic, page.context))
        try:
            with suppress(Late):  # still being parsed
                await page.goto(
                    traffic.url + route, wait_until="domcontentloaded", timeout=self._limits.settle_s * 1000
                )
            await traffic.settled(end)
            # a page that keeps sending requests would delay its document
            await inspector.send("Emulation.setScriptExecutionDisabled", {"value": True})
            return (await page.content()).encode("utf-8", "replace")
        finally:
            flood.cancel()


class _Traffic:
    """The requests of one page, and what remains of their limits."""

    def __init__(self, fetched: Exchange, client: WebClient, limits: RenderLimits) -> None:
        self.url = fetched.url
        self._fetched = fetched
        self._client = client
        self._limits = limits
        self._free = asyncio.Semaphore(AT_ONCE)
        self._is_begun = False
        self._requests = 0
        self._left_size = limits.size
        self._under_way = 0
        self._changed_at = time.monotonic()
        self.is_flood = asyncio.Event()

    async def answer(self, route: "Route") -> None:
        """Fulfil or refuse a request of the page."""
        from playwright.async_api import Error  # noqa: PLC0415

        self._under_way += 1
        try:
            with suppress(Error):  # the page is gone
                fetched = await self._had(route)
                if fetched is None and _leads_elsewhere(route.request):
                    await route.fulfill(status=204)  # keeps the current page; an abort would replace it
                elif fetched is None:
                    await route.abort()
                else:
                    await route.fulfill(status=fetched.status, headers=_passed_on(fetched), body=fetched.content)
        finally:
            self._under_way -= 1
            self._changed_at = time.monotonic()

    async def settled(self, end: float) -> None:
        """Wait until requests pause, the limit is reached, or until `end` (monotonic seconds)."""
        self._changed_at = time.monotonic()
        while (now := time.monotonic()) < end and self._requests <= self._limits.requests:
            if not self._under_way and now - self._changed_at >= QUIET_S:
                return
            await asyncio.sleep(0.05)

    async def _had(self, route: "Route") -> Exchange | None:
        request = route.request
        if not self._is_begun:
            self._is_begun = True
            return self._fetched
        self._requests += 1
        if self._requests > FLOOD * self._limits.requests:
            self.is_flood.set()
        is_wanted = request.method == "GET" and request.resource_type in ASKED_FOR and not _leads_elsewhere(request)
        if not is_wanted or not self._has_room():
            return None
        async with self._free:
            if not self._has_room():
                return None
            size, accept = min(self._left_size, self._limits.one_size), request.headers.get("accept")
            try:
                fetched = await self._client.get(request.url, accept=accept, max_wire_size=size, max_decoded_size=size)
            except (BodyTooLarge, DecompressionBomb):
                self._left_size -= size
                return None
            except ItemError:
                return None
            self._left_size -= len(fetched.content)
            return fetched

    def _has_room(self) -> bool:
        return self._requests <= self._limits.requests and self._left_size > 0


async def _stop_flood(traffic: _Traffic, context: "BrowserContext") -> None:
    """Take the browser offline once the page floods: a busy machine cannot refuse requests as fast as the page sends them."""
    from playwright.async_api import Error  # noqa: PLC0415

    await traffic.is_flood.wait()
    with suppress(Error):  # the page is gone
        # sent together, because replies queue behind the page's requests
        await asyncio.gather(context.set_offline(offline=True), context.unroute_all(behavior="ignoreErrors"))


def _leads_elsewhere(request: "Request") -> bool:
    return request.is_navigation_request() and request.frame.parent_frame is None


def _passed_on(fetched: Exchange) -> dict[str, str]:
    """Return the headers that affect rendering. The others concern a connection that the browser does not have."""
    return {name: fetched.header(name) or "" for name, _ in fetched.headers if name.startswith(PASSED_ON)}


async def _close(socket: "WebSocketRoute") -> None:
    await socket.close()


def _executable() -> str | None:
    return next((found for name in EXECUTABLES if (found := shutil.which(name))), None)


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0][:300]
