"""newspaper4k, without robots.txt: read the feeds first, then download and parse the pages in threads."""

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
    except (ArticleException, ImportError):  # Korean and Japanese need packages that it does not install
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
