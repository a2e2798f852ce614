"""Known AI crawlers (ai_crawlers.csv): who runs each, and for what purpose. Reads the file once."""

import csv
from dataclasses import dataclass
from functools import cache
from pathlib import Path

TRAINING = "training"


@dataclass(frozen=True, slots=True, kw_only=True)
class Crawler:
    """A crawler, by its robots.txt token. `purposes`: training, search, user, data or other.

    `notes`: legacy, customer, undocumented, or control (a token that occurs only in robots.txt, never as a User-Agent).
    """

    token: str
    operator: str
    purposes: tuple[str, ...]
    notes: tuple[str, ...]


@cache
def crawlers() -> tuple[Crawler, ...]:
    """Return all crawlers, in the file's order."""
    text = Path(__file__).with_name("ai_crawlers.csv").read_text(encoding="utf-8")
    return tuple(
        Crawler(
            token=row["token"],
            operator=row["operator"],
            purposes=tuple(row["purpose"].partition(";")[0].split("+")),
            notes=tuple(filter(None, row["purpose"].split(";")[1:])),
        )
        for row in csv.DictReader(text.splitlines())
    )


def find_crawler(name: str) -> Crawler | None:
    """Return the crawler of that name, in any case, or None."""
    return _by_name().get(name.lower())


@cache
def _by_name() -> dict[str, Crawler]:
    return {crawler.token.lower(): crawler for crawler in crawlers()}
