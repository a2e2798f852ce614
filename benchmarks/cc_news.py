"""Write archives that mimic CC-NEWS, to measure backfills: copies of stock pages, each with unique sentences.

Stock pages are the newsroom's, if it is beside the checkout, else the demo's. A copy's unique sentences are random words of
its story, inserted as a paragraph before the last one, so that no two copies have the same text.
"""

import gzip
import hashlib
import html
import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path

from benchmarks.true_pages import SETS, read_raw_pages
from examples.newsroom.pages import story_page
from examples.newsroom.server import Newsroom

BEGUN = datetime(2024, 1, 1, tzinfo=UTC)
SENTENCES, WORDS = 6, 11
MARK = 30
"""The number of leading characters by which a story's paragraph is found in its page."""

_PARAGRAPH = re.compile(r"<p\b[^>]*>(.{1,20000}?)</p>", re.DOTALL | re.IGNORECASE)
_SCRIPT = re.compile(r"<script\b.*?</script>", re.DOTALL | re.IGNORECASE)
_TAG, _SPACE = re.compile(r"<[^>]*>"), re.compile(r"[\s\u00ad]+")


@dataclass(frozen=True)
class Stock:
    """A stock page: its URL, its bytes and the text of its story."""

    url: str
    body: bytes
    text: str

    @cached_property
    def html(self) -> str:
        """The page as text; bytes that are not UTF-8 become surrogates."""
        # a canonical URL would make all copies aliases of one article
        return re.sub(r"canonical|og:url", "other", self.body.decode("utf-8", "surrogateescape"))

    @cached_property
    def place(self) -> int | None:
        """The position before the story's last paragraph; None if the story is not found."""
        return max((found.start() for found in self._story), default=None) or max(self._lines(), default=None)

    @cached_property
    def words(self) -> tuple[str, ...]:
        """The story's words: only ASCII ones in a legacy charset; pieces of five characters in a script without spaces."""
        known = (
            self.text if not re.search("[\udc80-\udcff]", self.html) else self.text.encode("ascii", "ignore").decode()
        )
        words = [word.strip(".,;:!?\"'()") for word in known.replace("\u00ad", "").split()]
        short = tuple(word for word in words if 2 < len(word) < 20)
        plain = _bare(known)
        return short if len(short) > 40 else tuple(plain[at : at + 5] for at in range(0, len(plain) - 5, 5))

    def own(self, number: int) -> str:
        """Return the unique sentences of a copy."""
        chance = random.Random(f"{self.url} {number}")
        made = (" ".join(chance.choices(self.words, k=WORDS)).capitalize() for _ in range(SENTENCES))
        return " ".join(f"{one} {chance.randrange(10_000)}." for one in made)

    def copy(self, number: int) -> tuple[str, bytes]:
        """Return a copy's URL and bytes, with its unique sentences."""
        scheme, _, rest = self.url.partition("://")
        host, _, path = rest.partition("/")
        own, place = html.escape(self.own(number)), self.place or 0
        made = f"{self.html[:place]}<p>{own}</p>{self.html[place:]}"
        return f"{scheme}://{host}/copy-{number}/{path}", made.encode("utf-8", "surrogateescape")

    def rewritten(self, number: int) -> bytes:
        """Return the page with each paragraph replaced by random words of its story, so that no two results are alike."""
        chance, parts, end = random.Random(f"{self.url} {number}"), [], 0
        for found in self._story:
            parts += [
                self.html[end : found.start()],
                f"<p>{html.escape(_other_words(chance, self.words, found[1]))}</p>",
            ]
            end = found.end()
        return "".join((*parts, self.html[end:])).encode("utf-8", "surrogateescape")

    @cached_property
    def _story(self) -> tuple[re.Match[str], ...]:
        """The paragraph elements whose text is a line of the story."""
        lines = {_bare(line) for line in self.text.split("\n")}
        said = ((found, _bare(html.unescape(_TAG.sub("", found[1])))) for found in _PARAGRAPH.finditer(self._shown))
        return tuple(found for found, line in said if len(line) >= MARK and line in lines)

    @cached_property
    def _shown(self) -> str:
        """The page with its scripts blanked out: story text inside them is not visible."""
        return _SCRIPT.sub(lambda found: "\0" * len(found[0]), self.html)

    def _lines(self) -> Iterator[int]:
        """Yield the positions of the story's lines, for a story that is not in paragraph elements."""
        for line in self.text.split("\n"):
            if len(line) >= MARK and (at := self._shown.find(html.escape(line[:MARK], quote=False))) >= 0:
                yield at


def _other_words(chance: random.Random, words: Sequence[str], said: str) -> str:
    return " ".join(chance.choices(words, k=max(len(said) // 6, 1))).capitalize() + "."


def _bare(text: str) -> str:
    return _SPACE.sub("", text)


def has_own(text: str, own: str) -> bool:
    """Whether a text contains the first of a copy's unique sentences."""
    return _bare(own.partition(". ")[0]) in _bare(text)


def stock() -> list[Stock]:
    """Return the stock pages in which the story is found."""
    return [one for one in _every_page() if one.place is not None]


def _every_page() -> list[Stock]:
    if "pages" in SETS:
        return [Stock(url, body, text) for url, body, text in read_raw_pages(SETS["pages"])]
    return demo_stock()


def demo_stock() -> list[Stock]:
    """Return the demo's pages, which are smaller than the newsroom's."""
    with Newsroom() as demo:
        return [
            Stock(
                f"https://{outlet.id}.example/{number}",
                story_page(story, outlet, base_url=demo.base_url(outlet.id), edition=0).encode(),
                "\n".join(story.paragraphs),
            )
            for outlet in demo.outlets
            for number, story in enumerate(outlet.stories)
        ]


def record(url: str, at: datetime, block: bytes) -> bytes:
    """Return a response record as one gzip member, as crawlers write it."""
    name = hashlib.sha256(f"{url}{at}".encode()).hexdigest()
    fields = {
        "WARC-Type": "response",
        "WARC-Target-URI": url,
        "WARC-Date": at.isoformat(timespec="seconds").replace("+00:00", "Z"),
        "WARC-Record-ID": f"<urn:uuid:{name[:8]}-{name[8:12]}-4{name[13:16]}-8{name[17:20]}-{name[20:32]}>",
        "WARC-Block-Digest": f"sha256:{hashlib.sha256(block).hexdigest()}",
        "Content-Type": "application/http; msgtype=response",
        "Content-Length": str(len(block)),
    }
    head = "".join(f"{key}: {value}\r\n" for key, value in fields.items())
    return gzip.compress(f"WARC/1.0\r\n{head}\r\n".encode() + block + b"\r\n\r\n", 4, mtime=0)


def response(body: bytes, mime: str = "text/html", status: str = "200 OK") -> bytes:
    return f"HTTP/1.1 {status}\r\nContent-Type: {mime}\r\n\r\n".encode() + body


NO_PAGES = ("not_html", "not_html", "http_404")
"""The reasons for which the records of `other` are skipped, in its order."""


def other(number: int) -> bytes:
    """Return a record that is not a page: a picture, JSON, or an error response."""
    picture = b"\xff\xd8\xff\xe0" + random.Random(number).randbytes(20_000)
    kinds = (
        response(picture, "image/jpeg"),
        response(b'{"a": 1}', "application/json"),
        response(b"<html>", status="404 Not Found"),
    )
    return kinds[number % 3]


@dataclass(frozen=True, kw_only=True)
class Written:
    """The contents of archives: readable pages (URL to unique sentences), and records skipped, by reason."""

    owns: dict[str, str]
    skipped: dict[str, int]
    damaged: int


def write_archives(
    folder: Path, records: int, pages: Sequence[Stock], *, files: int = 10, damaged: int | None = 3
) -> Written:
    """Write archives in which every third record is not a page; damage the first record of one file."""
    owns: dict[str, str] = {}
    skipped = dict.fromkeys(NO_PAGES, 0)
    taken = 0
    for file in range(files):
        members = []
        for number in range(file * records // files, (file + 1) * records // files):
            at = BEGUN + timedelta(minutes=number)
            if is_other := number % 3 == 2:
                skipped[NO_PAGES[number // 3 % 3]] += 1
                members.append(record(f"https://other.example/{number}", at, other(number // 3)))
            else:
                page = pages[taken % len(pages)]
                url, body = page.copy(number)
                members.append(record(url, at, response(body)))
                owns[url] = page.own(number)
                taken += 1
            if file == damaged and len(members) == 1:
                members[0] = _damaged(members[0])
                if is_other:
                    skipped[NO_PAGES[number // 3 % 3]] -= 1
                else:
                    del owns[url]
        (folder / f"CC-NEWS-{file:05}.warc.gz").write_bytes(b"".join(members))
    return Written(owns=owns, skipped=skipped, damaged=int(damaged is not None))


def _damaged(member: bytes) -> bytes:
    middle = bytearray(member)
    middle[len(middle) // 2 : len(middle) // 2 + 16] = b"\xff" * 16
    return bytes(middle)
