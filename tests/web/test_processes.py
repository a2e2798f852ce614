"""Four processes, one index, one host: the host cannot distinguish them from one."""

import asyncio
import itertools
import json
import sys
from pathlib import Path

import pytest

from tasks.index.database import open_index
from tests.web.loopback import answer, page, serve, together

ROOT = Path(__file__).parents[2]
PROCESSES = 4


@pytest.fixture
def index_url(tmp_path):
    url = f"sqlite:///{tmp_path / 'index.db'}"
    open_index(url).close()
    return url


async def visit_at_once(index_url, server, *, pages, **rules):
    """Let the processes visit their own pages of the server; return how many came."""

    async def visit(number):
        urls = [server.url(f"/{number}-{place}") for place in range(pages)]
        work = json.dumps({"index_url": index_url, "urls": urls, **rules})
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.web.visitor", work, cwd=ROOT, stdout=asyncio.subprocess.PIPE
        )
        said, _ = await process.communicate()
        return int(said)

    async with asyncio.timeout(90):
        return sum(await asyncio.gather(*(visit(number) for number in range(PROCESSES))))


async def test_requests_are_sequential_and_a_delay_apart(index_url):
    async def takes_a_moment(asked, writer):
        await asyncio.sleep(0.05)
        writer.write(page(b""))

    async with serve({"/robots.txt": answer(404), "*": takes_a_moment}) as server:
        came = await visit_at_once(index_url, server, pages=5, crawl_delay_s=0.3, max_per_host=1)

    instants = [asked.at for asked in server.asked]
    assert came == PROCESSES * 5
    assert server.paths().count("/robots.txt") == 1
    assert server.most_in_flight == 1
    assert min(later - earlier for earlier, later in itertools.pairwise(instants)) >= 0.95 * 0.3


async def test_no_more_than_four_at_once_are_made_if_four_are_allowed(index_url):
    pages = together(4, page(b""), stay_s=0.2)
    async with serve({"/robots.txt": answer(404), "*": pages}) as server:
        came = await visit_at_once(index_url, server, pages=12, crawl_delay_s=0.0, max_per_host=4)

    assert came == PROCESSES * 12
    assert server.most_in_flight == 4
