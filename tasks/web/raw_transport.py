"""Requests of httpx over our own connections (tasks.web.sending), answered raw and with our errors."""

from collections.abc import AsyncIterator

import httpx

from tasks.errors import ForbiddenScheme
from tasks.web.addresses import AddressGate
from tasks.web.budget import Budget
from tasks.web.connections import PORTS, Origin
from tasks.web.guard import AddressGuard
from tasks.web.http11 import Asked
from tasks.web.lookups import Resolve
from tasks.web.sending import MAX_CONNECTIONS, Answer, Sender, Sending

MAX_BODY_SIZE = 10 * 1024 * 1024
DEADLINE_S = 60.0


class RawTransport(httpx.AsyncBaseTransport):
    """Asks over connections of its own, and raises ItemError. For asyncio; lives inside one event loop.

    Bodies keep their content coding: read them with `aiter_raw`. Redirects are answers, whatever `follow_redirects` says.
    At most `max_connections` requests are under way, each until its answer is closed. `deadline_s` and `max_body_size` are
    for requests without a `budget` among their extensions; `resolve` takes the place of the system's resolver,
    and `gate` bounds what one address is asked under all of its names.
    """

    def __init__(
        self,
        guard: AddressGuard | None = None,
        *,
        resolve: Resolve | None = None,
        deadline_s: float = DEADLINE_S,
        max_body_size: int = MAX_BODY_SIZE,
        max_connections: int = MAX_CONNECTIONS,
        gate: AddressGate | None = None,
    ) -> None:
        self._deadline_s, self._max_body_size = deadline_s, max_body_size
        self._sender = Sender(guard, resolve=resolve, max_connections=max_connections, gate=gate)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Return the answer, its body unread.

        Extensions of the request: `target`, octets to ask for instead of the URL's; `budget`; and httpx's own `timeout`.
        """
        answer = await self._sender.send(self._sending(request))
        extensions = {
            "http_version": answer.head.version,
            "reason_phrase": answer.head.reason,
            "server_addr": answer.address,
        }
        return _RawResponse(answer.head.status, headers=answer.head.fields, stream=_Body(answer), extensions=extensions)

    async def aclose(self) -> None:
        """Close all connections that are not used."""
        await self._sender.aclose()

    def _sending(self, request: httpx.Request) -> Sending:
        stream = request.stream
        assert isinstance(stream, httpx.AsyncByteStream)
        return Sending(
            origin=_origin(request.url),
            asked=Asked(
                method=request.method.encode("ascii"),
                target=request.extensions.get("target", request.url.raw_path),
                fields=request.headers.raw,
                body=stream,
                read_s=_timeout_s(request, "read"),
                write_s=_timeout_s(request, "write"),
            ),
            budget=request.extensions.get("budget")
            or Budget(deadline_s=self._deadline_s, max_body_size=self._max_body_size),
            is_repeatable=isinstance(stream, httpx.ByteStream),
            pool_s=_timeout_s(request, "pool"),
            connect_s=_timeout_s(request, "connect"),
        )


class _RawResponse(httpx.Response):
    """An answer of which httpx does not read Location: it would fail at what browsers and we accept."""

    @property
    def has_redirect_location(self) -> bool:
        return False


class _Body(httpx.AsyncByteStream):
    """An answer's body, up to its bound; closing it gives the connection back."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer

    def __aiter__(self) -> AsyncIterator[bytes]:
        """Give the body as it comes; raises BodyTooLarge, BodyTruncated, ConnectionLost, TimedOut."""
        return self._answer.body()

    async def aclose(self) -> None:
        """Give the connection back, once."""
        self._answer.close()


def _origin(url: httpx.URL) -> Origin:
    """Return whom to connect to; raises ForbiddenScheme."""
    if url.scheme not in PORTS:
        raise ForbiddenScheme(f"{url.scheme} is neither http nor https: {str(url)[:200]}")
    return Origin(url.scheme, url.raw_host.decode("ascii"), url.port or PORTS[url.scheme])


def _timeout_s(request: httpx.Request, name: str) -> float | None:
    timeout_s: float | None = request.extensions.get("timeout", {}).get(name)
    return timeout_s
