"""A press that answers visits from a table, and a fresh index for each test."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

import pytest

from tasks.config.catalogue import SourceRules
from tasks.errors import ItemError
from tasks.index.database import Index
from tasks.politeness.visits import Visit
from tasks.web.exchange import Exchange, raise_for_status

RULES = SourceRules(user_agent="Presslake/0.1 (+https://presslake.example/bot)", crawl_delay_s=0.0, max_per_host=1)


@dataclass(frozen=True, kw_only=True)
class Said:
    """One response; `via` are the redirects before it, in order, each with its status."""

    body: bytes | str = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    via: tuple[tuple[int, str], ...] = ()


@dataclass
class Press:
    """A fake polite client: answers from `pages` by URL (a response, or until when to wait) and records the requests."""

    pages: dict[str, Said | ItemError | datetime]
    visits: list[Visit] = field(default_factory=list)

    @property
    def asked(self) -> list[str]:
        return [visit.url for visit in self.visits]

    async def visit(
        self,
        visits: Sequence[Visit],
        tell: Callable[[Visit], Awaitable[None]],
        *,
        is_full: Callable[[], bool] = lambda: False,
    ) -> None:
        for visit in visits:
            if is_full():
                await tell(replace(visit, deferred_until=datetime.now(UTC)))
                continue
            self.visits.append(visit)
            said = self.pages.get(visit.url, Said(status=404))
            if isinstance(said, datetime):
                await tell(replace(visit, deferred_until=said))
            elif isinstance(said, ItemError):
                await tell(replace(visit, error=said, asked_at=datetime.now(UTC)))
            else:
                await tell(answered(visit, said))


def answered(visit: Visit, said: Said) -> Visit:
    hops = [_hop(visit.url, 200, {}, b"")]
    for status, location in said.via:
        hops[-1] = _hop(hops[-1].url, status, {"location": location}, b"")
        hops.append(_hop(location, 200, {}, b""))
    is_same = visit.etag is not None and visit.etag == said.headers.get("etag")
    status, body = (304, b"") if is_same else (said.status, said.body)
    body = body.encode() if isinstance(body, str) else body
    head = b"GET / HTTP/1.1\r\n" + (b"If-None-Match: x\r\n" if visit.etag else b"") + b"\r\n"
    hops[-1] = _hop(hops[-1].url, status, said.headers, body, head)
    fetched, error = replace(hops[-1], redirects=tuple(hops[:-1]), content=body), None
    try:
        raise_for_status(fetched, now=datetime.now(UTC))
    except ItemError as trouble:
        error = trouble
    return replace(visit, fetched=fetched, error=error, asked_at=datetime.now(UTC))


def _hop(
    url: str, status: int, headers: dict[str, str], body: bytes, head: bytes = b"GET / HTTP/1.1\r\n\r\n"
) -> Exchange:
    return Exchange(
        url=url,
        request_head=head,
        response_head=b"HTTP/1.1 %d OK\r\n\r\n" % status,
        status=status,
        headers=tuple(headers.items()),
        body=body,
        address=None,
        started_at=datetime.now(UTC),
        elapsed_ms=1,
    )


@pytest.fixture
def index(file_index: Index) -> Index:
    return file_index
