"""Rendered pages: their content, the requests that they may make, and their time limits. Servers on loopback."""

import asyncio
import io
import json
import shutil
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from ipaddress import ip_network

import pytest
from warcio.archiveiterator import ArchiveIterator

from tasks.config.catalogue import Catalogue, SourceRules
from tasks.errors import ConfigError, ItemError
from tasks.extract.extraction import extract_batch
from tasks.extract.page import extract_page
from tasks.extract.stored_page import ExtractConfig
from tasks.fetch.fetching import fetch_batch
from tasks.index.database import open_index
from tasks.index.hosts import HostLimits
from tasks.lake.records import payload_digest
from tasks.politeness.client import PoliteClient
from tasks.values.batch import Batch
from tasks.values.rows import Outcome
from tasks.web import browser
from tasks.web.browser import RenderFailed, RenderLimits, check_browser, opened_browser
from tasks.web.client import WebClient, WebConfig
from tasks.web.guard import AddressGuard
from tests.browser import CHROMIUM
from tests.kept import keep_in
from tests.looks import look_at, pages_of
from tests.web.loopback import AGENT, answer, is_silent, page, serve

needs_chromium = pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed here")
pytestmark = pytest.mark.browser

PLAIN = SourceRules(user_agent=AGENT, crawl_delay_s=0.0, max_per_host=1, allow_networks=(ip_network("127.0.0.1/32"),))
RENDERED = replace(PLAIN, render="browser")
SEGMENT = "warc/b1.warc.gz"
STORY = [
    f"In the harbour the ferry number {number} was late again on Tuesday, and the people who had waited since dawn "
    f"told the harbour master that they would write to the council about boat {number}."
    for number in range(8)
]
SHELL = b"""<!doctype html><html lang=en><head><title>The ferry is late</title></head><body><main id=app></main>
<script src=/app.js></script></body></html>"""
APP = b"""fetch('/story.json').then(one => one.json()).then(story => {
  const article = document.createElement('article');
  article.innerHTML = '<h1>' + story.title + '</h1>' + story.text.map(one => '<p>' + one + '</p>').join('');
  document.getElementById('app').append(article);
});"""


def typed(kind, body):
    return answer(200, body, [("Content-Type", kind)])


NEWSPAPER = {
    "/robots.txt": answer(404),
    "/ferry": page(SHELL),
    "/app.js": typed("text/javascript", APP),
    "/story.json": typed("application/json", json.dumps({"title": "The ferry is late", "text": STORY}).encode()),
}


@pytest.fixture
def book(tmp_path):
    with open_index(f"sqlite:///{tmp_path / 'index.db'}") as index:
        yield HostLimits(index)


async def fetched(book, *urls, rules, objects):
    looks = tuple(map(look_at, urls))
    async with PoliteClient(WebConfig(user_agent="", timeout_s=5.0, deadline_s=10.0), book) as client:
        return await fetch_batch(
            Batch(batch_id="b1", run_id="r1", looks=looks),
            client=client,
            rules={"daily": rules},
            segment_key=SEGMENT,
            software="presslake/0",
            max_segment_size=10**8,
            put=keep_in(objects),
            fetched_one=lambda: None,
        )


class AtOnce:
    """Extracts in this process."""

    def extract(self, pages):
        for _, one in pages:
            try:
                yield one.capture_id, extract_page(one, ExtractConfig())
            except ItemError as error:
                yield one.capture_id, error


def extracted(batch, objects):
    return extract_batch(
        batch, pool=AtOnce(), read_segment=objects.__getitem__, now=datetime.now(UTC), extracted_one=lambda: None
    )


@asynccontextmanager
async def rendering(limits=None):
    """A browser, and a client that may ask 127.0.0.1 and no other address of this machine."""
    config = WebConfig(user_agent=AGENT, timeout_s=5.0, deadline_s=10.0)
    async with (
        WebClient(config, guard=AddressGuard(("127.0.0.1/32",))) as client,
        opened_browser(limits or RenderLimits()) as chromium,
    ):

        async def render(url, route=""):
            return (await chromium.render(await client.get(url), client, user_agent=AGENT, route=route)).decode()

        yield render


@needs_chromium
async def test_an_article_rendered_by_a_script_is_read_and_stored_with_the_response(book):
    objects = {}
    async with serve(NEWSPAPER) as server:
        batch = await fetched(book, server.url("/ferry"), rules=RENDERED, objects=objects)
    (capture,) = batch.captures

    done = extracted(batch, objects)

    assert pages_of(done)[capture.capture_id].text.split("\n") == STORY
    assert (capture.outcome, capture.detail, capture.payload_digest) == (Outcome.OK, None, payload_digest(SHELL))
    kinds = {}
    for record in ArchiveIterator(io.BytesIO(objects[SEGMENT]), check_digests="raise"):
        if record.rec_headers.get_header("WARC-Target-URI") == capture.url:  # robots.txt has a record, too
            kinds[record.rec_type] = record.rec_headers, record.content_stream().read()
    assert kinds["response"][1] == SHELL
    headers, html = kinds["conversion"]
    assert STORY[0] in html.decode()
    assert headers.get_header("WARC-Refers-To") == kinds["response"][0].get_header("WARC-Record-ID")
    assert headers.get_header("Content-Type") == "text/html; charset=utf-8"
    at = slice(capture.warc_offset, capture.warc_offset + capture.warc_length)
    assert next(iter(ArchiveIterator(io.BytesIO(objects[SEGMENT][at])))).rec_type == "response"


async def test_without_render_no_script_runs(book):
    objects = {}
    async with serve(NEWSPAPER) as server:
        batch = await fetched(book, server.url("/ferry"), rules=PLAIN, objects=objects)

        assert not {"/app.js", "/story.json"} & set(server.paths())
    assert pages_of(extracted(batch, objects)) == {}
    assert [look.rendition for look in batch.looks] == [None]


@needs_chromium
async def test_stories_in_one_html_shell_are_not_taken_for_soft_404s(book):
    app = b"const path = location.pathname + '.json';" + APP.replace(b"'/story.json'", b"path")
    stories = {
        f"/{name}.json": typed("application/json", json.dumps({"title": name, "text": [f"{name}: {one}" for one in STORY]}).encode())
        for name in ("one", "two", "three")
    }  # fmt: skip
    objects, routes = {}, {"/robots.txt": answer(404), "/app.js": typed("text/javascript", app), **stories}
    async with serve({**routes, "*": page(SHELL)}) as server:
        urls = [server.url(f"/{name}") for name in ("one", "two", "three")]
        batch = await fetched(book, *urls, rules=RENDERED, objects=objects)

    assert [one.outcome for one in batch.captures] == [Outcome.OK] * 3
    texts = [page.text for page in pages_of(extracted(batch, objects)).values()]
    assert [text.partition(":")[0] for text in texts] == ["one", "two", "three"]


@needs_chromium
async def test_a_page_that_cannot_be_rendered_is_read_as_received_and_says_so(book):
    story = "".join(f"<p>{one}</p>" for one in STORY)
    script = "<script>document.body.append('x'.repeat(6e6))</script>"
    huge = f"<html><title>The ferry is late</title><article><h1>The ferry is late</h1>{story}</article>{script}</html>"
    objects = {}
    async with serve({"/robots.txt": answer(404), "/huge": page(huge.encode())}) as server:
        batch = await fetched(book, server.url("/huge"), rules=RENDERED, objects=objects)
    (capture,) = batch.captures

    assert capture.outcome is Outcome.OK
    assert capture.detail.startswith("not rendered: 600")
    assert STORY[-1] in pages_of(extracted(batch, objects))[capture.capture_id].text


@needs_chromium
async def test_a_page_cannot_reach_addresses_forbidden_to_its_source(book):
    packets = []

    class Counting(asyncio.DatagramProtocol):
        def datagram_received(self, data, addr):
            packets.append(data)

    udp, _ = await asyncio.get_running_loop().create_datagram_endpoint(Counting, local_addr=("127.0.0.2", 0))
    async with (
        serve({"*": answer(200, b"secret", [("Access-Control-Allow-Origin", "*")])}, host="127.0.0.2") as inner,
        serve({}) as server,
    ):
        there, stun = inner.url("/"), udp.get_extra_info("sockname")[1]
        worker = f"fetch('{there}worker'); new WebSocket('ws://127.0.0.2:{inner.port}/worker-socket');"
        server.routes["/"] = page(
            f"""<!doctype html><link rel=prefetch href="{there}prefetch"><link rel=preconnect href="{there}">
            <link rel=stylesheet href="{there}style"><img src="{there}picture"><iframe src="{there}frame"></iframe>
            <script src="{there}script"></script><p id=told>nothing</p><script>
            for (const url of ['{there}fetch', 'http://169.254.169.254/latest', 'http://[::1]:{inner.port}/', 'file:///etc/passwd'])
              fetch(url).then(one => one.text()).then(text => document.getElementById('told').textContent = text);
            navigator.sendBeacon('{there}beacon', 'x');
            fetch('{there}posted', {{method: 'POST', mode: 'no-cors', body: 'x'}});
            new WebSocket('ws://127.0.0.2:{inner.port}/socket');
            new EventSource('{there}events');
            new Worker(URL.createObjectURL(new Blob([`{worker}`])));
            try {{
              const peer = new RTCPeerConnection({{iceServers: [{{urls: 'stun:127.0.0.2:{stun}'}}]}});
              peer.createDataChannel('x'); peer.createOffer().then(offer => peer.setLocalDescription(offer));
            }} catch {{}}
            window.open('{there}opened'); setTimeout(() => location.href = '{there}left', 100);
            </script>""".encode()
        )
        async with rendering() as render:
            html = await render(server.url("/"))

        assert "nothing</p>" in html
        assert inner.asked == []
        assert packets == []
    udp.close()


@needs_chromium
async def test_images_and_posts_are_not_requested():
    async with serve({"*": answer(200, b"")}) as server:
        server.routes["/"] = page(
            b"<p>here</p><img src=/picture><video src=/video></video><script>fetch('/post', {method: 'POST'});"
            b"navigator.sendBeacon('/beacon'); fetch('/data');</script>"
        )
        async with rendering() as render:
            await render(server.url("/"))

        assert set(server.paths()) == {"/", "/data"}


@needs_chromium
async def test_a_flood_of_requests_ends_at_the_bound_and_the_page_is_taken_as_is():
    flood = b"<p>here</p><script>let n = 0; setInterval(() => { for (let i = 0; i < 5; i++) fetch('/f' + n++) }, 5)</script>"
    async with serve({"*": answer(200, b"x")}) as server:
        server.routes["/"] = page(flood)
        async with rendering(RenderLimits(requests=20)) as render:
            html = await render(server.url("/"))

        assert "<p>here</p>" in html
        assert len(server.asked) <= 21


@needs_chromium
async def test_the_browser_itself_fails_the_requests_of_a_flood():
    script = (
        b"<p>here</p><script>addEventListener('offline', () => document.body.append('offline'));"
        b"for (let n = 0; n < 50; n++) fetch('/f' + n)</script><script src='/silent'></script>"
    )
    async with serve({"*": answer(200, b"x"), "/silent": is_silent}) as server:
        server.routes["/"] = page(script)
        async with rendering(RenderLimits(requests=20, settle_s=30.0, deadline_s=40.0)) as render:
            html = await render(server.url("/"))

        assert "offline" in html.partition("</script>")[2]
        assert len(server.asked) <= 21


@needs_chromium
async def test_bytes_are_bounded_over_all_requests():
    script = b"<p>here</p><script>(async () => { for (let n = 0; n < 20; n++) await fetch('/f' + n).catch(() => 0) })()</script>"
    async with serve({"*": answer(200, b"x" * 100_000)}) as server:
        server.routes["/"] = page(script)
        async with rendering(RenderLimits(size=350_000)) as render:
            await render(server.url("/"))

        assert server.paths() == ["/", "/f0", "/f1", "/f2", "/f3"]


@needs_chromium
@pytest.mark.parametrize("script", ["for (;;);", "setTimeout(() => { for (;;); }, 10)"])
async def test_an_endless_script_ends_at_the_deadline_and_the_next_page_is_read(script):
    async with serve({"/endless": page(f"<p>here</p><script>{script}</script>".encode())}) as server:
        server.routes["/next"] = page(b"<p>next</p>")
        async with rendering(RenderLimits(deadline_s=3.0, settle_s=1.0)) as render:
            with pytest.raises(RenderFailed, match="not ready after 3 s"):
                await render(server.url("/endless"))

            assert "<p>next</p>" in await render(server.url("/next"))


def test_a_catalogue_enables_the_browser_by_source():
    catalogue = Catalogue.model_validate({"sources": [{"id": "daily"}, {"id": "scripted", "render": "browser"}]})

    assert [one.effective(catalogue.defaults).render for one in catalogue.sources] == ["none", "browser"]
    with pytest.raises(ValueError, match="'none' or 'browser'"):
        Catalogue.model_validate({"sources": [{"id": "daily", "render": "chrome"}]})


def test_a_source_with_rendering_requires_a_browser(monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda name: None)

    check_browser([PLAIN])
    with pytest.raises(ConfigError, match="none of chromium, .* is on the PATH"):
        check_browser([PLAIN, RENDERED])


def test_missing_playwright_is_reported_in_one_line(monkeypatch):
    monkeypatch.setattr(browser, "find_spec", lambda name: None)

    with pytest.raises(ConfigError, match=r"^render: browser needs Playwright; install presslake\[browser\]$"):
        check_browser([RENDERED])


ROUTER = b"<!doctype html><body><script>document.body.append(`shown: ${location.hash}`)</script></body>"


@needs_chromium
@pytest.mark.parametrize("route", ["#/news/12", "#!/news/12", ""])
async def test_a_script_sees_the_announced_route(route):
    async with serve({"/app": page(ROUTER)}) as server, rendering() as render:
        html = await render(server.url("/app"), route)

    assert f"shown: {route}" in html
