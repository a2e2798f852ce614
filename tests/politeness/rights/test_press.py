"""A press of twelve sites, one per signal: the verdict on each purpose, and the requests of a source that obeys."""

from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import pytest

from tasks.config.catalogue import Catalogue
from tasks.config.owners import Owners
from tasks.lake.records import iter_records
from tasks.politeness.rights.mapping import verdict_on
from tasks.values.columns import revive
from tasks.values.rights import Obedience, Obey, Purpose
from tasks.values.rows import Article
from tasks.verify.set_aside import prune_set_asides
from tests.small_archive import RULES, opened_archive
from tests.web.loopback import answer, page, serve

TEXT = " ".join(f"harbour ferry council word{place}" for place in range(80))
SEARCH_ONLY = (
    '<rsl xmlns="https://rslstandard.org/rsl"><content url="/"><license>'
    '<permits type="usage">search</permits></license></content></rsl>'
)


@dataclass(frozen=True, kw_only=True)
class Site:
    """A site with one article: its robots.txt, other files, the article's header fields and head.

    `verdicts` are for archive, search, ai-input and ai-train; `is_asked`: a source that obeys for all purposes requests
    the article, `is_read`: it reads the body.
    """

    name: str
    verdicts: str
    robots: str = "User-agent: *\nAllow: /\n"
    files: dict[str, bytes] = field(default_factory=dict)
    fields: tuple[tuple[str, str], ...] = ()
    head: str = ""
    status: int = 200
    is_asked: bool = True
    is_read: bool = True

    def routes(self, url: str) -> dict[str, bytes]:
        head = self.head.format(url=url)
        body = f"<html><head><title>{self.name}</title>{head}</head><p>{self.name} {TEXT}</p></html>".encode()
        fields = [("Content-Type", "text/html"), *((name, value.format(url=url)) for name, value in self.fields)]
        return {
            "/robots.txt": answer(200, self.robots.format(url=url).encode()),
            **self.files,
            "/article": answer(self.status, body, fields),
            "*": answer(404),
        }


TDM = b'[{"location": "/", "tdm-reservation": 1, "tdm-policy": "https://gazette.example/p.json"}]'
SITES = (
    Site(name="silent", verdicts="? ? ? ?"),
    Site(name="robots", verdicts="", robots="User-agent: *\nDisallow: /article\n", is_asked=False),
    Site(name="crawlers", verdicts="? ? ? ?", robots="User-agent: GPTBot\nUser-agent: CCBot\nDisallow: /\n"),
    Site(
        name="usage in robots.txt",
        verdicts="? y ? n",
        robots="User-agent: *\nContent-Usage: train-ai=n, search=y\nAllow: /\n",
        is_asked=False,
    ),
    Site(name="usage in a header", verdicts="? ? n ?", fields=(("Content-Usage", "ai-use=n"),), is_read=False),
    Site(
        name="content signal",
        verdicts="? y ? n",
        robots="User-agent: *\nContent-Signal: search=yes, ai-train=no\nAllow: /\n",
        is_asked=False,
    ),
    Site(
        name="licence in robots.txt",
        verdicts="n y n n",
        robots="License: {url}/licence.xml\nUser-agent: *\nAllow: /\n",
        files={"/licence.xml": answer(200, SEARCH_ONLY.encode())},
        is_asked=False,
    ),
    Site(
        name="licence of a page",
        verdicts="n y n n",
        head='<link rel="license" type="application/rsl+xml" href="{url}/licence.xml">',
        files={"/licence.xml": answer(200, SEARCH_ONLY.encode())},
    ),
    Site(
        name="tdmrep.json",
        verdicts="? ? ? ?",  # fetched only if a source obeys
        files={"/.well-known/tdmrep.json": answer(200, TDM)},
        is_asked=False,
    ),
    Site(name="tdm header", verdicts="? ? n n", fields=(("TDM-Reservation", "1"),), is_read=False),
    Site(name="noai", verdicts="? ? ? n", head='<meta name="robots" content="noai, noimageai">'),
    Site(name="price", verdicts="", status=402, fields=(("crawler-price", "USD 0.01"),)),
)
ALL = tuple(Purpose)


@pytest.fixture
async def press():
    async with AsyncExitStack() as stack:
        servers = {}
        for number, site in enumerate(SITES):
            server = await stack.enter_async_context(serve({}, host=f"127.0.46.{number + 1}"))
            server.routes.update(site.routes(server.url("").rstrip("/")))
            servers[site.name] = server
        yield servers


def obeying(obey, *purposes):
    """All documents of a site at once; their turns are tested in test_turns.py."""
    return {"daily": replace(RULES, obedience=Obedience(purposes=purposes or ALL, obey=obey), documents_a_day=3)}


def verdicts(archive):
    return {
        row["title"]: " ".join(verdict_on(one, revive(Article, row).rights).answer for one in Purpose)
        for row in archive.rows("articles")
    }


async def test_each_signal_applies_to_its_purposes(press, tmp_path):
    with opened_archive(tmp_path / "a") as archive:
        report = await archive.sweep([server.url("/article") for server in press.values()])
        captures = {row["detail"]: row["reason"] for row in archive.rows("captures") if row["reason"]}

        assert verdicts(archive) == {site.name: site.verdicts for site in SITES if site.verdicts}
        assert report.skipped == {"robots_disallowed": 1}
        assert captures[f"crawler-price USD 0.01 at {press['price'].url('/article')}"] == "payment_required"
        assert all("/.well-known/tdmrep.json" not in server.paths() for server in press.values())
        assert archive.faults() == {}


async def test_refused_pages_are_neither_fetched_nor_kept(press, tmp_path):
    with opened_archive(tmp_path / "a", rules=obeying(Obey.EXCLUDE)) as archive:
        report = await archive.sweep([server.url("/article") for server in press.values()])
        captures = {row["url"]: row for row in archive.rows("captures")}
        refused = {url for url, row in captures.items() if row["reason"] == "rights_refused"}

        asked = {name: "/article" in server.paths() for name, server in press.items()}
        assert asked == {site.name: site.is_asked for site in SITES}
        assert verdicts(archive) == {"silent": "? ? ? ?", "crawlers": "? ? ? ?"}
        assert report.skipped == {"robots_disallowed": 1, "rights_refused": 8}
        assert report.failed == {"payment_required": 1}
        for site in SITES:
            row = captures[press[site.name].url("/article")]
            assert (row["payload_size"] or 0) > 0 if site.is_asked and site.is_read else not row["payload_size"]
        assert kept_texts(archive, refused) == []
        assert archive.faults() == {}


async def test_a_withheld_page_keeps_all_its_signals(press, tmp_path):
    with opened_archive(tmp_path / "a", rules=obeying(Obey.WITHHOLD)) as archive:
        await archive.sweep([server.url("/article") for server in press.values()])

        assert verdicts(archive)["tdmrep.json"] == "? ? n n"
        assert len(verdicts(archive)) == 10


async def test_a_source_with_the_purpose_archive_obeys_refusals_of_archiving(press, tmp_path):
    with opened_archive(tmp_path / "a", rules=obeying(Obey.EXCLUDE, Purpose.ARCHIVE)) as archive:
        report = await archive.sweep([server.url("/article") for server in press.values()])

        assert report.skipped == {"robots_disallowed": 1, "rights_refused": 2}
        assert {"licence in robots.txt", "licence of a page"}.isdisjoint(verdicts(archive))
        assert all("/.well-known/tdmrep.json" not in server.paths() for server in press.values())


async def test_the_settings_of_a_hosts_owner_apply_to_every_announcer(press, tmp_path):
    server = press["content signal"]
    catalogue = Catalogue.model_validate(
        {"sources": [{"id": "owner", "home_url": server.url("/"), "purpose": ["ai-train"], "obey": "exclude"}]}
    )
    owners = Owners.of(catalogue.sources, catalogue.rules())
    with opened_archive(tmp_path / "a", owners=owners) as archive:
        report = await archive.sweep([server.url("/article")])

    assert (report.skipped, "/article" in server.paths()) == ({"rights_refused": 1}, False)


async def test_a_redirect_to_a_refused_page_is_not_followed(press, tmp_path):
    refusing = press["content signal"]
    press["silent"].routes["/old"] = answer(302, b"", [("Location", refusing.url("/article"))])
    with opened_archive(tmp_path / "a", rules=obeying(Obey.EXCLUDE)) as archive:
        report = await archive.sweep([press["silent"].url("/old")])

    assert (report.skipped, "/article" in refusing.paths()) == ({"rights_refused": 1}, False)


async def test_the_header_of_a_redirect_does_not_apply_to_its_target(press, tmp_path):
    silent = press["silent"]
    silent.routes["/old"] = answer(302, b"", [("Location", "/article"), ("Content-Usage", "train-ai=n")])
    with opened_archive(tmp_path / "a", rules=obeying(Obey.EXCLUDE)) as archive:
        report = await archive.sweep([silent.url("/old")])

    assert report.articles == {"new": 1}


async def test_documents_are_fetched_once_a_day_for_any_number_of_pages(press, tmp_path):
    server = press["licence in robots.txt"]
    server.routes["*"] = page(f"<p>{TEXT}</p>".encode())
    with opened_archive(tmp_path / "a", rules=obeying(Obey.WITHHOLD)) as archive:
        for number in range(5):
            await archive.sweep([server.url(f"/{number}-{one}") for one in range(4)])

    counts = [server.paths().count(one) for one in ("/robots.txt", "/licence.xml", "/.well-known/tdmrep.json")]
    assert counts == [1, 1, 1]


class Killed(BaseException):
    """Simulates a kill between two steps."""


async def test_a_kill_before_the_tombstone_leaves_a_segment_that_verify_reports_and_repairs(press, tmp_path):
    def die():
        raise Killed

    url = press["noai"].url("/article")
    with opened_archive(tmp_path / "a", rules=obeying(Obey.EXCLUDE)) as archive:
        archive.before_tombstones = die
        with pytest.raises(Killed):
            await archive.sweep([url])
        archive.before_tombstones = lambda: None
        report = await archive.sweep([url])
        before, found = kept_texts(archive, {url}), archive.faults()
        mended = archive.faults(mend=True)
        after, left = kept_texts(archive, {url}), archive.faults()
        aside = [one.key for one in archive.store.list("set-aside/") if one.key.endswith(".warc.gz")]
        prune_set_asides(archive.store, before=datetime.now(UTC) + timedelta(days=31), is_dry_run=False)

        assert report.skipped == {"rights_refused": 1}
        assert (before, found, mended) == ([url], {"orphan_segment": 1}, {"orphan_segment": 1})
        assert (after, left, len(aside)) == ([], {}, 1)
        assert list(archive.store.list("set-aside/")) == []


def kept_texts(archive, urls):
    """The records of these URLs that still have their page."""
    return [
        record.url
        for found in archive.store.list("warc/")
        for record in iter_records(archive.store.get(found.key))
        if record.response is not None and record.url in urls and b"harbour" in record.response.body
    ]
