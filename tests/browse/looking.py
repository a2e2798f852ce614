"""Serve the pages to a real browser, and read from its log what it resolved and connected to."""

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import uvicorn

from tasks.browse.app import browse_app
from tasks.browse.guard import Access, allowed_hosts
from tasks.browse.library import Library
from tasks.browse.serving import bound_socket
from tests.browse.filling import NOW
from tests.browse.press import PRINTS

BY_SLUG = {one.slug: one for one in PRINTS}
KINDS = {
    "newest": "/",
    "article": f"/articles/{BY_SLUG['ferry-is-back'].article_id}",
    "revisions": f"/articles/{BY_SLUG['footbridge'].article_id}/revisions",
    "stories": "/stories",
    "story": f"/stories/{BY_SLUG['night-ferry'].article_id}",
    "sources": "/sources",
    "source": "/sources/gazette",
    "failures": "/failures",
    "url": "/url?url=https://post.example/langsam",
    "search": "/search?q=rudder",
    "ask": "/url",
    "missing": "/nope",
}


@contextmanager
def served(library: Library) -> Iterator[str]:
    """Serve the pages during the block; yield their address."""
    with bound_socket("127.0.0.1", 0) as listening:
        port = listening.getsockname()[1]
        app = browse_app(library, Access(hosts=allowed_hosts(port)), clock=lambda: NOW)
        server = uvicorn.Server(uvicorn.Config(app, log_level="error", server_header=False, ws="none"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            server.should_exit = True
            thread.join()


def resolved_and_connected(net_log: Path) -> tuple[set[str], set[str]]:
    """Return the host names that a browser looked up and the addresses it connected to, from its own log."""
    log = json.loads(net_log.read_text(errors="replace"))
    kinds = {number: name for name, number in log["constants"]["logEventTypes"].items()}
    events = [(kinds.get(event["type"], ""), event.get("params", {})) for event in log["events"]]
    names = {values["host"] for kind, values in events if kind.startswith("HOST_RESOLVER") and "host" in values}
    addresses = {values["address"] for kind, values in events if kind == "TCP_CONNECT_ATTEMPT" and "address" in values}
    return {_bare(one) for one in names}, {_bare(one) for one in addresses}


def _bare(place: str) -> str:
    """Return a host or an address without scheme and port."""
    return re.sub(r":\d+$", "", place.rpartition("//")[2]).strip("[]")
