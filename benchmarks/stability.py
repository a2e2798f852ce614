"""Measure how often different teasers on a page change its extracted text, which would store revisions of unchanged stories.

    python -m benchmarks.stability [--pages DIR]

Each kind of furniture is inserted at each place of every page twice, with two sets of teasers, and the digests of the two texts
are compared, for Presslake and for stock trafilatura. Needs no labels, so it works on any pages.
"""

import argparse
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from benchmarks.extraction import FIXTURES, NEWSROOM, Extractor, TruePage, extract_ours, extract_stock, read_pages
from tasks.values.text.digest import text_digest

_TODAY = (
    "Council opens the riverside baths",
    "Spinner named for the winter tour",
    "Bank holds rates",
    "Fog at the pass",
)
_TOMORROW = (
    "Goalless derby ends in the rain",
    "Library lends out tools",
    "Ferry strike called off",
    "Lynx seen",
    "A vote",
)

_CARD = '<article><a href="/s{n}"><img src="/m{n}.jpg"></a><h3><a href="/s{n}">{title}</a></h3><p>{title}: what is known of it so far, and what is not.</p></article>'
_ITEM = '<li><a href="/s{n}">{title}</a></li>'
_LINK = '<div><a href="/s{n}"><h4>{title}</h4></a></div>'


def _amid(html: str, block: str) -> str:
    ends = [match.end() for match in re.finditer("</p>", html)]
    at = ends[len(ends) // 2] if ends else len(html)
    return html[:at] + block + html[at:]


FURNITURE: Mapping[str, tuple[str, str]] = {
    "headed cards": ("<section><h2>More For You</h2><div>{}</div></section>", _CARD),
    "cards": ("<div>{}</div>", _CARD),
    "list of links": ("<div><ul>{}</ul></div>", _ITEM),
    "linked headings": ("<div>{}</div>", _LINK),
    "footer": ("<footer>{}</footer>", "<p>{title}</p>"),
}
"""Templates of the furniture: the block around the teasers, and each teaser."""

PLACES: Mapping[str, Callable[[str, str], str]] = {
    "end of page": lambda html, block: html.replace("</body>", f"{block}</body>", 1),
    "after article": lambda html, block: html.replace("</article>", f"</article>{block}", 1),
    "end of article": lambda html, block: html.replace("</article>", f"{block}</article>", 1),
    "between paragraphs": _amid,
}


def count_changes(
    pages: Sequence[TruePage], extract: Extractor, furniture: tuple[str, str], place: Callable[[str, str], str]
) -> tuple[int, int]:
    """Return the number of pages whose text differs between two sets of teasers, and of pages that have the place."""
    pairs = [tuple(place(page.html, _block(furniture, titles)) for titles in (_TODAY, _TOMORROW)) for page in pages]
    digests = [
        {text_digest(extract(replace(page, html=html)).text) for html in pair}
        for page, pair in zip(pages, pairs, strict=True)
        if pair[0] != pair[1]
    ]
    return sum(len(one) > 1 for one in digests), len(digests)


def _block(furniture: tuple[str, str], titles: Sequence[str]) -> str:
    outer, inner = furniture
    return outer.format("".join(inner.format(n=n, title=title) for n, title in enumerate(titles)))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pages", type=Path, default=NEWSROOM if NEWSROOM.exists() else FIXTURES)
    pages = read_pages(parser.parse_args().pages)
    print(f"{'texts changed by':<20} {'in place':<20} {'presslake':>10} {'stock':>7} {'pages':>7}")
    total = [0, 0, 0]
    for kind, furniture in FURNITURE.items():
        for name, place in PLACES.items():
            ours, count = count_changes(pages, extract_ours, furniture, place)
            stock, _ = count_changes(pages, extract_stock, furniture, place)
            total = [a + b for a, b in zip(total, (ours, stock, count), strict=True)]
            print(f"{kind:<20} {name:<20} {ours:>10} {stock:>7} {count:>7}", flush=True)
    print(f"{'all':<41} {total[0]:>10} {total[1]:>7} {total[2]:>7}")


if __name__ == "__main__":
    main()
