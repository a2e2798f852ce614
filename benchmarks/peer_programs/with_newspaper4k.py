"""newspaper4k, which reads no robots.txt: the feeds are read first, then threads download and parse the pages."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from answers import IN_FLIGHT, announced_pages, write_answers
from newspaper import Article, ArticleException


def read(url: str) -> dict[str, Any]:
    page = Article(url, fetch_images=False)
    try:
        page.download()
        page.parse()
    except (ArticleException, ImportError):  # as it is installed, it reads neither Korean nor Japanese
        return {"url": url, "text": ""}
    date = page.publish_date
    return {
        "url": url,
        "title": page.title,
        "text": page.text,
        "authors": page.authors,
        "date": date and f"{date:%Y-%m-%d}",
    }


def taken() -> Iterator[dict[str, Any]]:
    with ThreadPoolExecutor(IN_FLIGHT) as threads:
        yield from threads.map(read, announced_pages())


if __name__ == "__main__":
    write_answers(taken())
