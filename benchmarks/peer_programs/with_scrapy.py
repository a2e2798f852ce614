"""Scrapy with the settings of `scrapy startproject`, which obey robots.txt, and trafilatura in its callback."""

from collections.abc import Iterator
from typing import Any, ClassVar

from answers import (
    DELAY_S,
    IN_FLIGHT,
    PAGES_OF_A_FEED,
    PER_HOST,
    feeds_to_read,
    read_by_trafilatura,
    write_answers,
)
from scrapy import Request, Spider
from scrapy.crawler import CrawlerProcess
from scrapy.http import Response

ROWS: list[dict[str, Any]] = []


class Press(Spider):
    name = "press"
    start_urls = feeds_to_read()
    custom_settings: ClassVar[dict[str, object]] = {
        "ROBOTSTXT_OBEY": True,
        "CONCURRENT_REQUESTS": IN_FLIGHT,
        "CONCURRENT_REQUESTS_PER_DOMAIN": PER_HOST,
        "DOWNLOAD_DELAY": DELAY_S,
        "LOG_LEVEL": "ERROR",
    }

    def parse(self, response: Response) -> Iterator[Request]:
        for url in response.xpath(PAGES_OF_A_FEED).getall():
            yield Request(url, callback=self.take)

    def take(self, response: Response) -> None:
        ROWS.append(read_by_trafilatura(response.url, response.body))


if __name__ == "__main__":
    process = CrawlerProcess()
    process.crawl(Press)
    process.start()
    write_answers(ROWS)
