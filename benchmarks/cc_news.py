"""Archives in the form of CC-NEWS, for measuring backfills: stock pages in copies, each with sentences of its own in its story.

Stock pages are the newsroom's, if it is beside the checkout, else the demo's own. A copy's own sentences are made of
the words of its story, and stand as a paragraph before its last one, so that no two copies have the same text.
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
"""Signs at the beginning of a story's paragraph by which it is found in its page."""

_PARAGRAPH = re.compile(r"<p\b[^>]*>(.{1,20000}?)</p>", re.DOTALL | re.IGNORECASE)
_SCRIPT = re.compile(r"<script\b.*?</script>", re.DOTALL | re.IGNORECASE)
_TAG, _SPACE = re.compile(r"<[^>]*>"), re.compile(r"[\s\u00ad]+")


@dataclass(frozen=True)
class Stock:
    """A page as bytes, its URL, and the text of its story."""

    url: str
    body: bytes
    text: str

    @cached_property
    def html(self) -> str:
        """The page as text; bytes that are no UTF-8 are surrogates."""
        # what a page says of its own address would make all copies names of one article
        return re.sub(r"canonical|og:url", "other", self.body.decode("utf-8", "surrogateescape"))

    @cached_property
    def place(self) -> int | None:
        """Where a paragraph can be put in before the story's last one; None if the story is not found."""
        return max((found.start() for found in self._story), default=None) or max(self._lines(), default=None)

    @cached_property
    def words(self) -> tuple[str, ...]:
        """The words of the story; of a page in a legacy charset those in ASCII alone, of a script without spaces pieces."""
        known = (
            self.text if not re.search("[\udc80-\udcff]", self.html) else self.text.encode("ascii", "ignore").decode()
        )
        words = [word.strip(".,;:!?\"'()") for word in known.replace("\u00ad", "").split()]
        short = tuple(word for word in words if 2 < len(word) < 20)
        plain = _bare(known)
        return short if len(short) > 40 else tuple(plain[at : at + 5] for at in range(0, len(plain) - 5, 5))

    def own(self, number: int) -> str:
        """The sentences of a copy."""
        chance = random.Random(f"{self.url} {number}")
        made = (" ".join(chance.choices(self.words, k=WORDS)).capitalize() for _ in range(SENTENCES))
        return " ".join(f"{one} {chance.randrange(10_000)}." for one in made)

    def copy(self, number: int) -> tuple[str, bytes]:
        """A copy at a URL of its own, with its sentences."""
        scheme, _, rest = self.url.partition("://")
        host, _, path = rest.partition("/")
        own, place = html.escape(self.own(number)), self.place or 0
        made = f"{self.html[:place]}<p>{own}</p>{self.html[place:]}"
        return f"{scheme}://{host}/copy-{number}/{path}", made.encode("utf-8", "surrogateescape")

    def rewritten(self, number: int) -> bytes:
        """The page with its story's paragraphs in other words of the story, so that no two are alike."""
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
        """The paragraphs that are lines of the story."""
        lines = {_bare(line) for line in self.text.split("\n")}
        said = ((found, _bare(html.unescape(_TAG.sub("", found[1])))) for found in _PARAGRAPH.finditer(self._shown))
        return tuple(found for found, line in said if len(line) >= MARK and line in lines)

    @cached_property
    def _shown(self) -> str:
        """The page with signs that stand for its scripts: what these have of the story is not shown."""
        return _SCRIPT.sub(lambda found: "\0" * len(found[0]), self.html)

    def _lines(self) -> Iterator[int]:
        """Yield where the lines of a story begin that is in no paragraphs."""
        for line in self.text.split("\n"):
            if len(line) >= MARK and (at := self._shown.find(html.escape(line[:MARK], quote=False))) >= 0:
                yield at


def _other_words(chance: random.Random, words: Sequence[str], said: str) -> str:
    return " ".join(chance.choices(words, k=max(len(said) // 6, 1))).capitalize() + "."


def _bare(text: str) -> str:
    return _SPACE.sub("", text)


def has_own(text: str, own: str) -> bool:
    """Whether a text has the first of a copy's own sentences."""
    return _bare(own.partition(". ")[0]) in _bare(text)


def stock() -> list[Stock]:
    """Return the stock pages whose story is found in them."""
    return [one for one in _every_page() if one.place is not None]


def _every_page() -> list[Stock]:
    if "pages" in SETS:
        return [Stock(url, body, text) for url, body, text in read_raw_pages(SETS["pages"])]
    return demo_stock()


def demo_stock() -> list[Stock]:
    """Return the demo's pages, which are small."""
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
    """One gzip member, as crawlers write it."""
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
"""By which reasons `other` is left out, in its order."""


def other(number: int) -> bytes:
    """What is no page: a picture, a script's answer, an error."""
    picture = b"\xff\xd8\xff\xe0" + random.Random(number).randbytes(20_000)
    kinds = (
        response(picture, "image/jpeg"),
        response(b'{"a": 1}', "application/json"),
        response(b"<html>", status="404 Not Found"),
    )
    return kinds[number % 3]


@dataclass(frozen=True, kw_only=True)
class Written:
    """What archives hold: pages that can be read, by URL with their own sentences; what is no page, by its reason."""

    owns: dict[str, str]
    skipped: dict[str, int]
    damaged: int


def write_archives(
    folder: Path, records: int, pages: Sequence[Stock], *, files: int = 10, damaged: int | None = 3
) -> Written:
    """Write archives, every third record no page; of one file the first record is damaged."""
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
