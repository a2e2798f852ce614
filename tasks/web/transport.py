"""Make plain httpx safe for unknown servers: a guarded transport, and a client that uses it.

    async with httpx.AsyncClient(transport=GuardedTransport()) as client:
        response = await client.get("https://news.example/", follow_redirects=True)

Whatever the client's settings, it connects only to public addresses, bounds bodies (decoded ones too) and sends no
cookies. See docs/transport.md.
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
"""Our errors as httpx's users know them."""

_OF_CODED_BODY = frozenset({b"content-encoding", b"content-length"})


class GuardedTransport(RawTransport):
    """Connects only to public addresses, with limits on time and size, without cookies. For any httpx.AsyncClient.

    `guard` checks addresses at each connect, including redirects; by default all private ones are refused. A request
    takes at most `deadline_s` in all, and its body `max_body_size` bytes on the wire. Content codings are decoded here,
    up to `max_decoded_size` bytes, because httpx's decoders have no limit. A Cookie field is never sent, whatever its
    origin. Raises httpx.RequestError, whose cause is one of tasks/errors.py.
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
        """Return the response with its body unread and without a content coding."""
        # httpx's client has a cookie jar that accepts everything; what it adds to a request is removed here
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
    """A body whose content coding is decoded, within its limit."""

    def __init__(self, request: httpx.Request, raw: httpx.Response, coding: str | None, max_size: int) -> None:
        self._request, self._raw, self._coding, self._max_size = request, raw, coding, max_size

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """Yield the body; a coded one in one piece. Raises httpx.RequestError."""
        with _httpx_errors(self._request):
            if self._coding is None:
                async for chunk in self._raw.aiter_raw():
                    yield chunk
                return
            coded = b"".join([chunk async for chunk in self._raw.aiter_raw()])
            if coded:
                yield await decode_aside(decode_body, coded, self._coding, max_size=self._max_size)

    async def aclose(self) -> None:
        """Return the connection."""
        await self._raw.aclose()


def guarded_client(
    transport: httpx.AsyncBaseTransport | None = None,
    *,
    headers: Mapping[str, str] | None = None,
    follow_redirects: bool = False,
) -> httpx.AsyncClient:
    """Return a client over this transport or a new `GuardedTransport`, independent of environment variables.

    It parses no cookies and, by default, follows no redirects.
    """
    return _Client(
        transport=transport or GuardedTransport(),
        trust_env=False,
        follow_redirects=follow_redirects,
        headers=headers,
    )


class _NoCookies(httpx.Cookies):
    """A cookie jar that stores nothing and does not even parse a server's cookies."""

    def extract_cookies(self, response: httpx.Response) -> None:
        """Ignore a response's cookies."""


_NO_COOKIES = _NoCookies()


class _Client(httpx.AsyncClient):
    """httpx's client without cookies: to find them, httpx converts each request and response into urllib's."""

    @property
    def cookies(self) -> httpx.Cookies:
        """The empty jar, whatever was set."""
        return _NO_COOKIES

    @cookies.setter
    def cookies(self, cookies: Any) -> None:  # noqa: ANN401 - httpx's type of it is private
        """Ignore the value."""


@contextmanager
def _httpx_errors(request: httpx.Request) -> Iterator[None]:
    """Translate our errors to httpx's."""
    try:
        yield
    except ItemError as error:
        raise AS_HTTPX.get(type(error), httpx.TransportError)(str(error), request=request) from error
