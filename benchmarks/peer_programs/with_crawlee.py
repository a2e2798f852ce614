"""crawlee's HTTP crawler with robots.txt obeyed, and trafilatura in its handler."""

import asyncio
from typing import Any

from answers import IN_FLIGHT, feeds_to_read, pages_of_feed, read_by_trafilatura, write_answers
from crawlee import ConcurrencySettings
from crawlee.crawlers import HttpCrawler, HttpCrawlingContext
from crawlee.storage_clients import MemoryStorageClient

ROWS: list[dict[str, Any]] = []


async def main() -> None:
    feeds = feeds_to_read()
    crawler = HttpCrawler(
        storage_client=MemoryStorageClient(),
        respect_robots_txt_file=True,
        concurrency_settings=ConcurrencySettings(max_concurrency=IN_FLIGHT),
        configure_logging=False,
    )

    @crawler.router.default_handler
    async def take(context: HttpCrawlingContext) -> None:
        body = await context.http_response.read()
        if context.request.url in known:
            await context.add_requests(pages_of_feed(body))
        else:
            ROWS.append(read_by_trafilatura(context.request.url, body))

    known = set(feeds)
    await crawler.run(feeds)
    write_answers(ROWS)


if __name__ == "__main__":
    asyncio.run(main())
