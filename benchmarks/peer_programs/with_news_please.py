"""news-please as a library, without robots.txt: read the feeds first, then pass the pages to its `from_urls`."""

from collections.abc import Iterator
from typing import Any

from answers import IN_FLIGHT, announced_pages, write_answers
from newsplease import NewsPlease


def taken() -> Iterator[dict[str, Any]]:
    pages = announced_pages()
    for start in range(0, len(pages), IN_FLIGHT):  # from_urls starts a thread per URL
        found = NewsPlease.from_urls(pages[start : start + IN_FLIGHT], {"timeout": 60}, fetch_images=False)
        for url, page in found.items():
            if not page:  # an empty dictionary: it could not read the page
                yield {"url": url, "text": ""}
                continue
            date = page.date_publish
            yield {
                "url": url,
                "title": page.title,
                "text": page.maintext or "",
                "authors": page.authors,
                "date": date and f"{date:%Y-%m-%d}",
            }


if __name__ == "__main__":
    write_answers(taken())
