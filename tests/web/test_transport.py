"""Plain httpx over our transport alone, against servers on loopback, honest and hostile."""

import asyncio
import gzip
import re
import tracemalloc
import zlib
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import brotli
import httpx
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from tasks.errors import (
    BadContentEncoding,
    BadResponse,
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
)
from tasks.values.url import fetch_url
from tasks.web.budget import Budget
from tasks.web.raw_transport import RawTransport
from tasks.web.target import parse_target
from tasks.web.transport import AS_HTTPX, GuardedTransport, guarded_client
from tests.web.loopback import (
    LOOPBACK,
    NOBODY,
    answer,
    endless,
    is_silent,
    page,
    redirect,
    resets,
    says,
    serve,
    together,
)

DOCS = Path(__file__).parents[2] / "docs/transport.md"
MIB = 1024 * 1024
OK_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n"


def plain(guard=LOOPBACK, **settings):
    """Return httpx's own client with our transport, and time-outs for a busy machine."""
    return httpx.AsyncClient(transport=GuardedTransport(guard, **settings), timeout=30)


@asynccontextmanager
async def asked_of(route, **settings):
    """Start a server with one route, and a plain client for it."""
    async with serve({"*": route}) as server, plain(**settings) as client:
        yield server, client


async def refused(route, follow_redirects=True, **settings):
    """Return the error that a GET of the route raises."""
    async with asked_of(route, **settings) as (server, client):
        with pytest.raises(httpx.RequestError) as caught:
            await client.get(server.url("/a"), follow_redirects=follow_redirects)
    return caught.value


# Addresses


@pytest.mark.parametrize(
    "location",
    [
        "http://169.254.169.254/latest/meta-data/",
        "http://[::ffff:169.254.169.254]/",
        "http://[64:ff9b::a9fe:a9fe]/",
        "http://10.1.2.3/",
        "//192.168.0.1/",
        "https://[::1]/",
        "http://0.0.0.0/",
    ],
)
async def test_a_redirect_out_of_the_public_web_is_refused(location):
    error = await refused(redirect(location))

    assert isinstance(error, httpx.ConnectError)
    assert isinstance(error.__cause__, ForbiddenAddress)


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/", "http://169.254.169.254/", "http://localhost:1/"])
async def test_by_default_only_the_public_web_is_requested(url):
    async with httpx.AsyncClient(transport=GuardedTransport()) as client:
        with pytest.raises(httpx.ConnectError) as caught:
            await client.get(url)

    assert isinstance(caught.value.__cause__, ForbiddenAddress)


async def test_a_redirect_to_a_name_that_leads_inside_is_refused():
    async def resolve(host, port):
        return ["127.0.0.2"] if host == "outside.example" else ["10.0.0.1"]

    async with (
        serve({"*": redirect("http://inside.example/")}, "127.0.0.2") as server,
        plain(resolve=resolve) as client,
    ):
        with pytest.raises(httpx.ConnectError) as caught:
            await client.get(server.url(host="outside.example"), follow_redirects=True)

    assert isinstance(caught.value.__cause__, ForbiddenAddress)


async def test_a_permitted_redirect_is_followed():
    async with serve({"/a": redirect("/b"), "/b": page(b"b")}) as server, plain() as client:
        response = await client.get(server.url("/a"), follow_redirects=True)

    assert (response.text, [hop.status_code for hop in response.history]) == ("b", [302])


@pytest.mark.parametrize("location", ["file:///etc/passwd", "gopher://127.0.0.1:70/", "ftp://a.example/"])
async def test_a_redirect_out_of_http_is_refused(location):
    error = await refused(redirect(location))

    assert isinstance(error, httpx.UnsupportedProtocol)
    assert isinstance(error.__cause__, ForbiddenScheme)


async def test_a_proxy_in_the_environment_is_not_used(monkeypatch):
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")

    async with asked_of(page(b"x")) as (server, client):
        assert (await client.get(server.url())).text == "x"


# Bounds


@pytest.mark.parametrize(
    ("head", "piece"),
    [
        pytest.param(OK_HEAD + b"Content-Length: 100000000\r\n\r\n", bytes(65536), id="declared"),
        pytest.param(OK_HEAD + b"\r\n", bytes(65536), id="not declared"),
        pytest.param(
            OK_HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"10000\r\n" + bytes(65536) + b"\r\n", id="chunks"
        ),
        pytest.param(
            OK_HEAD + b"Content-Encoding: br\r\nTransfer-Encoding: chunked\r\n\r\n",
            b"10000\r\n" + bytes(65536) + b"\r\n",
            id="coded chunks",
        ),
        pytest.param(b"", b"HTTP/1.1 100 Continue\r\nX-A: " + b"a" * 60_000 + b"\r\n\r\n", id="informational answers"),
    ],
)
async def test_a_body_over_its_bound_is_refused(head, piece):
    sent = [0]

    error = await refused(endless(head, piece, sent), max_body_size=MIB)

    assert isinstance(error.__cause__, BodyTooLarge)
    assert sent[0] < 12 * MIB  # what the kernel's buffers took


async def test_a_redirects_own_body_is_bounded():
    head = b"HTTP/1.1 302 Found\r\nLocation: /b\r\n\r\n"

    error = await refused(endless(head, bytes(65536)), max_body_size=MIB)

    assert isinstance(error.__cause__, BodyTooLarge)


async def test_a_streamed_body_is_bounded():
    async with asked_of(endless(OK_HEAD + b"\r\n", bytes(65536)), max_body_size=MIB) as (server, client):
        size = 0
        with pytest.raises(httpx.ReadError):
            async with client.stream("GET", server.url()) as response:
                async for chunk in response.aiter_bytes():
                    size += len(chunk)

    assert size <= MIB


async def test_a_body_of_exactly_the_bound_is_accepted():
    async with asked_of(page(bytes(MIB)), max_body_size=MIB) as (server, client):
        assert len((await client.get(server.url())).content) == MIB


BOMBS = {
    "gzip": gzip.compress,
    "deflate": zlib.compress,
    "br": lambda text: brotli.compress(text, quality=4),
    "zstd": zstandard.compress,
    "gzip, gzip": lambda text: gzip.compress(gzip.compress(text)),
}


@pytest.mark.parametrize("coding", BOMBS)
async def test_a_bomb_is_refused_in_little_memory(coding):
    bomb = page(BOMBS[coding](bytes(100 * MIB)), **{"Content-Encoding": coding})
    tracemalloc.start()

    error = await refused(bomb, max_decoded_size=2 * MIB)

    _, peak_size = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert isinstance(error, httpx.DecodingError)
    assert isinstance(error.__cause__, DecompressionBomb)
    assert peak_size < 12 * MIB


@pytest.mark.parametrize("coding", BOMBS)
async def test_a_coded_body_is_decoded(coding):
    coded = page(BOMBS[coding]("Grüße".encode()), **{"Content-Encoding": coding, "X-Two": "1"})
    async with asked_of(coded) as (server, client):
        response = await client.get(server.url())

    assert response.text == "Grüße"
    assert response.headers["x-two"] == "1"
    assert "content-encoding" not in response.headers


@pytest.mark.parametrize("fields", [[], [("Content-Encoding", "gzip")]], ids=["plain", "coded"])
async def test_head_has_no_body_to_refuse(fields):
    async def head(asked, writer):
        lines = [*fields, ("Content-Length", "100000000")]
        writer.write(OK_HEAD + "".join(f"{name}: {value}\r\n" for name, value in lines).encode() + b"\r\n")

    async with asked_of(head, max_body_size=MIB) as (server, client):
        response = await client.head(server.url())

    assert response.headers["content-length"] == "100000000"


async def test_an_unchanged_page_has_no_body_to_refuse():
    async with asked_of(b"HTTP/1.1 304 Not Modified\r\nContent-Length: 100000000\r\n\r\n") as (server, client):
        response = await client.get(server.url(), headers={"If-None-Match": '"a"'})

    assert (response.status_code, response.content) == (304, b"")


async def test_a_slow_server_has_until_the_deadline():
    error = await refused(endless(OK_HEAD + b"\r\n", b"a", every_s=0.02), deadline_s=0.3)

    assert isinstance(error, httpx.TimeoutException)
    assert isinstance(error.__cause__, TimedOut)


async def test_a_budget_replaces_the_transports_own():
    async with asked_of(page(bytes(5000)), max_body_size=1000) as (server, client):
        budget = Budget(deadline_s=30.0, max_body_size=5000)
        response = await client.get(server.url(), extensions={"budget": budget})

    assert len(response.content) == 5000
    assert budget.size > 5000


async def test_a_budgets_deadline_covers_all_redirects_together():
    async def slowly(asked, writer):
        await asyncio.sleep(0.2)
        writer.write(redirect(asked.path + "a"))

    async with asked_of(slowly) as (server, client):
        budget = Budget(deadline_s=0.5, max_body_size=5000)
        with pytest.raises(httpx.TimeoutException):
            await client.get(server.url("/a"), follow_redirects=True, extensions={"budget": budget})

    assert len(server.asked) < 5


async def test_a_body_is_truncated_if_its_budget_says_so():
    async with asked_of(says(OK_HEAD + b"\r\n", b"ab" * MIB)) as (server, client):
        budget = Budget(deadline_s=30.0, max_body_size=999, is_cut=True)
        response = await client.get(server.url(), extensions={"budget": budget})

    assert response.content == b"ab" * 499 + b"a"


# Cookies


@pytest.mark.parametrize("follow_redirects", [False, True])
async def test_two_gets_share_no_cookie(follow_redirects):
    sets = answer(200, b"x", [("Set-Cookie", "seen=1; Path=/"), ("Set-Cookie", "b=2")])
    async with asked_of(sets) as (server, client):
        responses = [await client.get(server.url(), follow_redirects=follow_redirects) for _ in range(2)]

    assert [asked.headers.get("cookie") for asked in server.asked] == [None, None]
    assert responses[0].headers.get_list("set-cookie") == ["seen=1; Path=/", "b=2"]


async def test_a_redirect_target_gets_no_cookie():
    routes = {"/a": answer(302, b"", [("Location", "/b"), ("Set-Cookie", "seen=1; Path=/")]), "/b": page(b"b")}
    async with serve(routes) as server, plain() as client:
        await client.get(server.url("/a"), follow_redirects=True)

    assert [asked.headers.get("cookie") for asked in server.asked] == [None, None]


# Requests

TARGETS = [
    "/%7Euser",
    "/~user",
    "/a'b|c",
    "/Grüße?q=ä",
    "/%C3%A4%c3%a4/%E9",
    "/a;jsessionid=1;b",
    "//a//b///",
    "/#!/2026/a",
    "/a?b='c'&d=\"e\"",
    "/a?q=a b+c%20d",
    "/a[1]?b[]=2",
    "/a^`{}<>\\b?c\\d^`{}<>",
    "/%zz%?%zz%",
    "/a?b&&c=&=d",
    "/a/../b/./c/..;/%2e%2E/d",
    "/?a=b?c=/../d",
    "/😀?😀",
    "?a=1",
    "/a%2Fb%3Fc%23d",
    "/a:b@c!$&()*+,=",
]


@pytest.mark.parametrize("target", TARGETS)
async def test_the_octets_on_the_wire_are_those_of_fetch_url(target):
    async with asked_of(page(b"x")) as (server, client):
        url = fetch_url(server.url("") + target)
        await client.get(url)

    path = url.partition("#")[0].removeprefix(server.url(""))
    assert server.asked[0].head.startswith(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\n".encode("ascii"))


@given(st.text(max_size=60), st.text(max_size=60))
def test_httpx_changes_nothing_in_a_url_of_fetch_url(path, query):
    try:
        url = fetch_url(f"https://news.example/{path}?{query}")
    except ItemError:
        return

    assert httpx.URL(url).raw_path.decode() == parse_target(url).request_target


@pytest.mark.parametrize("target", [b"/a%7e%2e/../'\"<>|\\^`{}", b"/%", b"/a?b?c", b"*"])
async def test_a_custom_target_is_sent_unchanged(target):
    async with asked_of(page(b"x")) as (server, client):
        await client.get(server.url("/other"), extensions={"target": target})

    assert server.asked[0].head.startswith(b"GET " + target + b" HTTP/1.1\r\n")


async def test_a_body_is_sent():
    got = []

    async def takes(asked, writer):
        got.append((asked.head.split(b" ")[0], asked.headers["content-length"]))
        writer.write(answer(200, b"thanks", close=True))
        await writer.drain()
        writer.close()

    async with asked_of(takes) as (server, client):
        response = await client.post(server.url(), content=b"some")

    assert (response.text, got) == ("thanks", [(b"POST", "4")])


# Connections


async def test_a_connection_is_used_again():
    async with asked_of(page(b"x")) as (server, client):
        for _ in range(3):
            await client.get(server.url())

    assert [asked.connection for asked in server.asked] == [0, 0, 0]


@pytest.mark.parametrize(("method", "times"), [("GET", 2), ("HEAD", 2), ("DELETE", 1)])
async def test_idempotent_requests_are_retried_on_a_closed_kept_connection(method, times):
    async def once(asked, writer):
        """Answer the first request on a connection, and drop the second without a word."""
        if sum(other.connection == asked.connection for other in server.asked) > 1:
            writer.transport.abort()
        else:
            writer.write(answer(200))

    async with asked_of(once) as (server, client):
        await client.get(server.url("/first"))
        with suppress(httpx.ReadError):
            await client.request(method, server.url("/second"))

    assert server.paths() == ["/first", *["/second"] * times]


async def test_cancelled_tasks_leave_the_transport_usable():
    async def slowly(asked, writer):
        if asked.path == "/body":
            writer.write(OK_HEAD + b"\r\nbegins")
        await asyncio.sleep(30)

    async with (
        serve({"/silent": is_silent, "/body": slowly, "*": page(b"x")}) as server,
        plain(max_connections=2) as client,
    ):
        for path in ["/silent", "/body"] * 6:
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.1):
                    await client.get(server.url(path))
        waiting = [asyncio.create_task(client.get(server.url("/silent"))) for _ in range(6)]
        await asyncio.sleep(0.1)
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
        responses = await asyncio.gather(*(client.get(server.url("/good")) for _ in range(4)))

    assert [response.text for response in responses] == ["x"] * 4


async def test_deadlines_leave_the_transport_usable():
    async with (
        serve({"/slow": is_silent, "*": page(b"x")}) as server,
        plain(deadline_s=0.1, max_connections=2) as client,
    ):
        trouble = await asyncio.gather(*(client.get(server.url("/slow")) for _ in range(6)), return_exceptions=True)
        response = await client.get(server.url("/good"), extensions={"budget": Budget(deadline_s=30, max_body_size=9)})

    assert {type(error) for error in trouble} == {httpx.TimeoutException}
    assert response.text == "x"


async def test_no_more_connections_are_used_than_the_limit():
    async with asked_of(together(2, page(b"x"), stay_s=0.05), max_connections=2) as (server, client):
        await asyncio.gather(*(client.get(server.url(), timeout=30) for _ in range(8)))

    assert (len(server.asked), server.most_in_flight) == (8, 2)


async def test_waiting_too_long_for_a_connection_is_reported():
    async with asked_of(is_silent, max_connections=1) as (server, client):
        busy = asyncio.create_task(client.get(server.url()))
        await asyncio.sleep(0.05)
        with pytest.raises(httpx.TimeoutException) as caught:
            await client.get(server.url(), timeout=httpx.Timeout(30, pool=0.05))
        busy.cancel()
        await asyncio.gather(busy, return_exceptions=True)

    assert isinstance(caught.value.__cause__, TimedOut)


async def test_an_unread_response_releases_its_connection():
    routes = {"/long": endless(OK_HEAD + b"\r\n", bytes(100)), "*": page(b"x")}
    async with serve(routes) as server, plain(max_connections=1) as client:
        async with client.stream("GET", server.url("/long")):
            pass
        response = await client.get(server.url("/good"))

    assert response.text == "x"
    assert [asked.connection for asked in server.asked] == [0, 1]


# What goes wrong

WRONG = {
    "no answer": (resets, httpx.ReadError, ConnectionLost),
    "half a head": (says(b"HTTP/1.1 200 OK\r\nContent-"), httpx.ReadError, ConnectionLost),
    "no HTTP": (says(b"SSH-2.0-OpenSSH_9.6\r\n"), httpx.RemoteProtocolError, BadResponse),
    "a body cut short": (says(OK_HEAD + b"Content-Length: 9\r\n\r\nabc"), httpx.RemoteProtocolError, BodyTruncated),
    "an unknown coding": (page(b"x", **{"Content-Encoding": "aes"}), httpx.DecodingError, BadContentEncoding),
    "half a coded body": (
        page(gzip.compress(bytes(range(256)) * 99)[:40], **{"Content-Encoding": "gzip"}),
        httpx.RemoteProtocolError,
        BodyTruncated,
    ),
}


@pytest.mark.parametrize(("route", "error", "cause"), WRONG.values(), ids=WRONG)
async def test_failures_are_httpx_errors(route, error, cause):
    raised = await refused(route)

    assert (type(raised), type(raised.__cause__)) == (error, cause)
    assert raised.request.url.path == "/a"


@pytest.mark.parametrize(
    ("octets", "words"),
    [
        (b"HTTP/1.1 2000 OK\r\n\r\n", "'HTTP/1.1 2000 OK'"),
        (OK_HEAD + b"Transfer-Encoding: chunked\r\n\r\n-1\r\n", r"chunk header: '-1\r\n'"),
    ],
)
async def test_an_unreadable_response_is_quoted_readably(octets, words):
    raised = await refused(says(octets))

    assert str(raised.__cause__).endswith(words)


async def test_a_name_without_an_address_is_a_failed_connect():
    async def resolve(host, port):
        raise OSError("no such name")

    async with plain(resolve=resolve) as client:
        with pytest.raises(httpx.ConnectError) as caught:
            await client.get("http://unknown.example/")

    assert isinstance(caught.value.__cause__, DnsFailed)


async def test_nobody_listening_is_a_failed_connect():
    async with plain() as client:
        with pytest.raises(httpx.ConnectError) as caught:
            await client.get(NOBODY)

    assert isinstance(caught.value.__cause__, ConnectFailed)


# guarded_client


async def test_a_guarded_client_keeps_no_cookie_and_follows_no_redirect():
    sets = answer(302, b"", [("Location", "http://169.254.169.254/"), ("Set-Cookie", "a=1; Path=/; expires=never")])
    async with serve({"*": sets}) as server, guarded_client(GuardedTransport(LOOPBACK)) as client:
        responses = [await client.get(server.url()) for _ in range(2)]

    assert [response.status_code for response in responses] == [302, 302]
    assert not client.cookies
    assert "cookie" not in server.asked[1].headers


async def test_a_guarded_client_is_guarded_without_being_given_a_transport():
    async with guarded_client() as client:
        with pytest.raises(httpx.ConnectError):
            await client.get("http://127.0.0.1:1/")


# The main path's own


@pytest.mark.parametrize("location", ["http://[/", "http://127.0.0.1:99999/", "/a\tb", "http://xn--\xff/", "file:///a"])
async def test_a_raw_response_is_not_searched_for_redirects(location):
    async with serve({"*": redirect(location)}) as server, guarded_client(RawTransport(LOOPBACK)) as client:
        response = await client.get(server.url(), follow_redirects=True)

    assert (response.status_code, response.headers["location"].encode("latin-1")) == (302, location.encode("latin-1"))


async def test_a_raw_body_keeps_its_coding():
    coded = page(gzip.compress(b"x"), **{"Content-Encoding": "gzip"})
    async with (
        serve({"*": coded}) as server,
        guarded_client(RawTransport(LOOPBACK)) as client,
        client.stream("GET", server.url()) as response,
    ):
        body = b"".join([chunk async for chunk in response.aiter_raw()])

    assert gzip.decompress(body) == b"x"
    assert response.headers["content-encoding"] == "gzip"


async def test_failures_of_the_raw_transport_are_our_errors():
    async with serve({"*": resets}) as server, guarded_client(RawTransport(LOOPBACK)) as client:
        with pytest.raises(ConnectionLost):
            await client.get(server.url())


# Its documentation


def test_the_documentation_lists_each_error_with_its_cause():
    _, _, section = DOCS.read_text(encoding="utf-8").partition("\n## Errors\n")
    rows = re.findall(r"^\| (`.*`) \| `(\w+)` \|$", section.partition("\n## ")[0], re.MULTILINE)

    tabled = {cause: error for causes, error in rows for cause in re.findall(r"`(\w+)`", causes)}
    assert tabled == {cause.__name__: error.__name__ for cause, error in AS_HTTPX.items()}


async def test_the_documentations_example_runs():
    example = re.search(r"```python\n(.*?)\nasyncio\.run", DOCS.read_text(encoding="utf-8"), re.DOTALL)[1]
    told = []
    async with serve({"*": page(b"words")}) as server:
        names = {"print": lambda *values: told.append(values)}
        exec(example.replace("https://news.example/", server.url()), names)
        names["GuardedTransport"] = lambda: GuardedTransport(LOOPBACK)
        await names["main"]()

    assert told == [(200, 5)]
