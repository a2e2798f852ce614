"""Documents of one origin take turns: a bounded number of look-ups a day, unseen ones first; pages may wait for them."""

from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, update

from tasks.index.schema import robots
from tasks.politeness.rights.ledger import MAX_DOCUMENTS, Ledger, Lookup
from tasks.politeness.rights.mapping import verdict_on
from tasks.values.columns import revive
from tasks.values.rights import Obedience, Obey, Purpose
from tasks.values.rows import Article
from tests.small_archive import RULES, opened_archive
from tests.web.loopback import answer, page, serve

NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)
DAY = timedelta(days=1)
TEXT = " ".join(f"harbour ferry council word{place}" for place in range(80))
TDMREP = "/.well-known/tdmrep.json"
RESERVED = answer(200, b'[{"location": "/", "tdm-reservation": 1}]')


def licence(words="search"):
    permits = f'<content url="/"><license><permits type="usage">{words}</permits></license></content>'
    return answer(200, f'<rsl xmlns="https://rslstandard.org/rsl">{permits}</rsl>'.encode())


def story(number, head=""):
    return page(f"<html><head><title>Story {number}</title>{head}</head><p>{number} {TEXT}</p></html>".encode())


def link_to(url):
    return f'<link rel="license" type="application/rsl+xml" href="{url}">'


def lookups(server):
    """The requests for documents except robots.txt."""
    return [path for path in server.paths() if path.endswith((".xml", ".json"))]


@contextmanager
def archive_for(home, obey=Obey.RECORD, *purposes, **more):
    obedience = Obedience(purposes=purposes or (Purpose.AI_TRAIN,), obey=obey)
    with opened_archive(home, rules={"daily": replace(RULES, obedience=obedience, **more)}) as archive:
        yield archive


def name_licences(server, number):
    """Let a robots.txt name this many licences."""
    server.routes |= {f"/l{one}.xml": licence() for one in range(number)}
    lines = (f"License: {server.url(f'/l{one}.xml')}\n" for one in range(number))
    server.routes["/robots.txt"] = answer(200, "".join(lines).encode())


def a_day_passes(archive):
    """Make all notes on origins a day older."""
    with archive.index.write() as tx:
        for row in tx.execute(select(robots)).all():
            body = older(Ledger.unpack(row.body)).pack() if "#documents=" in row.origin else row.body
            values = {"fetched_at": row.fetched_at - DAY, "body": body}
            tx.execute(update(robots).where(robots.c.origin == row.origin).values(values))


def older(ledger):
    held = ledger.lookups.items()
    return Ledger(lookups={
        url: Lookup(looked_at=one.looked_at and one.looked_at - DAY, named_at=one.named_at - DAY) for url, one in held
    })  # fmt: skip


def answers_of(archive):
    """The answers on training, by title."""
    rows = archive.rows("articles")
    return {row["title"]: verdict_on(Purpose.AI_TRAIN, revive(Article, row).rights).answer for row in rows}


@pytest.mark.parametrize("a_day", [1, 2])
async def test_lookups_per_origin_and_day_are_bounded(tmp_path, a_day):
    async with serve({TDMREP: RESERVED, "*": story(1)}) as server:
        name_licences(server, 3)
        with archive_for(tmp_path / "a", documents_a_day=a_day) as archive:
            for number in range(10):
                await archive.sweep(map(server.url, (f"/{number}-a", f"/{number}-b")))

    assert len(lookups(server)) == a_day
    assert server.paths().count("/robots.txt") == 1


async def test_unseen_documents_come_first_then_the_one_seen_longest_ago(tmp_path):
    async with serve({"*": story(1)}) as server:
        name_licences(server, 3)
        with archive_for(tmp_path / "a") as archive:
            for day in range(7):
                for look in range(3):
                    await archive.sweep([server.url(f"/{day}-{look}")])
                a_day_passes(archive)

            assert lookups(server) == [f"/l{one}.xml" for one in (0, 1, 2, 0, 1, 2, 0)]
            assert len(archive.rows("policies")) == 4
            assert archive.faults() == {}


async def test_documents_read_on_an_earlier_day_stay_in_force(tmp_path):
    async with serve({"*": story(1)}) as server:
        name_licences(server, 2)
        with archive_for(tmp_path / "a") as archive:
            for day in range(3):
                server.routes[f"/{day}"] = story(day)
                await archive.sweep([server.url(f"/{day}")])
                a_day_passes(archive)

            said = {
                row["title"]: [one["value"] for one in row["rights"] if one["signal"] == "rsl"]
                for row in archive.rows("articles")
            }
            named = {row["title"]: len(row["policy_ids"]) for row in archive.rows("articles")}
    assert said["Story 0"].count("unread") == 1
    assert said["Story 0"].count("search=y") == 1
    assert [said[f"Story {day}"].count("search=y") for day in (1, 2)] == [2, 2]
    assert named == {"Story 0": 2, "Story 1": 3, "Story 2": 3}


@pytest.mark.parametrize("obey", [Obey.EXCLUDE, Obey.WITHHOLD])
async def test_if_refusals_are_obeyed_a_page_waits_until_every_document_was_read(tmp_path, obey):
    async with serve({TDMREP: RESERVED, "/1": story(1), "*": answer(404)}) as server:
        name_licences(server, 1)
        server.routes["/l0.xml"] = licence("all")
        with archive_for(tmp_path / "a", obey) as archive:
            await archive.sweep([server.url("/1")])
            first, rows = lookups(server), archive.rows("captures")
            [until] = archive.deferred.values()
            a_day_passes(archive)
            await archive.sweep([server.url("/1")])

            assert (first, rows, lookups(server)) == (["/l0.xml"], [], ["/l0.xml", TDMREP])
            assert DAY - timedelta(minutes=5) < until - datetime.now(UTC) <= DAY
            assert ("/1" in server.paths()) is (obey is Obey.WITHHOLD)
            assert answers_of(archive) == ({"Story 1": "n"} if obey is Obey.WITHHOLD else {})


async def test_a_licence_not_read_yet_is_no_lasting_refusal(tmp_path):
    async with serve({"*": story(1)}) as server:
        name_licences(server, 2)
        server.routes |= {"/l0.xml": licence("all"), "/l1.xml": licence("all")}
        with archive_for(tmp_path / "a", Obey.EXCLUDE, Purpose.ARCHIVE) as archive:
            first = await archive.sweep([server.url("/1")])
            put_off = list(archive.deferred)
            a_day_passes(archive)
            second = await archive.sweep([server.url("/1")])

    assert (first.skipped, put_off) == ({}, [server.url("/1")])
    assert second.articles == {"new": 1}


async def test_a_refusing_document_is_obeyed_before_the_others_are_read(tmp_path):
    async with serve({TDMREP: RESERVED, "*": story(1)}) as server:
        name_licences(server, 2)
        with archive_for(tmp_path / "a", Obey.EXCLUDE) as archive:
            report = await archive.sweep([server.url("/1")])

    assert (report.skipped, lookups(server), "/1" in server.paths()) == ({"rights_refused": 1}, ["/l0.xml"], False)


async def test_a_licence_named_by_a_page_is_read_before_those_seen_earlier(tmp_path):
    async with serve({"/page.xml": licence("all"), "*": answer(404)}) as server:
        name_licences(server, 1)
        server.routes |= {f"/{day}": story(day, link_to(server.url("/page.xml"))) for day in range(3)}
        with archive_for(tmp_path / "a") as archive:
            for day in range(3):
                await archive.sweep([server.url(f"/{day}")])
                a_day_passes(archive)

            named = {row["title"]: len(row["policy_ids"]) for row in archive.rows("articles")}
    assert lookups(server) == ["/l0.xml", "/page.xml", "/l0.xml"]
    assert named == {"Story 0": 2, "Story 1": 3, "Story 2": 3}


async def test_a_page_whose_licence_is_not_read_today_is_not_kept_if_refusals_are_obeyed(tmp_path):
    async with serve({"/page.xml": licence("search"), "*": answer(404)}) as server:
        name_licences(server, 1)
        server.routes |= {"/l0.xml": licence("all"), "/1": story(1, link_to(server.url("/page.xml")))}
        with archive_for(tmp_path / "a", Obey.EXCLUDE, Purpose.ARCHIVE) as archive:
            first = await archive.sweep([server.url("/1")])
            kept = archive.rows("captures")
            a_day_passes(archive)
            second = await archive.sweep([server.url("/1")])

    assert (first.skipped, kept, second.skipped) == ({}, [], {"rights_refused": 1})


async def test_a_failed_lookup_grants_nothing_and_counts_for_the_day(tmp_path):
    async with serve({"/l0.xml": answer(503), "*": story(1)}) as server:
        server.routes["/robots.txt"] = answer(200, f"License: {server.url('/l0.xml')}\n".encode())
        with archive_for(tmp_path / "a") as archive:
            for number in range(3):
                await archive.sweep([server.url(f"/{number}")])

            assert (lookups(server), answers_of(archive)) == (["/l0.xml"], {"Story 1": "n"})


async def test_a_document_disallowed_by_robots_txt_uses_no_turn(tmp_path):
    async with serve({"/l1.xml": licence(), "*": story(1)}) as server:
        lines = (f"License: {server.url(f'/l{one}.xml')}\n" for one in range(2))
        server.routes["/robots.txt"] = answer(200, f"{''.join(lines)}User-agent: *\nDisallow: /l0.xml\n".encode())
        with archive_for(tmp_path / "a") as archive:
            await archive.sweep([server.url("/1")])

    assert lookups(server) == ["/l1.xml"]


def test_a_ledger_survives_packing():
    ledger = Ledger().looking("https://a.example/l.xml", now=NOW).naming(["https://a.example/m.xml"], now=NOW)

    assert Ledger.unpack(ledger.pack()) == ledger


@pytest.mark.parametrize(
    ("looked", "urls", "expected"),
    [
        ({}, ["a", "b"], "a"),
        ({"a": 2}, ["a", "b"], "b"),
        ({"a": 2, "b": 3}, ["a", "b"], "b"),
        ({"a": 3, "b": 3}, ["b", "a"], "b"),
        ({"a": 0.5, "b": 0.2}, ["a", "b"], None),
        ({}, [], None),
    ],
)
def test_the_next_document_to_look_up(looked, urls, expected):
    held = {url: Lookup(looked_at=NOW - days * DAY, named_at=NOW) for url, days in looked.items()}

    assert Ledger(lookups=held).next_of(urls, now=NOW) == expected


def test_a_ledger_is_bounded_and_forgets_unreferenced_documents():
    many = Ledger().naming([f"https://a.example/{one}" for one in range(3 * MAX_DOCUMENTS)], now=NOW)

    assert len(many.lookups) == MAX_DOCUMENTS
    assert list(many.naming(["b"], now=NOW + 31 * DAY).lookups) == ["b"]


def test_the_next_lookup_is_a_day_after_the_last_permitted_one():
    ledger = Ledger().looking("a", now=NOW).looking("b", now=NOW + DAY / 2)

    assert [ledger.free_at(a_day=number, now=NOW + DAY / 2) for number in (1, 2, 3)] == [
        NOW + 1.5 * DAY, NOW + DAY, NOW + DAY / 2
    ]  # fmt: skip
