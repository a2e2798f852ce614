"""Responses that demand a licence or a price: 401 and 402. Pure. Nothing is ever paid or offered.

crawler-price is Cloudflare's (closed beta), `WWW-Authenticate: License` is RSL's, `PAYMENT-REQUIRED` is x402's.
"""

import base64
import binascii
import json
import re
from collections.abc import Iterable, Iterator

from tasks.politeness.rights.links import licence_links
from tasks.values.rights import HEADER, PAYMENT, RAW_LENGTH
from tasks.values.rows import Signal
from tasks.values.url import Url
from tasks.web.headers import capped

_LICENCE = re.compile(r"\s*license\b", re.IGNORECASE)
_MAX_BODY = 8192
_MAX_SHOWN = 200

Headers = Iterable[tuple[str, str]]


def payment_of(status: int, headers: Headers, body: bytes, *, origin: str) -> str | None:
    """Return what a response demands, for the reason's detail, or None if it demands nothing.

    Empty for a bare 402, which names neither price nor licence. A login (401 Basic) demands nothing.
    """
    if status not in {401, 402}:
        return None
    fields = tuple(headers)
    named = [*_prices(fields), *_licences(fields, origin), *_x402(fields, body)]
    return "; ".join(named) if named or status == 402 else None


def demanded_licences(headers: Headers, *, origin: str) -> tuple[Url, ...]:
    """Return the licences that a refusal names. If it demands one, a link may lack RSL's type."""
    fields = tuple(headers)
    named = (value for name, value in fields if name == "link")
    return licence_links(named, origin=origin, is_typed=not _is_challenge(fields))


def charged_signals(headers: Headers) -> Iterator[Signal]:
    """Yield a signal if a response says that it was charged. We never offer a price, so this needs investigation."""
    for name, value in headers:
        if name == "crawler-charged":
            text = " ".join(capped(value).split())
            yield Signal(
                signal=PAYMENT, scope=HEADER, value=f"charged {text}"[:100], raw=text[:RAW_LENGTH], policy_id=None
            )


def _is_challenge(fields: tuple[tuple[str, str], ...]) -> bool:
    return any(name == "www-authenticate" and _LICENCE.match(capped(value)) for name, value in fields)


def _prices(fields: tuple[tuple[str, str], ...]) -> Iterator[str]:
    return (f"crawler-price {_shown(value)}" for name, value in fields if name == "crawler-price")


def _licences(fields: tuple[tuple[str, str], ...], origin: str) -> Iterator[str]:
    if _is_challenge(fields):
        yield " ".join(["licence", *demanded_licences(fields, origin=origin)])


def _x402(fields: tuple[tuple[str, str], ...], body: bytes) -> Iterator[str]:
    for name, value in fields:
        if name == "payment-required":
            yield f"x402 {_offer(_decoded(value))}".strip()
    if b"x402Version" in body[:_MAX_BODY]:
        yield f"x402 {_offer(body[:_MAX_BODY])}".strip()


def _decoded(value: str) -> bytes:
    try:
        return base64.b64decode(value[:_MAX_BODY], validate=False)
    except (binascii.Error, ValueError):
        return b""


def _offer(content: bytes) -> str:
    """Return the first price in x402's JSON."""
    try:
        accepts = json.loads(content).get("accepts") or [{}]
        first = accepts[0]
        parts = (first.get(name) for name in ("maxAmountRequired", "amount", "asset", "network"))
        return _shown(" ".join(part for part in parts if isinstance(part, str)))
    except (ValueError, AttributeError, LookupError, TypeError, RecursionError):
        return ""


def _shown(value: str) -> str:
    return " ".join(value.split())[:_MAX_SHOWN]
