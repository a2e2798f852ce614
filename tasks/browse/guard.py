"""Guard every page: who may access it, by which methods, and what a browser may do with the response. Pure ASGI.

DNS rebinding (another site's name that resolves to this machine) is refused by the Host header. No request changes
anything, so only GET and HEAD exist.
"""

import base64
import binascii
import hmac
from collections.abc import Iterable
from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import urlsplit

from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

LOOPBACK_NAMES = ("localhost", "127.0.0.1", "[::1]")
METHODS = ("GET", "HEAD")

OWN_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; frame-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
STORED_POLICY = "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:"
"""The Content-Security-Policy for foreign pages: a separate origin, no scripts, no forms, no requests."""

HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "X-DNS-Prefetch-Control": "off",  # otherwise browsers resolve the hosts of all links
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cache-Control": "no-store",  # so that articles taken down do not stay in browsers' caches
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """Who has access: the allowed Host headers (with port, lower-case), and the required token, if any."""

    hosts: frozenset[str]
    token: str | None = None


def allowed_hosts(port: int, *, names: Iterable[str] = (), public_url: str | None = None) -> frozenset[str]:
    """Return the allowed Host headers for a port: those of this machine, of `names` and of a public URL."""
    hosts = {f"{name}:{port}" for name in (*LOOPBACK_NAMES, *names)}
    if port == 80:
        hosts |= {*LOOPBACK_NAMES, *names}
    if public_url:
        hosts.add(urlsplit(public_url).netloc.rpartition("@")[2])
    return frozenset(host.lower() for host in hosts)


class Guard:
    """Refuses what is not allowed, and adds security headers to every response."""

    def __init__(self, app: ASGIApp, access: Access) -> None:
        self._app, self._access = app, access

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_bound(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": _bound(message.get("headers", ()))}
            await send(message)

        refused = self._refusal(scope)
        await (refused or self._app)(scope, receive, send_bound)

    def _refusal(self, scope: Scope) -> Response | None:
        headers = [(name.lower(), value) for name, value in scope["headers"]]
        hosts = [value.decode("latin-1").strip().lower() for name, value in headers if name == b"host"]
        if len(hosts) != 1 or hosts[0] not in self._access.hosts:
            return PlainTextResponse("Unknown host name.\n", HTTPStatus.FORBIDDEN)
        if scope["method"] not in METHODS:
            return PlainTextResponse(
                "Read-only: use GET or HEAD.\n",
                HTTPStatus.METHOD_NOT_ALLOWED,
                {"Allow": ", ".join(METHODS)},
            )
        if "\0" in scope["path"] or b"%00" in scope["query_string"]:  # databases refuse NUL, and no name contains it
            return PlainTextResponse("Page not found.\n", HTTPStatus.BAD_REQUEST)
        token = self._access.token
        if token is not None and not is_token(next((v for n, v in headers if n == b"authorization"), b""), token):
            challenge = {"WWW-Authenticate": 'Basic realm="Presslake", charset="UTF-8"'}
            return PlainTextResponse(
                "Enter the token as the password; the user name does not matter.\n", HTTPStatus.UNAUTHORIZED, challenge
            )
        return None


def is_token(authorization: bytes, token: str) -> bool:
    """Whether an Authorization header has the token: as a Bearer, or as the password of Basic (RFC 7617)."""
    scheme, _, given = authorization.strip().partition(b" ")
    given = given.strip()
    if scheme.lower() == b"basic":
        try:
            given = base64.b64decode(given, validate=True).partition(b":")[2]
        except binascii.Error:
            return False
    elif scheme.lower() != b"bearer":
        return False
    return hmac.compare_digest(given, token.encode())


def _bound(headers: Iterable[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """Return a response's headers, with ours added unless it has its own."""
    held = {name.lower() for name, _ in headers}
    ours = {**HEADERS, "Content-Security-Policy": OWN_POLICY}
    return [
        *headers,
        *((name.lower().encode(), value.encode()) for name, value in ours.items() if name.lower().encode() not in held),
    ]
