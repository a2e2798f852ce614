"""One GET on the open web, guarded and bounded: the response as received, or one of our errors.

A thin adapter over httpx, so that another client can replace it. URLs, redirects and cookies are handled here, and
bodies are read raw: httpx's decoders (`.text`, `aiter_bytes`) have no size limit.
"""

import re
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from functools import lru_cache
from io import BytesIO
from types import TracebackType
from typing import Self

import httpx

from tasks.errors import (
    BadContentEncoding,
    BadResponse,
    BadUrl,
    BodyTruncated,
    ItemError,
    RightsRefused,
    TooManyRedirects,
)
from tasks.values.url import Url
from tasks.web.addresses import AddressLimits, shared_gate
from tasks.web.budget import Budget
from tasks.web.cookies import Cookies
from tasks.web.decoding import MAGIC_SIZE, coding_of, decode_aside, decode_received, decode_received_prefix
from tasks.web.exchange import Exchange, leads_to
from tasks.web.guard import AddressGuard
from tasks.web.lookups import Resolve
from tasks.web.raw_transport import RawTransport
from tasks.web.signing import Signer
from tasks.web.target import parse_target, redirect_target
from tasks.web.transport import guarded_client

ACCEPT = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
ACCEPT_ENCODING = "gzip, deflate, br, zstd"

# a valid field value: no control characters, only Latin-1, no white space at either end (RFC 9110, 5.5)
_SENDABLE = re.compile(r"[!-~\xa1-\xff](?:[ -~\xa0-\xff]*[!-~\xa1-\xff])?")

OnHead = Callable[[Exchange], None]
"""Receives a response's head before its body is read. A RightsRefused that it raises gets that response."""

OnBody = Callable[[Exchange], Awaitable[None]]
"""Receives a complete response before its body is decoded, and may wait: the deadline no longer applies."""

OnRedirect = Callable[[Url], Awaitable[None]]
"""Receives a redirect's target before it is followed. An error that it raises ends the GET."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WebConfig:
    """Settings of the client. `timeout_s` is for one connect, read or write, `deadline_s` for one GET; sizes in bytes.

    `max_idle`: idle connections kept open. `addresses`: limits per server address in this process, for all its names.
    `signer`: signs https requests.
    """

    user_agent: str
    timeout_s: float = 15.0
    deadline_s: float = 60.0
    max_wire_size: int = 10 * 1024 * 1024
    max_decoded_size: int = 20 * 1024 * 1024
    max_redirects: int = 5
    max_connections: int = 50
    max_idle: int = 200
    addresses: AddressLimits | None = None
    signer: Signer | None = None


@dataclass(frozen=True, slots=True)
class _Limits:
    """Limits of one GET. With `cut`, a longer body is truncated instead of refused."""

    wire_size: int
    decoded_size: int
    cut: bool


class WebClient:
    """Makes GET requests over its own connections, within one event loop. An async context manager.

    `resolve` replaces the system's resolver. No cookie outlives its GET.
    """

    def __init__(self, config: WebConfig, guard: AddressGuard | None = None, resolve: Resolve | None = None) -> None:
        self._config = config
        gate = shared_gate(config.addresses) if config.addresses else None
        transport = RawTransport(
            guard, resolve=resolve, max_connections=config.max_connections, max_idle=config.max_idle, gate=gate
        )
        self._transport = transport
        self._http = guarded_client(transport)  # users know httpx: see ADR 0005
        # without "pool": a request has no deadline while it waits for a connection
        self._timeouts = dict.fromkeys(("connect", "read", "write"), config.timeout_s)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._http.aclose()

    async def get(
        self,
        url: str,
        *,
        etag: str | None = None,
        last_modified: str | None = None,
        accept: str | None = None,
        max_wire_size: int | None = None,
        max_decoded_size: int | None = None,
        on_redirect: OnRedirect | None = None,
        on_head: OnHead | None = None,
        on_body: OnBody | None = None,
        cut: bool = False,
        takes_part: bool = False,
        asker: str = "",
    ) -> Exchange:
        """Return the response at the end of the redirects, whatever its status. Raises ItemError.

        A page that sends its readers elsewhere (`leads_to`) also counts as a redirect. Size arguments override the
        configuration. `cut` truncates a longer body instead of refusing it. `takes_part` returns the received part of a
        truncated body. `asker` is the requesting source. The time spent in `on_redirect` does not count toward the
        deadline.
        """
        limits = _Limits(
            self._config.max_wire_size if max_wire_size is None else max_wire_size,
            self._config.max_decoded_size if max_decoded_size is None else max_decoded_size,
            cut,
        )
        asked = {"Accept": accept or ACCEPT, "If-None-Match": etag, "If-Modified-Since": last_modified}
        target = url.without_fragment if isinstance(url, Url) else parse_target(url)
        left_s, cookies = self._config.deadline_s, Cookies()
        hops: list[Exchange] = []
        while True:
            budget = Budget(deadline_s=left_s, max_body_size=limits.wire_size, is_cut=cut, asker=asker)
            signed = dict(self._config.signer.fields(target)) if self._config.signer else {}
            fields = self._fields({**asked, "Cookie": cookies.header_for(target) if cookies else None, **signed})
            try:
                hops.append(await self._exchange(target, fields, budget, on_head))
            except RightsRefused as error:
                if isinstance(error.answer, Exchange):
                    error.answer = replace(error.answer, redirects=tuple(hops))
                raise
            left_s -= time.monotonic() - budget.began
            if set_cookies := [value for name, value in hops[-1].headers if name == "set-cookie"]:
                cookies.take(set_cookies, target=target, now=hops[-1].started_at)
            location = (hops[-1].header("location") or "").encode("latin-1")
            if not hops[-1].is_redirect:
                content, missing = await _content(hops[-1], limits, on_body)
                if missing and not takes_part:
                    raise BodyTruncated(f"{missing} at {target}")
                led_to = None if cut else leads_to(hops[-1], content)
                if led_to is None or _stays(led_to, target, hops[-1]):
                    return replace(hops[-1], redirects=tuple(hops[:-1]), content=content, missing=missing)
                location = led_to.encode("utf-8", "replace")
            if len(hops) > self._config.max_redirects:
                raise TooManyRedirects(f"{url} redirects more than {self._config.max_redirects} times")
            target = redirect_target(location, base=target)
            if on_redirect is not None:
                await on_redirect(target)

    async def address_of(self, origin: str, *, asker: str = "") -> str | None:
        """Return the address under which a host is counted; None without `addresses`, or if it is exempt.

        Raises DnsFailed, ForbiddenAddress, BadUrl.
        """
        budget = Budget(deadline_s=self._config.deadline_s, max_body_size=0, asker=asker)
        return await self._transport.address_of(_origin_url(origin), budget, timeout_s=self._config.timeout_s)

    def _fields(self, asked: dict[str, str | None]) -> list[tuple[bytes, bytes]]:
        fields = {"User-Agent": self._config.user_agent, "Accept-Encoding": ACCEPT_ENCODING, **asked}
        # validators and cookies come from servers: invalid field values are not sent back
        return [
            (name.encode(), value.encode("latin-1"))
            for name, value in fields.items()
            if value and _SENDABLE.fullmatch(value)
        ]

    async def _exchange(
        self, target: Url, fields: list[tuple[bytes, bytes]], budget: Budget, on_head: OnHead | None
    ) -> Exchange:
        request = httpx.Request(
            "GET",
            _origin_url(target.origin),
            headers=[(b"Host", target.authority.encode()), *fields],
            stream=_NOTHING,
            extensions={"target": target.request_target.encode(), "budget": budget, "timeout": self._timeouts},
        )
        response = await self._http.send(request, stream=True)
        body, is_cut_short = BytesIO(), False
        try:
            # before reading the body: when it ends, the connection may close
            answer = _headed(target, request, response, budget)
            if on_head is not None:
                _ask_of_head(on_head, answer)
            async for chunk in response.aiter_raw():
                body.write(chunk)
        except BodyTruncated:
            is_cut_short = True
        finally:
            await response.aclose()
        return replace(answer, body=body.getvalue(), elapsed_ms=_elapsed_ms(budget), is_cut_short=is_cut_short)


_NOTHING = httpx.ByteStream(b"")
"""The empty body of a GET. Without it, httpx examines the headers of each request for a body's encoding."""


def _ask_of_head(on_head: OnHead, answer: Exchange) -> None:
    try:
        on_head(answer)
    except RightsRefused as error:
        error.answer = answer
        raise


def _headed(target: Url, request: httpx.Request, response: httpx.Response, budget: Budget) -> Exchange:
    """Return the exchange up to the response head, without the body."""
    address = response.extensions["network_stream"].get_extra_info("server_addr")
    return Exchange(
        url=target,
        request_head=_head(f"GET {target.request_target} HTTP/1.1".encode(), request.headers.raw),
        response_head=budget.head if budget.mended else _head(_status_line(response), response.headers.raw),
        status=response.status_code,
        headers=tuple(
            (name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in response.headers.raw
        ),
        body=b"",
        address=str(address[0]) if address else None,
        started_at=budget.started_at,
        elapsed_ms=_elapsed_ms(budget),
        mended=budget.mended,
    )


def _elapsed_ms(budget: Budget) -> int:
    return round((time.monotonic() - budget.began) * 1000)


@lru_cache(maxsize=1000)  # 1 kB each; most requests to a host are consecutive
def _origin_url(origin: str) -> httpx.URL:
    """Return the origin that httpx connects to; the path is sent as `target`, unchanged. Raises BadUrl."""
    try:
        return httpx.URL(f"{origin}/")
    except httpx.InvalidURL as error:  # not a subclass of httpx.HTTPError
        raise BadUrl(f"{origin}/: {error}") from error


def _stays(led_to: str, target: Url, answer: Exchange) -> bool:
    """Whether a page stays: it leads to itself without setting a cookie, or to an invalid URL, as in browsers."""
    try:
        is_same = redirect_target(led_to.encode("utf-8", "replace"), base=target) == target
    except BadResponse:
        return True
    except ItemError:  # raised when the redirect is followed
        return False
    return is_same and answer.header("set-cookie") is None


async def _content(final: Exchange, limits: _Limits, on_body: OnBody | None) -> tuple[bytes, str | None]:
    """Decode the content coding; returns the content, and how much of a truncated body was received, or None."""
    if on_body is not None:
        await on_body(final)
    coding = final.header("content-encoding") or ""
    missing = _missing(final) if final.is_cut_short else None
    is_plain = not coding and len(final.body) <= limits.decoded_size and coding_of(final.body[:MAGIC_SIZE]) is None
    if is_plain:
        return final.body, missing
    decode = decode_received_prefix if limits.cut or missing else decode_received
    try:
        return await decode_aside(decode, final.body, coding, max_size=limits.decoded_size), missing
    except (BadContentEncoding, BodyTruncated) as error:
        if final.status >= 400:
            return b"", None  # only a refusal's status matters
        if not isinstance(error, BodyTruncated):
            raise
    return await decode_aside(decode_received_prefix, final.body, coding, max_size=limits.decoded_size), _missing(final)


def _missing(final: Exchange) -> str:
    declared = final.header("content-length") or ""
    return f"{len(final.body)} of {declared if declared.isdigit() and final.is_cut_short else 'more'} bytes"


def _status_line(response: httpx.Response) -> bytes:
    reason: bytes = response.extensions["reason_phrase"]
    version: bytes = response.extensions["http_version"]
    return b"%b %d %b" % (version, response.status_code, reason)


def _head(first_line: bytes, fields: list[tuple[bytes, bytes]]) -> bytes:
    return b"\r\n".join([first_line, *(b"%b: %b" % field for field in fields), b"", b""])
