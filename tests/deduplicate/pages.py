"""Pages, stories and batches for the tests of deduplication."""

import random
from collections.abc import Mapping
from datetime import datetime

from tasks.values.batch import Batch
from tasks.values.look import DueUrl, Look
from tasks.values.page import Page
from tasks.values.rows import PageType
from tasks.values.url import Url
from tests.rows import make_capture

LETTERS = str.maketrans("01234567", "pqrstuvw")  # digits would be compared as figures


def page(text, **changes):
    values = {
        "page_type": PageType.ARTICLE, "title": "Harbour", "text": text, "lede": None, "authors": (), "published_at": None,
        "modified_at": None, "language": "en", "section": None, "tags": (), "image_url": None, "canonical_url": None,
        "paywalled": None, "tdm_reserved": None, "word_count": len(text.split()), "charset": "utf-8", "extractor": "test",
    }  # fmt: skip
    return Page(**(values | changes))


def story(seed, *, words=150, changed=0, extra=""):
    """Return a text of `words` words; `seed` selects the story, and `changed` words differ in this version."""
    chance, edits = random.Random(seed), random.Random(changed)
    text = [
        f"{chance.choice('bcdfgklm')}{chance.choice('aeiou')}{chance.randrange(999):o}x".translate(LETTERS)
        for _ in range(words)
    ]
    for _ in range(changed):
        text[edits.randrange(words)] = "otherwise"
    return " ".join([*text, *extra.split()])


def batch_of(batch_id: str, pages: Mapping[str, Page], *, now: datetime) -> Batch:
    """Return a batch as after extraction, with one page for each URL key."""
    captures = {
        key: make_capture(
            capture_id=f"{batch_id}{key}", url=f"https://{key}", final_url=f"https://{key}", url_key=key, fetched_at=now,
            novelty=None, article_id=None, revision=None,
        )
        for key in pages
    }  # fmt: skip
    looks = [
        Look(
            due=DueUrl(url=Url(f"https://{key}"), url_key=key, host="a.example", source_id="a", attempt=1),
            capture=captures[key],
            page=one,
            extracted_at=now,
        )
        for key, one in pages.items()
    ]
    return Batch(batch_id=batch_id, run_id="r1", looks=tuple(looks))
