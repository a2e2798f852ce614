"""One GET against servers on loopback, honest and hostile."""

import asyncio
import gc
import gzip
import ssl
import subprocess
import tracemalloc
import zlib
from datetime import UTC, datetime

import brotli
import httpx
import pytest
import zstandard

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
    RobotsDisallowed,
    TimedOut,
    TlsFailed,
    TooManyRedirects,
)
from tasks.web.addresses import AddressLimits, shared_gate
from tasks.web.client import WebClient, WebConfig
from tasks.web.connections import ssl_context
from tasks.web.guard import AddressGuard
from tests.alive import alive
from tests.web.loopback import (
    AGENT,
    LOOPBACK,
    NOBODY,
    answer,
    endless,
    is_silent,
    listening,
    page,
    redirect,
    resets,
    says,
    serve,
)

MIB = 1024 * 1024
OK_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n"


def web(guard=LOOPBACK, resolve=None, **config):
    config = {"user_agent": AGENT, "timeout_s": 5.0, "deadline_s": 5.0, **config}
    return WebClient(WebConfig(**config), guard, resolve)


def names(**addresses):
    """Return a resolver that knows these names, each with its addresses, and counts its look-ups."""

    async def resolve(host, port):
        resolve.asked.append(host)
        known = addresses.get(host.removesuffix(".example"))
        if known is None:
            raise OSError("no such name")
        return known

    resolve.asked = []
    return resolve


async def got(route, **config):
    """Return the result of one GET of one route."""
    async with serve({"*": route}) as server, web(**config) as client:
        return await client.get(server.url("/a"))


# Requests and responses


async def test_the_response_comes_with_both_heads():
    before = datetime.now(UTC)
    async with serve({"/a?b=%20": page(b"<p>", **{"X-Two": "1"})}) as server, web() as client:
        fetched = await client.get(server.url("/a?b= #part"))

    hop = fetched
    assert (fetched.url, hop.status, hop.body, fetched.content) == (server.url("/a?b=%20"), 200, b"<p>", b"<p>")
    assert hop.request_head == server.asked[0].head
    assert hop.response_head == b"HTTP/1.1 200 Said\r\nContent-Type: text/html\r\nX-Two: 1\r\nContent-Length: 3\r\n\r\n"
    assert (hop.header("x-two"), hop.address) == ("1", "127.0.0.1")
    assert before <= hop.started_at <= datetime.now(UTC)
    assert hop.elapsed_ms >= 0


async def test_the_user_agent_identifies_us():
    async with serve({"*": page(b"")}) as server, web() as client:
        await client.get(server.url(), accept="text/plain")

    asked = server.asked[0].headers
    assert asked == {
        "host": f"127.0.0.1:{server.port}",
        "user-agent": AGENT,
        "accept": "text/plain",
        "accept-encoding": "gzip, deflate, br, zstd",
    }


async def test_validators_make_a_conditional_request():
    async with serve({"*": b'HTTP/1.1 304 Not Modified\r\nETag: W/"1"\r\n\r\n'}) as server, web() as client:
        fetched = await client.get(server.url(), etag='W/"1"', last_modified="Sun, 01 Mar 2026 12:00:00 GMT")

    asked = server.asked[0].headers
    assert (asked["if-none-match"], asked["if-modified-since"]) == ('W/"1"', "Sun, 01 Mar 2026 12:00:00 GMT")
    assert (fetched.status, fetched.is_conditional, fetched.content) == (304, True, b"")


@pytest.mark.parametrize("etag", ['"a"\r\nX-Injected: 1', '"a\x00"', '"€"', '"a"\n', " ", "\x7f"])
async def test_an_invalid_validator_is_not_sent(etag):
    async with serve({"*": page(b"")}) as server, web() as client:
        await client.get(server.url(), etag=etag)

    assert not {"if-none-match", "x-injected"} & server.asked[0].headers.keys()


async def test_a_proxy_in_the_environment_is_not_used(monkeypatch):
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")

    assert (await got(page(b"x"))).content == b"x"


@pytest.mark.parametrize("status", [204, 400, 403, 404, 410, 429, 500, 503])
async def test_every_status_is_returned(status):
    assert (await got(answer(status))).status == status


async def test_informational_responses_are_skipped():
    early = b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"

    assert (await got(early * 3 + page(b"x"))).content == b"x"


async def test_http_1_0_is_understood():
    assert (await got(says(b"HTTP/1.0 200 OK\r\n\r\nuntil the end"))).content == b"until the end"


# Connections


async def test_a_connection_is_used_again():
    async with serve({"*": page(b"x")}) as server, web() as client:
        for _ in range(3):
            await client.get(server.url())

    assert [asked.connection for asked in server.asked] == [0, 0, 0]


async def test_a_connection_closed_by_the_server_is_reopened():
    async def once(asked, writer):
        """Answer the first request on a connection, and drop the second without a word."""
        if sum(other.connection == asked.connection for other in server.asked) > 1:
            writer.transport.abort()
        else:
            writer.write(page(b"x"))

    async with serve({"*": once}) as server, web() as client:
        await client.get(server.url())
        fetched = await client.get(server.url())

    assert fetched.content == b"x"
    assert [asked.connection for asked in server.asked] == [0, 0, 1]


async def test_a_dropped_fresh_connection_is_not_retried():
    async with serve({"*": resets}) as server, web() as client:
        with pytest.raises(ConnectionLost):
            await client.get(server.url())

    assert len(server.asked) == 1


async def test_more_gets_than_connections_wait_without_losing_time():
    async def slow(asked, writer):
        await asyncio.sleep(0.3)
        writer.write(page(b"x"))

    async with serve({"*": slow}) as server, web(max_connections=2, deadline_s=0.8) as client:
        fetched = await asyncio.gather(*(client.get(server.url(f"/{number}")) for number in range(8)))

    assert len(fetched) == 8
    assert server.most_in_flight == 2


async def test_a_deadline_leaves_the_pool_usable():
    async with serve({"/slow": is_silent, "*": page(b"x")}) as server, web(max_connections=2, timeout_s=0.2) as client:
        trouble = await asyncio.gather(*(client.get(server.url("/slow")) for _ in range(6)), return_exceptions=True)
        fetched = await client.get(server.url())

    assert {type(error) for error in trouble} == {TimedOut}
    assert fetched.content == b"x"


# What goes wrong on the wire

WRONG = {
    "no answer": (resets, ConnectionLost),
    "closed at once": (says(), ConnectionLost),
    "half a head": (says(b"HTTP/1.1 200 OK\r\nContent-"), ConnectionLost),
    "no HTTP, closed": (says(b"SSH-2.0-OpenSSH_9.6\r\n"), BadResponse),
    "no HTTP, open": (says(b"SSH-2.0-OpenSSH_9.6\r\n\r\n", close=False), BadResponse),
    "binary": (says(b"\x15\x03\x01\x00\x02\x02\x46"), BadResponse),
    "page without a head": (says(b"<html><p>An answer of 1991</p></html>"), BadResponse),
    "no status": (says(b"HTTP/1.1 OK\r\n\r\n"), BadResponse),
    "status of four digits": (says(b"HTTP/1.1 2000 OK\r\n\r\n"), BadResponse),
    "NUL in a field": (says(OK_HEAD + b"X-A: a\x00b\r\nContent-Length: 0\r\n\r\n"), BadResponse),
    "bare CR in a field": (says(OK_HEAD + b"X-A: a\rX-B: b\r\nContent-Length: 0\r\n\r\n"), BadResponse),
    "two lengths": (says(OK_HEAD + b"Content-Length: 3\r\nContent-Length: 4\r\n\r\nabc"), BadResponse),
    "no number as length": (says(OK_HEAD + b"Content-Length: many\r\n\r\nabc"), BadResponse),
    "coded transfer": (says(OK_HEAD + b"Transfer-Encoding: gzip, chunked\r\n\r\n"), BadResponse),
    "no chunk": (says(OK_HEAD + b"Transfer-Encoding: chunked\r\n\r\nzz\r\nabc", close=False), BadResponse),
    "huge head": (says(OK_HEAD + b"X-A: " + b"a" * 300_000 + b"\r\n\r\n", close=False), BadResponse),
    "many fields": (says(OK_HEAD + b"X-A: a\r\n" * 50_000 + b"\r\n", close=False), BadResponse),
    "length too long": (says(OK_HEAD + b"Content-Length: 100\r\n\r\nabc"), BodyTruncated),
    "chunks without an end": (says(OK_HEAD + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"), BodyTruncated),
    "chunk cut short": (says(OK_HEAD + b"Transfer-Encoding: chunked\r\n\r\n100\r\nabc"), BodyTruncated),
    "gzip cut short": (page(gzip.compress(b"abc" * 999)[:-9], **{"Content-Encoding": "gzip"}), BodyTruncated),
    "gzip corrupt": (page(b"\x1f\x8b\x08" + b"\xff" * 99, **{"Content-Encoding": "gzip"}), BadContentEncoding),
    "unknown coding": (page(b"x", **{"Content-Encoding": "sdch"}), BadContentEncoding),
    "three codings": (page(b"x", **{"Content-Encoding": "gzip, gzip, gzip"}), BadContentEncoding),
    "br that is none": (page(b"\x9c\x8f, and no br", **{"Content-Encoding": "br"}), BadContentEncoding),
}


@pytest.mark.parametrize(("route", "error"), WRONG.values(), ids=WRONG)
async def test_each_failure_on_the_wire_has_its_error(route, error):
    with pytest.raises(ItemError) as caught:
        await got(route)

    assert type(caught.value) is error


async def test_a_reset_in_the_body_is_a_lost_connection():
    async def cut(asked, writer):
        writer.write(OK_HEAD + b"Content-Length: 100\r\n\r\nabc")
        await writer.drain()
        await asyncio.sleep(0.1)
        writer.transport.abort()

    with pytest.raises((ConnectionLost, BodyTruncated)):
        await got(cut)


async def test_a_faulty_body_of_a_refusal_does_not_matter():
    refused = answer(503, b"not gzip, nor anything else", [("Content-Encoding", "br")])

    assert (await got(refused)).status == 503


async def test_a_plain_body_labelled_as_gzip_is_accepted():
    assert (await got(page(b"<p>plain", **{"Content-Encoding": "gzip"}))).content == b"<p>plain"


async def test_nobody_listening_is_a_failed_connect():
    async with web() as client:
        with pytest.raises(ConnectFailed):
            await client.get(NOBODY)


# Bounds


async def test_a_declared_length_above_the_cap_is_refused_unread():
    sent = [0]
    head = OK_HEAD + b"Content-Length: 100000000\r\n\r\n"

    with pytest.raises(BodyTooLarge):
        await got(endless(head, bytes(65536), sent), max_wire_size=MIB)

    assert sent[0] < 8 * MIB  # what the kernel's buffers took


@pytest.mark.parametrize(
    ("head", "piece"),
    [
        pytest.param(OK_HEAD + b"\r\n", bytes(65536), id="body"),
        pytest.param(
            OK_HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"10000\r\n" + bytes(65536) + b"\r\n", id="chunks"
        ),
        pytest.param(
            OK_HEAD + b"Transfer-Encoding: chunked\r\n\r\n",
            b"1;x=" + b"a" * 60_000 + b"\r\na\r\n",
            id="chunk extensions",
        ),
        pytest.param(b"", b"HTTP/1.1 100 Continue\r\nX-A: " + b"a" * 60_000 + b"\r\n\r\n", id="informational answers"),
    ],
)
async def test_an_endless_body_is_stopped_at_the_cap(head, piece):
    sent = [0]

    with pytest.raises(BodyTooLarge):
        await got(endless(head, piece, sent), max_wire_size=MIB)

    assert sent[0] < 12 * MIB


async def test_a_body_of_exactly_the_cap_is_accepted():
    assert len((await got(page(bytes(MIB)), max_wire_size=MIB)).content) == MIB


async def test_caps_of_one_get_take_precedence_over_the_configuration():
    async with serve({"*": page(bytes(5000))}) as server, web(max_wire_size=1000, max_decoded_size=1000) as client:
        fetched = await client.get(server.url(), max_wire_size=6000, max_decoded_size=6000)

    assert len(fetched.content) == 5000


@pytest.mark.parametrize("head", [b"Content-Length: 5000000\r\n\r\n", b"\r\n"], ids=["declared", "not declared"])
async def test_a_truncated_body_is_returned_as_received(head):
    async with serve({"*": says(OK_HEAD + head, b"ab" * 2_500_000)}) as server, web() as client:
        fetched = await client.get(server.url(), max_wire_size=500_000, cut=True)

    assert (len(fetched.content), fetched.content[:4], fetched.status) == (500_000, b"abab", 200)


async def test_a_truncated_body_is_decoded_as_far_as_possible():
    text = b"".join(b"Disallow: /%d\n" % number for number in range(100_000))
    coded = gzip.compress(text)
    async with serve({"*": page(coded, **{"Content-Encoding": "gzip"})}) as server, web() as client:
        fetched = await client.get(server.url(), max_wire_size=len(coded) // 2, cut=True)

    assert 10_000 < len(fetched.content) < len(text)
    assert text.startswith(fetched.content)


BOMBS = {
    "gzip": gzip.compress,
    "deflate": zlib.compress,
    "br": lambda plain: brotli.compress(plain, quality=4),
    "zstd": zstandard.compress,
    "gzip, gzip": lambda plain: gzip.compress(gzip.compress(plain)),
}


@pytest.mark.parametrize("coding", BOMBS)
async def test_a_bomb_is_refused_in_little_memory(coding):
    bomb = page(BOMBS[coding](bytes(100 * MIB)), **{"Content-Encoding": coding})
    tracemalloc.start()

    with pytest.raises(DecompressionBomb):
        await got(bomb, max_decoded_size=2 * MIB)

    _, peak_size = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak_size < 12 * MIB


@pytest.mark.parametrize(
    "act",
    [
        pytest.param(is_silent, id="no answer"),
        pytest.param(endless(b"HTTP/1.1 200 OK\r\n", b"X-A: a\r\n", every_s=0.05), id="slow head"),
        pytest.param(endless(OK_HEAD + b"\r\n", b"a", every_s=0.05), id="slow body"),
        pytest.param(endless(OK_HEAD + b"Content-Length: 99999\r\n\r\n", b"a", every_s=0.05), id="slow counted body"),
    ],
)
async def test_a_slow_server_has_until_the_deadline(act):
    with pytest.raises(TimedOut):
        await got(act, timeout_s=600.0, deadline_s=0.5)


async def test_silence_ends_at_the_time_out():
    with pytest.raises(TimedOut):
        await got(is_silent, timeout_s=0.3, deadline_s=600.0)


async def test_a_resolver_that_hangs_has_until_the_time_out():
    async def hangs(host, port):
        await asyncio.sleep(60)

    async with web(resolve=hangs, timeout_s=0.2) as client:
        with pytest.raises(DnsFailed):
            await client.get("http://slow.example/")


async def test_the_deadline_holds_for_all_redirects_together():
    async def slowly(asked, writer):
        await asyncio.sleep(0.2)
        writer.write(redirect(asked.path + "a"))

    async with serve({"*": slowly}) as server, web(deadline_s=0.5, max_redirects=20) as client:
        with pytest.raises(TimedOut):
            await client.get(server.url("/a"))


async def test_waiting_for_a_permit_of_a_redirect_does_not_count_against_the_deadline():
    async def wait(url):
        await asyncio.sleep(0.6)

    async with serve({"/a": redirect("/b"), "/b": page(b"b")}) as server, web(deadline_s=0.5) as client:
        fetched = await client.get(server.url("/a"), on_redirect=wait)

    assert fetched.content == b"b"


# Redirects


async def test_each_hop_is_kept():
    routes = {"/a": redirect("/b", 301), "/b": redirect("c?d=1", 307), "/c?d=1": page(b"c")}
    told = []

    async def tell(url):
        told.append(url)

    async with serve(routes) as server, web() as client:
        fetched = await client.get(server.url("/a"), on_redirect=tell)

    assert [(hop.url, hop.status) for hop in fetched.hops] == [
        (server.url("/a"), 301),
        (server.url("/b"), 307),
        (server.url("/c?d=1"), 200),
    ]
    assert told == [server.url("/b"), server.url("/c?d=1")]


async def test_an_error_raised_by_on_redirect_ends_the_get():
    async def forbid(url):
        raise RobotsDisallowed(url)

    async with serve({"/a": redirect("/b"), "/b": page(b"b")}) as server, web() as client:
        with pytest.raises(RobotsDisallowed):
            await client.get(server.url("/a"), on_redirect=forbid)

    assert server.paths() == ["/a"]


async def test_a_loop_ends_at_the_limit():
    async with serve({"/a": redirect("/b"), "/b": redirect("/a")}) as server, web(max_redirects=3) as client:
        with pytest.raises(TooManyRedirects):
            await client.get(server.url("/a"))

    assert len(server.asked) == 4


async def test_redirects_up_to_the_limit_are_followed():
    routes = {"/1": redirect("/2"), "/2": redirect("/3"), "/3": page(b"x")}
    async with serve(routes) as server, web(max_redirects=2) as client:
        assert (await client.get(server.url("/1"))).content == b"x"


async def test_a_redirect_without_location_is_a_response():
    assert (await got(answer(302))).status == 302


FORBIDDEN = {
    "link-local": ("http://169.254.169.254/latest/meta-data/", ForbiddenAddress),
    "private": ("http://10.1.2.3/", ForbiddenAddress),
    "mapped": ("http://[::ffff:169.254.169.254]/", ForbiddenAddress),
    "mapped private": ("http://[::ffff:a00:1]/", ForbiddenAddress),
    "NAT64": ("http://[64:ff9b::a9fe:a9fe]/", ForbiddenAddress),
    "decimal": ("http://2852039166/", ForbiddenAddress),
    "hex": ("http://0xa9fea9fe/", ForbiddenAddress),
    "octal": ("http://0251.0376.0251.0376/", ForbiddenAddress),
    "short": ("http://169.254.43518/", ForbiddenAddress),
    "unspecified": ("http://0/", ForbiddenAddress),
    "IPv6 loopback": ("http://[::1]/", ForbiddenAddress),
    "multicast": ("http://224.0.0.1/", ForbiddenAddress),
    "without a scheme": ("//10.1.2.3/", ForbiddenAddress),
    "file": ("file:///etc/passwd", ForbiddenScheme),
    "gopher": ("gopher://127.0.0.1:70/", ForbiddenScheme),
    "data": ("data:text/html,x", ForbiddenScheme),
    "javascript": ("javascript:alert(1)", ForbiddenScheme),
    "password": ("http://user:secret@127.0.0.1/", BadUrl),
    "no URL": ("http://[/", BadResponse),
    "no port": ("http://127.0.0.1:99999/", BadResponse),
}


@pytest.mark.parametrize(("location", "error"), FORBIDDEN.values(), ids=FORBIDDEN)
async def test_a_redirect_out_of_the_public_web_is_refused(location, error):
    with pytest.raises(ItemError) as caught:
        await got(redirect(location))

    assert type(caught.value) is error


@pytest.mark.parametrize(
    ("location", "sent"),
    [
        ("/b\r\nX-Injected: 1", "/b"),  # a separate field in the response, as a proxy might have passed it
        ("/b%0d%0aX-Injected:%201", "/b%0d%0aX-Injected:%201"),
        ("/b\tc", "/bc"),
        ("/\xe9", "/%C3%A9"),
    ],
)
async def test_nothing_is_injected_by_a_redirect(location, sent):
    body = redirect(location).replace("é".encode(), b"\xe9")
    async with serve({"/a": body, "*": page(b"")}) as server, web() as client:
        await client.get(server.url("/a"))

    assert "x-injected" not in server.asked[-1].headers
    assert server.asked[-1].path.lower() in {sent.lower(), "/%e9"}


async def test_a_password_in_a_url_is_not_sent():
    async with serve({"*": page(b"")}) as server, web() as client:
        with pytest.raises(BadUrl):
            await client.get(f"http://user:secret@127.0.0.1:{server.port}/")

    assert not server.asked


# Addresses


async def test_loopback_is_forbidden_unless_the_operator_lets_it_through():
    async with serve({"*": page(b"")}) as server, web(AddressGuard()) as client:
        with pytest.raises(ForbiddenAddress):
            await client.get(server.url())

    assert not server.asked


async def test_a_name_that_leads_inside_is_forbidden():
    async with serve({"*": page(b"")}) as server, web(AddressGuard(), names(inside=["127.0.0.1"])) as client:
        with pytest.raises(ForbiddenAddress):
            await client.get(server.url(host="inside.example"))

    assert not server.asked


async def test_a_changing_dns_answer_is_judged_each_time():
    answers = [["127.0.0.2"], ["127.0.0.9"]]

    async def changes(host, port):
        return answers.pop(0)

    closing = answer(200, b"x", close=True)
    guard = AddressGuard(("127.0.0.2/32",))
    async with (
        serve({"*": closing}, "127.0.0.2") as server,
        serve({"*": closing}, "127.0.0.9", server.port) as inside,
        web(guard, changes) as client,
    ):
        fetched = await client.get(server.url(host="rebinds.example"))
        with pytest.raises(ForbiddenAddress):
            await client.get(server.url(host="rebinds.example"))

    assert fetched.address == "127.0.0.2"
    assert not inside.asked


async def test_one_get_looks_up_a_name_once():
    resolve = names(a=["127.0.0.1"])
    async with serve({"*": page(b"x")}) as server, web(resolve=resolve) as client:
        await client.get(server.url(host="a.example"))

    assert resolve.asked == ["a.example"]
    assert server.asked[0].headers["host"] == f"a.example:{server.port}"


async def test_the_next_address_is_tried_if_one_does_not_answer():
    resolve = names(a=["127.0.0.7", "127.0.0.1"])
    async with serve({"*": page(b"x")}) as server, web(resolve=resolve) as client:
        fetched = await client.get(server.url(host="a.example"))

    assert fetched.address == "127.0.0.1"


async def test_forbidden_addresses_of_a_name_are_left_out():
    guard = AddressGuard(("127.0.0.3/32",))
    async with (
        serve({"*": page(b"x")}, "127.0.0.3") as server,
        serve({}, "127.0.0.1", server.port) as inside,
        web(guard, names(a=["127.0.0.1", "10.0.0.1", "127.0.0.3"])) as client,
    ):
        fetched = await client.get(server.url(host="a.example"))

    assert fetched.address == "127.0.0.3"
    assert not inside.asked


@pytest.mark.parametrize(
    ("url", "error"),
    [
        ("http://unknown.example/", DnsFailed),
        ("ftp://a.example/", ForbiddenScheme),
        ("http://", BadUrl),
        ("no url", BadUrl),
        ("http://a.example/" + "x" * 9000, BadUrl),
        ("http://a..example/", BadUrl),
        ("http://" + "a" * 70 + ".example/", BadUrl),
    ],
)
async def test_a_wrong_url_has_its_error(url, error):
    async with web(resolve=names()) as client:
        with pytest.raises(error):
            await client.get(url)


@pytest.mark.parametrize("host", ["a..example", "a" * 64 + ".example"])
async def test_a_name_that_the_resolver_rejects_does_not_crash(host):
    async with web() as client:
        with pytest.raises((BadUrl, DnsFailed)):
            await client.get(f"http://{host}/")


# Cookies


async def test_a_cookie_is_returned_only_within_its_get():
    async def gate(asked, writer):
        has_cookie = asked.headers.get("cookie") == "seen=1; b=2"
        fields = [("Location", "/a"), ("Set-Cookie", "seen=1; Path=/; HttpOnly"), ("Set-Cookie", "b=2")]
        writer.write(page(b"in") if has_cookie else answer(302, b"", fields))

    async with serve({"*": gate}) as server, web() as client:
        first = await client.get(server.url("/a"))
        second = await client.get(server.url("/a"))

    assert (first.content, second.content) == (b"in", b"in")
    assert [asked.headers.get("cookie") for asked in server.asked] == [None, "seen=1; b=2"] * 2


async def test_a_cookie_goes_to_no_other_host():
    async with serve({"*": page(b"x")}, "127.0.0.2") as other:
        sets = answer(302, b"", [("Location", other.url()), ("Set-Cookie", "a=1; Domain=127.0.0.2")])
        async with serve({"*": sets}) as server, web() as client:
            await client.get(server.url())

    assert "cookie" not in other.asked[0].headers


@pytest.mark.parametrize("cookie", ["a=\x01", "a=" + "b" * 5000, "none", "=x\xff\x80"])
async def test_a_cookie_that_cannot_be_sent_is_left_out(cookie):
    sets = f"HTTP/1.1 302 Found\r\nLocation: /b\r\nSet-Cookie: {cookie}\r\nContent-Length: 0\r\n\r\n".encode("latin-1")
    async with serve({"/a": sets, "/b": page(b"")}) as server, web() as client:
        try:
            await client.get(server.url("/a"))
        except BadResponse:
            return  # a control character, which responses may not contain

    assert "cookie" not in server.asked[-1].headers


# TLS


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """Make a self-signed certificate for localhost."""
    folder = tmp_path_factory.mktemp("tls")
    subprocess.run(
        [
            "openssl",
            "req",
            "-x509",
            "-newkey",
            "rsa:2048",
            "-nodes",
            "-days",
            "2",
            "-subj",
            "/CN=localhost",
            "-addext",
            "subjectAltName=DNS:localhost",
            "-keyout",
            folder / "key.pem",
            "-out",
            folder / "cert.pem",
        ],
        check=True,
        capture_output=True,
        timeout=60,
    )
    return folder


@pytest.fixture
def fresh_ssl_context():
    """Recreate the process's TLS context in this test's environment, and discard it afterwards."""
    ssl_context.cache_clear()
    yield
    ssl_context.cache_clear()


def serve_tls(certificate):
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate / "cert.pem", certificate / "key.pem")

    async def talk(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(page(b"secret", Connection="close"))
        await writer.drain()
        writer.close()

    return listening(talk, tls=context)


@pytest.mark.parametrize(
    ("host", "is_trusted", "error"),
    [
        ("localhost", True, None),
        ("localhost", False, TlsFailed),
        ("other.example", True, TlsFailed),
        ("127.0.0.1", True, TlsFailed),
    ],
)
async def test_a_certificate_is_verified(certificate, monkeypatch, fresh_ssl_context, host, is_trusted, error):
    if is_trusted:
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate / "cert.pem"))

    async def here(name, port):
        return ["127.0.0.1"]

    async with serve_tls(certificate) as port, web(resolve=here) as client:
        url = f"https://{host}:{port}/"
        if error is None:
            assert (await client.get(url)).content == b"secret"
        else:
            with pytest.raises(error):
                await client.get(url)


async def test_no_tls_behind_https_is_a_tls_failure():
    async def speaks_plainly(reader, writer):
        await reader.read(1)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        await writer.drain()
        writer.close()

    async with listening(speaks_plainly) as port, web() as client:
        with pytest.raises(TlsFailed):
            await client.get(f"https://127.0.0.1:{port}/")


async def test_a_handshake_that_hangs_ends_at_the_time_out():
    async def hangs(reader, writer):
        await asyncio.sleep(1)
        writer.close()

    async with listening(hangs) as port, web(timeout_s=0.3) as client:
        with pytest.raises(TimedOut):
            await client.get(f"https://127.0.0.1:{port}/")


# Pages that lead on


def leading(to, how="meta"):
    if how == "field":
        return answer(200, b"<html>Moved</html>", [("Content-Type", "text/html"), ("Refresh", f"0; url={to}")])
    if how == "script":
        return page(f"<html><script>location.replace('{to}')</script></html>".encode())
    return page(f'<html><meta http-equiv="refresh" content="0;url={to}">Moved</html>'.encode())


@pytest.mark.parametrize("how", ["meta", "field", "script"])
async def test_a_page_that_leads_on_is_a_redirect_and_each_hop_is_kept(how):
    asked_first = []

    async def tell(url):
        asked_first.append(url)

    async with serve({"/a": leading("/b", how), "/b": page(b"<html>b</html>")}) as server, web() as client:
        fetched = await client.get(server.url("/a"), on_redirect=tell)

    assert (fetched.url, fetched.content) == (server.url("/b"), b"<html>b</html>")
    assert [hop.url for hop in fetched.hops] == [server.url("/a"), server.url("/b")]
    assert asked_first == [server.url("/b")]


async def test_pages_that_lead_to_each_other_are_followed_as_often_as_redirects():
    async with serve({"/a": leading("/b"), "/b": leading("/a")}) as server, web(max_redirects=3) as client:
        with pytest.raises(TooManyRedirects):
            await client.get(server.url("/a"))

    assert len(server.asked) == 4


@pytest.mark.parametrize(
    ("to", "error"), [("ftp://news.example/a", ForbiddenScheme), ("http://10.0.0.1/a", ForbiddenAddress)]
)
async def test_a_page_that_leads_to_a_forbidden_address_is_refused(to, error):
    with pytest.raises(error):
        await got(leading(to))


@pytest.mark.parametrize("how", ["meta", "field", "script"])
@pytest.mark.parametrize("to", ["http://[::1", "http://127.0.0.1:65536/", "http://xn--/"])
async def test_a_page_that_leads_to_an_invalid_url_is_a_page(how, to):
    fetched = await got(leading(to, how))

    assert (len(fetched.hops), fetched.status) == (1, 200)


async def test_a_page_that_reloads_itself_is_a_page_unless_it_sets_a_cookie():
    async def with_cookie(asked, writer):
        head = [("Content-Type", "text/html"), ("Set-Cookie", "seen=1")]
        is_back = asked.headers.get("cookie") == "seen=1"
        writer.write(
            page(b"<html>in</html>") if is_back else answer(200, leading("/c").partition(b"\r\n\r\n")[2], head)
        )

    async with serve({"/a": leading("/a"), "/c": with_cookie}) as server, web() as client:
        alone, with_one = await client.get(server.url("/a")), await client.get(server.url("/c"))

    assert (len(alone.hops), with_one.content) == (1, b"<html>in</html>")


@pytest.mark.parametrize("coding", ["gzip", "br", "deflate", "zstd"])
async def test_a_declared_coding_that_the_body_lacks_is_ignored(coding):
    fetched = await got(answer(200, b"<!doctype html><p>plain", [("Content-Encoding", coding)]))

    assert fetched.content == b"<!doctype html><p>plain"


@pytest.mark.parametrize("fields", [[], [("Content-Encoding", "gzip")], [("Content-Encoding", "identity")]])
async def test_gzip_is_decoded_however_often_it_was_applied_and_declared(fields):
    body = gzip.compress(b"<!doctype html>twice")
    fetched = await got(
        answer(200, gzip.compress(body) if fields[:1] == [("Content-Encoding", "gzip")] else body, fields)
    )

    assert fetched.content == b"<!doctype html>twice"


# Heads that browsers read


@pytest.mark.parametrize(
    "fields",
    [
        "X Powered By: a cms\r\nContent-Length: 5",
        "PHP Notice in line 12\r\nContent-Length: 5",
        "Content-Length : 5",
        "Content-Length: 5\r\nTransfer-Encoding: identity",
        "Content-Length: 5\r\ncache/story: hit\r\n of five",
    ],
)
async def test_an_invalid_header_line_does_not_lose_the_page_and_the_head_is_kept_as_received(fields):
    sent = f"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n{fields}\r\n\r\n".encode()
    async with serve({"*": sent + b"<p>in"}) as server, web() as client:
        fetched = [await client.get(server.url("/a")) for _ in range(2)]

    assert [one.content for one in fetched] == [b"<p>in"] * 2
    assert fetched[0].response_head == sent
    assert fetched[0].mended


@pytest.mark.parametrize(
    "fields", ["Content-Length: 5\r\nContent-Length: 6", "Content-Length : 5\r\nContent-Length: 6"]
)
async def test_of_two_content_lengths_none_is_trusted(fields):
    with pytest.raises(BadResponse):
        await got(f"HTTP/1.1 200 OK\r\n{fields}\r\n\r\n".encode() + b"<p>in")


# One address under many names


async def test_one_address_is_limited_across_all_of_its_names():
    async def anywhere(host, port):
        return ["127.0.0.1"]

    limits = AddressLimits(most=2, a_second=50.0, shared_networks=())
    async with serve({"*": page(b"x")}) as server:
        config = {"addresses": limits, "deadline_s": 2.0}
        async with web(resolve=anywhere, **config) as client:
            urls = [server.url("/", host=f"site{number}.example") for number in range(12)]
            fetched = await asyncio.gather(*map(client.get, urls))

    instants = sorted(asked.at for asked in server.asked)
    assert [one.content for one in fetched] == [b"x"] * 12
    assert instants[-1] - instants[0] >= 0.8 * 11 / 50  # spaced, without missing a deadline


async def test_requests_that_fail_leave_room_at_their_address():
    limits = AddressLimits(most=1, a_second=1000.0, shared_networks=())
    async with web(addresses=limits, deadline_s=1.0) as client:
        for _ in range(3):
            with pytest.raises(ConnectFailed):
                await client.get("http://127.0.0.1:1/")

    assert shared_gate(limits).try_enter("127.0.0.1") >= 0


async def test_a_request_leaves_no_garbage_cycles():
    gc.collect()
    others = _responses()  # that an earlier test's traceback or thread still references
    gc.disable()
    try:
        async with serve({"/story": page(b"<p>Story</p>")}) as server, web() as client:
            for _ in range(3):
                await client.get(server.url("/story"))
            left = [one for one in _responses() if all(one is not other for other in others)]
    finally:
        gc.enable()

    assert left == []


def _responses() -> list[httpx.Response]:
    return alive(lambda one: isinstance(one, httpx.Response))
