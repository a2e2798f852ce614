"""One GET on the open web, guarded and bounded: an answer as it crossed the wire, or one of our errors.

A thin adapter over httpx, so that another client can take its place: URLs, redirects and cookies are ours, and bodies
are read raw. Never `.text` and never `aiter_bytes`: httpx's decoders have no bound.
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

# A field's value: no control character, nothing outside Latin-1, no white space at either end (RFC 9110, 5.5).
_SENDABLE = re.compile(r"[!-~\xa1-\xff](?:[ -~\xa0-\xff]*[!-~\xa1-\xff])?")

OnHead = Callable[[Exchange], None]
"""Gets an answer's head before its body is read; if it raises RightsRefused, that has the answer without a body."""

OnBody = Callable[[Exchange], Awaitable[None]]
"""Gets an answer that has come, before its body is decoded, and may wait: no deadline runs any more."""

OnRedirect = Callable[[Url], Awaitable[None]]
"""Gets the target of a redirect before it is followed; what it raises ends the GET."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WebConfig:
    """How the web is asked. `timeout_s` is for one connect, read or write, `deadline_s` for one GET; sizes in bytes.

    `max_idle` connections stay open without being used. `addresses` bounds what one address is asked by this process, under
    all of its names; `signer` signs requests over https.
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
    """What one GET may take. With `cut`, a longer body is cut instead of refused."""

    wire_size: int
    decoded_size: int
    cut: bool


class WebClient:
    """Makes GETs over connections of its own. Lives inside one event loop; an async context manager.

    `resolve` takes the place of the system's resolver. No cookie outlives its GET.
    """

    def __init__(self, config: WebConfig, guard: AddressGuard | None = None, resolve: Resolve | None = None) -> None:
        self._config = config
        gate = shared_gate(config.addresses) if config.addresses else None
        transport = RawTransport(
            guard, resolve=resolve, max_connections=config.max_connections, max_idle=config.max_idle, gate=gate
        )
        self._transport = transport
        self._http = guarded_client(transport)  # users know httpx: see ADR 0005
        # Without "pool": a request that waits for a connection has no deadline yet.
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
        """Return the answer at the end of the redirects, whatever its status; raises ItemError.

        A page that leads its readers on (`leads_to`) is a redirect as well. Sizes take the place of the
        configuration's. `cut` returns a longer body's beginning instead of refusing it; with `takes_part`, a body that
        ends before its end is returned as far as it came.
        `asker` is the source that it is for. The time that `on_redirect` takes does not count against the deadline.
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
        """Return the address by which a host is counted together with others; None without `addresses`, or if it is shared.

        Raises DnsFailed, ForbiddenAddress, BadUrl.
        """
        budget = Budget(deadline_s=self._config.deadline_s, max_body_size=0, asker=asker)
        return await self._transport.address_of(_origin_url(origin), budget, timeout_s=self._config.timeout_s)

    def _fields(self, asked: dict[str, str | None]) -> list[tuple[bytes, bytes]]:
        fields = {"User-Agent": self._config.user_agent, "Accept-Encoding": ACCEPT_ENCODING, **asked}
        # Validators and cookies are a server's words: one that is no field value is not sent back.
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
            # Before the body: with its end, the connection may be closed.
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
"""What a GET sends; without it, httpx looks into each request's headers for how to encode what there is not."""


def _ask_of_head(on_head: OnHead, answer: Exchange) -> None:
    try:
        on_head(answer)
    except RightsRefused as error:
        error.answer = answer
        raise


def _headed(target: Url, request: httpx.Request, response: httpx.Response, budget: Budget) -> Exchange:
    """Return the exchange as far as its head, without the body."""
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


@lru_cache(maxsize=1000)  # 1 kB each; of a host's requests, most follow each other
def _origin_url(origin: str) -> httpx.URL:
    """Return the origin to which httpx connects; the path is the request's `target`, untouched. Raises BadUrl."""
    try:
        return httpx.URL(f"{origin}/")
    except httpx.InvalidURL as error:  # which is no httpx.HTTPError
        raise BadUrl(f"{origin}/: {error}") from error


def _stays(led_to: str, target: Url, answer: Exchange) -> bool:
    """Whether a page leads to itself, and not in order to have a cookie back, or to what is no URL, as browsers find."""
    try:
        is_same = redirect_target(led_to.encode("utf-8", "replace"), base=target) == target
    except BadResponse:
        return True
    except ItemError:  # which it will be when that is followed
        return False
    return is_same and answer.header("set-cookie") is None


async def _content(final: Exchange, limits: _Limits, on_body: OnBody | None) -> tuple[bytes, str | None]:
    """Undo the content coding; returns also how much came of a body that ended before its end."""
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
            return b"", None  # of a refusal, the status counts
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
