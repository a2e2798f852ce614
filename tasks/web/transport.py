"""What makes plain httpx safe to send at strangers' servers: a guarded transport, and a client that uses it.

    async with httpx.AsyncClient(transport=GuardedTransport()) as client:
        response = await client.get("https://news.example/", follow_redirects=True)

Whatever the client's own settings are, only public addresses are connected to, bodies are bounded, coded ones too, and no
cookie is sent. docs/transport.md has the whole of it.
"""

from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import httpx

from tasks.errors import (
    BadContentEncoding,
    BadResponse,
    BadUrl,
    BodyTooLarge,
    BodyTruncated,
    ConnectFailed,
    ConnectionLost,
    DecompressionBomb,
    DnsFailed,
    ForbiddenAddress,
    ForbiddenScheme,
    ItemError,
    TimedOut,
    TlsFailed,
)
from tasks.web.decoding import decode_aside, decode_body
from tasks.web.guard import AddressGuard
from tasks.web.lookups import Resolve
from tasks.web.raw_transport import DEADLINE_S, MAX_BODY_SIZE, MAX_CONNECTIONS, RawTransport

MAX_DECODED_SIZE = 20 * 1024 * 1024

AS_HTTPX: dict[type[ItemError], type[httpx.RequestError]] = {
    BadUrl: httpx.UnsupportedProtocol,
    ForbiddenScheme: httpx.UnsupportedProtocol,
    DnsFailed: httpx.ConnectError,
    ForbiddenAddress: httpx.ConnectError,
    ConnectFailed: httpx.ConnectError,
    TlsFailed: httpx.ConnectError,
    TimedOut: httpx.TimeoutException,
    ConnectionLost: httpx.ReadError,
    BodyTooLarge: httpx.ReadError,
    BodyTruncated: httpx.RemoteProtocolError,
    BadResponse: httpx.RemoteProtocolError,
    BadContentEncoding: httpx.DecodingError,
    DecompressionBomb: httpx.DecodingError,
}
"""What an error of ours is to httpx's users."""

_OF_CODED_BODY = frozenset({b"content-encoding", b"content-length"})


class GuardedTransport(RawTransport):
    """Connects to public addresses alone, within bounds of time and size, and keeps no cookies. For any httpx.AsyncClient.

    `guard` judges addresses at each connect, a redirect's too; by default every private one is refused. A request has
    `deadline_s` in all and its body `max_body_size` bytes on the wire; content codings are undone here, up to
    `max_decoded_size` bytes, since httpx's decoders have no bound. A Cookie field is never sent, wherever it comes from.
    Raises httpx.RequestError, whose cause is one of tasks/errors.py.
    """

    def __init__(
        self,
        guard: AddressGuard | None = None,
        *,
        resolve: Resolve | None = None,
        deadline_s: float = DEADLINE_S,
        max_body_size: int = MAX_BODY_SIZE,
        max_decoded_size: int = MAX_DECODED_SIZE,
        max_connections: int = MAX_CONNECTIONS,
    ) -> None:
        super().__init__(
            guard,
            resolve=resolve,
            deadline_s=deadline_s,
            max_body_size=max_body_size,
            max_connections=max_connections,
        )
        self._max_decoded_size = max_decoded_size

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Return the answer, its body unread and without a content coding."""
        # httpx's client has a jar that takes every cookie; what it puts into a request ends here.
        request.headers.pop("Cookie", None)
        with _httpx_errors(request):
            raw = await super().handle_async_request(request)
        coding = None if request.method == "HEAD" else raw.headers.get("content-encoding")
        fields = raw.headers.raw
        if coding is not None:
            fields = [(name, value) for name, value in fields if name.lower() not in _OF_CODED_BODY]
        body = _PlainBody(request, raw, coding, self._max_decoded_size)
        return httpx.Response(raw.status_code, headers=fields, stream=body, extensions=raw.extensions)


class _PlainBody(httpx.AsyncByteStream):
    """A body with its content coding undone, within its bound."""

    def __init__(self, request: httpx.Request, raw: httpx.Response, coding: str | None, max_size: int) -> None:
        self._request, self._raw, self._coding, self._max_size = request, raw, coding, max_size

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """Give the body, one that was coded in one piece; raises httpx.RequestError."""
        with _httpx_errors(self._request):
            if self._coding is None:
                async for chunk in self._raw.aiter_raw():
                    yield chunk
                return
            coded = b"".join([chunk async for chunk in self._raw.aiter_raw()])
            if coded:
                yield await decode_aside(decode_body, coded, self._coding, max_size=self._max_size)

    async def aclose(self) -> None:
        """Give the connection back."""
        await self._raw.aclose()


def guarded_client(
    transport: httpx.AsyncBaseTransport | None = None,
    *,
    headers: Mapping[str, str] | None = None,
    follow_redirects: bool = False,
) -> httpx.AsyncClient:
    """Return a client over this transport, or a `GuardedTransport`, that takes nothing from the environment.

    It parses no cookie and, unless asked to, follows no redirect.
    """
    return _Client(
        transport=transport or GuardedTransport(),
        trust_env=False,
        follow_redirects=follow_redirects,
        headers=headers,
    )


class _NoCookies(httpx.Cookies):
    """Cookies that take nothing, and do not even parse what strangers would put into them."""

    def extract_cookies(self, response: httpx.Response) -> None:
        """Leave an answer's cookies where they are."""


_NO_COOKIES = _NoCookies()


class _Client(httpx.AsyncClient):
    """httpx's client, without cookies: its own makes urllib's request and answer of each of httpx's to look for them."""

    @property
    def cookies(self) -> httpx.Cookies:
        """None, whatever was set."""
        return _NO_COOKIES

    @cookies.setter
    def cookies(self, cookies: Any) -> None:  # noqa: ANN401 - httpx's type of it is private
        """Ignore what is set."""


@contextmanager
def _httpx_errors(request: httpx.Request) -> Iterator[None]:
    """Say what went wrong as httpx's users expect it."""
    try:
        yield
    except ItemError as error:
        raise AS_HTTPX.get(type(error), httpx.TransportError)(str(error), request=request) from error
