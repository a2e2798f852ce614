"""Policy documents as evidence: one record and one row each, referenced by articles, covered by verify and reindex."""

import gzip
import itertools
import json
import shutil
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from tasks.index import policies
from tasks.index.database import open_index
from tasks.lake.records import iter_records, read_response
from tasks.maintain.config import MaintainConfig
from tasks.maintain.maintenance import maintain
from tasks.politeness.rights.documents import body_digest
from tasks.report.rights_chain import explain_in
from tasks.values.rights import FORM_LENGTH, Obedience, Obey, Purpose
from tasks.verify.reindex import reindex
from tests.small_archive import RULES, opened_archive
from tests.web.loopback import answer, page, resets, serve

DAY = timedelta(days=1)
ROBOTS = b"User-agent: *\nContent-Signal: search=yes, ai-train=no\nDisallow: /private/\n"


def story(number, head=""):
    words = " ".join(f"word{number}x{place} harbour ferry council" for place in range(60))
    return page(f"<html><head><title>Story {number}</title>{head}</head><p>{words}</p></html>".encode())


@pytest.fixture
def archive(tmp_path):
    with opened_archive(tmp_path / "archive") as opened:
        yield opened


async def test_a_robots_txt_is_a_record_and_a_row_referenced_by_its_articles(archive):
    async with serve({"/robots.txt": answer(200, ROBOTS), "/1": story(1), "/2": story(2)}) as server:
        await archive.sweep(map(server.url, ("/1", "/2")))
    [row] = archive.rows("policies")
    articles = archive.rows("articles")

    record = read_response(archive.store.get(row["warc_key"]), row["warc_offset"], row["warc_length"])
    assert (record.body, record.url, record.status) == (ROBOTS, server.url("/robots.txt"), 200)
    assert (row["origin"], row["kind"], row["status"], row["body_digest"]) == (
        server.url("").rstrip("/"), "robots", 200, body_digest(ROBOTS)
    )  # fmt: skip
    assert ("* /", "ai-train=n") in [(one["scope"], one["value"]) for one in row["statements"]]
    assert [one["policy_ids"] for one in articles] == [[row["policy_id"]]] * 2
    assert ("content-signal", "/", "ai-train=n", row["policy_id"]) in [
        (one["signal"], one["scope"], one["value"], one["policy_id"]) for one in articles[0]["rights"]
    ]
    assert archive.faults() == {}


async def test_an_unchanged_document_is_not_stored_again(archive):
    archive.ahead = 2 * DAY  # so that no stored document is fresh
    async with serve({"/robots.txt": answer(200, ROBOTS), "*": story(1)}) as server:
        for number in range(20):
            await archive.sweep([server.url(f"/{number}")])

    assert server.paths().count("/robots.txt") == 20
    assert len(archive.rows("policies")) == 1
    assert records_of(archive, "/robots.txt") == 1


@pytest.mark.long
async def test_after_a_thousand_sweeps_there_is_one_record_and_one_row(archive):
    archive.ahead = 2 * DAY
    async with serve({"/robots.txt": answer(200, ROBOTS), "*": answer(404)}) as server:
        for number in range(1000):
            await archive.sweep([server.url(f"/{number % 50}")])

    assert server.paths().count("/robots.txt") == 1000
    assert (len(archive.rows("policies")), records_of(archive, "/robots.txt")) == (1, 1)


async def test_a_changed_document_is_a_new_row_and_earlier_articles_keep_theirs(archive):
    archive.ahead = 2 * DAY
    later = ROBOTS.replace(b"ai-train=no", b"ai-train=yes")
    async with serve({"/robots.txt": answer(200, ROBOTS), "/1": story(1), "/2": story(2), "/3": story(3)}) as server:
        await archive.sweep([server.url("/1")])
        server.routes["/robots.txt"] = answer(200, later)
        await archive.sweep([server.url("/2")])
        await archive.sweep([server.url("/3")])

    rows = {row["body_digest"]: row["policy_id"] for row in archive.rows("policies")}
    named = {row["title"]: row["policy_ids"] for row in archive.rows("articles")}
    before, after = rows[body_digest(ROBOTS)], rows[body_digest(later)]
    assert named == {"Story 1": [before], "Story 2": [after], "Story 3": [after]}


async def test_a_document_that_returns_to_an_earlier_form_is_a_new_row(archive):
    archive.ahead = 2 * DAY
    forms = [ROBOTS, ROBOTS.replace(b"=no", b"=yes"), ROBOTS, ROBOTS, ROBOTS.replace(b"=no", b"=yes"), ROBOTS]
    async with serve({"*": story(1)}) as server:
        for number, form in enumerate(forms):
            server.routes |= {"/robots.txt": answer(200, form), f"/{number}": story(number)}
            await archive.sweep([server.url(f"/{number}")])

    rows = sorted(archive.rows("policies"), key=lambda row: row["observed_at"])
    named = {row["title"]: row["policy_ids"] for row in archive.rows("articles")}
    ids = [row["policy_id"] for row in rows]
    assert [row["body_digest"] for row in rows] == [body_digest(forms[place]) for place in (0, 1, 2, 4, 5)]
    assert len(set(ids)) == records_of(archive, "/robots.txt") == 5
    assert [named[f"Story {number}"] for number in range(6)] == [[ids[place]] for place in (0, 1, 2, 2, 3, 4)]
    assert all(one["last_seen_at"] < later["observed_at"] for one, later in itertools.pairwise(rows))
    assert len({one[:FORM_LENGTH] for one in ids}) == 2
    assert archive.faults() == {}


async def test_a_document_that_was_unavailable_for_a_while_has_not_changed(archive):
    archive.ahead = 2 * DAY
    async with serve({"*": story(1)}) as server:
        for number, route in enumerate([answer(200, ROBOTS), resets, answer(200, ROBOTS)]):
            server.routes["/robots.txt"] = route
            await archive.sweep([server.url(f"/{number}")])

    assert len(archive.rows("policies")) == 1


async def test_different_documents_for_two_user_agents_are_no_change(archive):
    archive.ahead = 2 * DAY
    archive.rules = {"daily": RULES, "other": replace(RULES, user_agent="Other/1 (+https://other.example/)")}

    async def by_agent(asked, writer):
        body = ROBOTS if "Presslake" in asked.headers["user-agent"] else ROBOTS.replace(b"=no", b"=yes")
        writer.write(answer(200, body))

    async with serve({"/robots.txt": by_agent, "*": story(1)}) as server:
        for number in range(3):
            await archive.sweep({server.url(f"/{number}"): "daily", server.url(f"/{number}-b"): "other"})

    assert len(archive.rows("policies")) == 2


async def test_a_change_is_known_to_a_rebuilt_index(archive, tmp_path):
    archive.ahead = 2 * DAY
    later = ROBOTS.replace(b"=no", b"=yes")
    async with serve({"*": story(1)}) as server:
        for number, form in enumerate((ROBOTS, later)):
            server.routes["/robots.txt"] = answer(200, form)
            await archive.sweep([server.url(f"/{number}")])
        with open_index(f"sqlite:///{tmp_path / 'again.db'}") as again:
            reindex(index=again, store=archive.store, now=datetime.now(UTC), revisit_after=(), on_step=lambda *_: None)
            archive.index = again
            await archive.sweep([server.url("/2")])
            unchanged = len(archive.rows("policies"))
            server.routes["/robots.txt"] = answer(200, ROBOTS)
            await archive.sweep([server.url("/3")])
            faults = archive.faults()

    assert (unchanged, len(archive.rows("policies")), faults) == (2, 3, {})


@pytest.mark.parametrize(
    ("route", "status", "body"),
    [
        (answer(404, b"none at 12:01:07"), 404, b""),
        (answer(200, gzip.compress(ROBOTS), [("Content-Encoding", "gzip")]), 200, ROBOTS),
        (answer(200, b"<!doctype html><p>Welcome"), 200, b"<!doctype html><p>Welcome"),
        (answer(200, "User-agent: *\nContent-Signal: ai-train=no # für".encode("utf-16")), 200, None),
    ],
    ids=["missing", "coded", "html", "utf-16"],
)
async def test_any_response_is_kept_unchanged(archive, route, status, body):
    async with serve({"/robots.txt": route, "/1": story(1)}) as server:
        await archive.sweep([server.url("/1")])

    [row] = archive.rows("policies")
    assert row["status"] == status
    assert body is None or row["body_digest"] == body_digest(body)
    assert archive.faults() == {}


async def test_a_refused_url_references_the_refusing_document(archive):
    async with serve({"/robots.txt": answer(200, ROBOTS), "*": story(1)}) as server:
        await archive.sweep([server.url("/private/1")])

    [capture] = archive.rows("captures")
    assert (capture["reason"], capture["warc_key"]) == ("robots_disallowed", None)
    assert [row["kind"] for row in archive.rows("policies")] == ["robots"]
    assert archive.faults() == {}


LICENCE = (
    b'<rsl xmlns="https://rslstandard.org/rsl" max-age="7"><content url="/"><license>'
    b'<permits type="usage">search</permits></license></content></rsl>'
)


async def test_a_licence_named_by_robots_txt_is_fetched_once_and_kept(archive):
    async with serve({"/licence.xml": answer(200, LICENCE), "/1": story(1), "/2": story(2)}) as server:
        server.routes["/robots.txt"] = answer(200, f"License: {server.url('/licence.xml')}\n".encode())
        await archive.sweep([server.url("/1")])
        await archive.sweep([server.url("/2")])

    rows = {row["kind"]: row for row in archive.rows("policies")}
    assert server.paths().count("/licence.xml") == 1
    assert rows["rsl"]["valid_until"] - rows["rsl"]["observed_at"] == 7 * DAY
    assert all(
        set(row["policy_ids"]) == {rows["rsl"]["policy_id"], rows["robots"]["policy_id"]}
        for row in archive.rows("articles")
    )
    said = {one["value"] for one in archive.rows("articles")[0]["rights"] if one["signal"] == "rsl"}
    assert said == {"ai-train=n", "ai-input=n", "ai-index=n", "search=y", "all=n"}
    assert archive.faults() == {}


async def test_a_licence_named_by_a_page_is_stored_for_that_page_only(archive):
    async with serve({"/robots.txt": answer(404), "/licence.xml": answer(200, LICENCE), "/2": story(2)}) as server:
        link = f'<link rel="license" type="application/rsl+xml" href="{server.url("/licence.xml")}">'
        server.routes["/1"] = story(1, link)
        await archive.sweep(map(server.url, ("/1", "/2")))

    signals = {row["title"]: {one["signal"] for one in row["rights"]} for row in archive.rows("articles")}
    assert {title: "rsl" in names for title, names in signals.items()} == {"Story 1": True, "Story 2": False}


@pytest.mark.parametrize("status", [401, 402])
async def test_a_licence_named_by_a_refusal_is_stored(archive, status):
    async with serve({"/robots.txt": answer(404), "/licence.xml": answer(200, LICENCE)}) as server:
        link = f'<{server.url("/licence.xml")}>; rel="license"'
        server.routes["/1"] = answer(
            status, b"", [("WWW-Authenticate", 'License error="invalid_token"'), ("Link", link)]
        )
        await archive.sweep([server.url("/1")])

    [capture], rows = archive.rows("captures"), {row["kind"]: row for row in archive.rows("policies")}
    record = read_response(*placed(archive, rows["rsl"]))
    assert (capture["reason"], capture["detail"]) == (
        "payment_required", f"licence {server.url('/licence.xml')} at {server.url('/1')}"
    )  # fmt: skip
    assert (record.url, record.body) == (server.url("/licence.xml"), LICENCE)
    assert ("/", "search=y") in [(one["scope"], one["value"]) for one in rows["rsl"]["statements"]]
    assert [
        one.policy.url for one in explain_in(archive.store, server.url("/1"))[0].documents if one.policy.kind == "rsl"
    ]
    assert archive.faults() == {}


async def test_a_licence_in_the_body_of_a_refusal_is_stored(archive):
    async with serve({"/robots.txt": answer(404), "/1": answer(402, LICENCE, [("crawler-price", "USD 1")])}) as server:
        for _ in range(2):
            await archive.sweep([server.url("/1")])

    [row] = [row for row in archive.rows("policies") if row["kind"] == "rsl"]
    assert (row["status"], row["url"], read_response(*placed(archive, row)).body) == (402, server.url("/1"), LICENCE)
    assert server.paths() == ["/robots.txt", "/1", "/1"]
    assert archive.faults() == {}


@pytest.mark.parametrize(
    "route",
    [
        answer(402),
        answer(401, b"", [("WWW-Authenticate", 'Basic realm="x"')]),
        answer(402, b"<rsl>no</rsl>"),
        answer(403),
    ],
    ids=["bare", "login", "no-rsl", "forbidden"],
)
async def test_a_refusal_without_a_licence_is_no_document(archive, route):
    async with serve({"/robots.txt": answer(404), "/1": route}) as server:
        await archive.sweep([server.url("/1")])

    assert [row["kind"] for row in archive.rows("policies")] == ["robots"]


ITEM_LICENCE = (
    '<rsl:content xmlns:rsl="https://rslstandard.org/rsl" url=""><rsl:license>'
    '<rsl:permits type="usage">search</rsl:permits></rsl:license></rsl:content>'
)


async def test_a_licence_in_a_feed_is_in_the_rows_of_its_article(archive):
    async with serve({"/robots.txt": answer(404), "/1": story(1)}) as server:
        await archive.sweep([server.url("/1")], announced_rights=ITEM_LICENCE)

    [row] = archive.rows("articles")
    said = [(one["scope"], one["value"], one["policy_id"]) for one in row["rights"] if one["signal"] == "rsl"]
    assert ("feed", "ai-train=n", None) in said
    assert all("rsl:license" in one["raw"] for one in row["rights"] if one["signal"] == "rsl")


async def test_an_article_refused_by_its_feed_is_not_fetched(archive):
    archive.rules = {"daily": replace(RULES, obedience=Obedience(purposes=(Purpose.AI_TRAIN,), obey=Obey.EXCLUDE))}
    async with serve({"/robots.txt": answer(404), "*": story(1)}) as server:
        report = await archive.sweep([server.url("/1")], announced_rights=ITEM_LICENCE)

    assert (report.skipped, "/1" in server.paths()) == ({"rights_refused": 1}, False)


async def test_the_signals_of_a_page_are_in_its_row_without_a_document(archive):
    head = '<meta name="robots" content="noai"><meta name="tdm-reservation" content="1"><meta name="gptbot" content="noai">'
    async with serve({"/robots.txt": answer(404), "/1": story(1, head)}) as server:
        server.routes["/1"] = server.routes["/1"].replace(b"\r\n", b"\r\nContent-Usage: train-ai=n\r\n", 1)
        await archive.sweep([server.url("/1")])

    [row] = archive.rows("articles")
    said = [(one["signal"], one["scope"], one["value"]) for one in row["rights"] if one["policy_id"] is None]
    assert said == [
        ("content-usage", "header", "train-ai=n"),
        ("tdmrep", "meta", "tdm-reservation=1"),
        ("robots-directive", "meta", "noai"),
        ("robots-directive", "meta GPTBot", "noai"),
    ]


async def test_maintain_updates_the_last_sight_in_the_row_once_a_day(archive):
    async with serve({"/robots.txt": answer(200, ROBOTS), "/1": story(1)}) as server:
        await archive.sweep([server.url("/1")])
    [before] = archive.rows("policies")
    seen_at = before["last_seen_at"] + 3 * DAY
    with archive.index.write() as tx:
        policies.see(tx, {before["policy_id"]: seen_at})

    done = [tidied(archive).policy_rows for _ in range(2)]

    [after] = archive.rows("policies")
    assert done == [1, 0]
    assert after == {**before, "last_seen_at": seen_at}
    assert archive.faults() == {}


async def test_reindex_knows_the_documents_of_the_lake(archive, tmp_path):
    async with serve({"/robots.txt": answer(200, ROBOTS), "/1": story(1), "/2": story(2)}) as server:
        await archive.sweep([server.url("/1")])
        with open_index(f"sqlite:///{tmp_path / 'again.db'}") as again:
            report = reindex(
                index=again, store=archive.store, now=datetime.now(UTC), revisit_after=(), on_step=lambda *_: None
            )
            archive.index = again
            archive.ahead = 2 * DAY
            await archive.sweep([server.url("/2")])
            faults = archive.faults()

    assert (report.policies, len(archive.rows("policies")), faults) == (1, 1, {})


async def test_verify_reports_documents_that_differ_between_index_and_lake(archive):
    async with serve({"/robots.txt": answer(200, ROBOTS), "/1": story(1)}) as server:
        await archive.sweep([server.url("/1")])
    [row] = archive.rows("policies")
    with archive.index.write() as tx:
        policies.forget(tx, [row["policy_id"]])

    found, mended = archive.faults(mend=True), archive.faults()

    assert (found, mended) == ({"row_without_policy": 1}, {})
    shutil.rmtree(archive.store.delta_uri("policies"))
    assert archive.faults() == {"article_without_policy": 1, "policy_without_row": 1}


async def test_verify_finds_a_document_with_changed_bytes(archive):
    async with serve({"/robots.txt": answer(200, ROBOTS), "/1": story(1)}) as server:
        await archive.sweep([server.url("/1")])
    [row] = archive.rows("policies")
    segment = bytearray(archive.store.get(row["warc_key"]))
    segment[row["warc_offset"] + row["warc_length"] // 2] ^= 0xFF
    archive.store.put(row["warc_key"], bytes(segment))

    assert archive.faults() == {"damaged_record": 1}


async def test_a_json_of_ten_megabytes_affects_only_its_own_parsing(archive):
    huge = json.dumps([{"location": "/", "tdm-reservation": 1}] * 200_000).encode()
    async with serve({"/robots.txt": answer(200, b"User-agent: *\nContent-Signal: ai-train=no\n" + b"x: y\n" * 2_000_000),
                      "/.well-known/tdmrep.json": answer(200, huge), "/1": story(1)}) as server:  # fmt: skip
        report = await archive.sweep([server.url("/1")])

    assert report.articles == {"new": 1}
    assert "unreadable" in {one["value"] for one in archive.rows("policies")[0]["statements"]}


def placed(archive, row):
    return archive.store.get(row["warc_key"]), row["warc_offset"], row["warc_length"]


def records_of(archive, path):
    return sum(
        (one.url or "").endswith(path) and one.kind == "response"
        for found in archive.store.list("warc/")
        for one in iter_records(archive.store.get(found.key))
    )


def tidied(archive):
    return maintain(
        index=archive.index,
        store=archive.store,
        config=MaintainConfig(),
        now=datetime.now(UTC),
        on_step=lambda *_: None,
    )


async def test_a_run_reports_which_documents_replaced_others(archive):
    archive.ahead = 2 * DAY
    began = datetime.now(UTC) - DAY
    async with serve({"/robots.txt": answer(200, ROBOTS), "*": story(1)}) as server:
        await archive.sweep([server.url("/1")])
        first = changes_of(archive, began)
        server.routes["/robots.txt"] = answer(200, ROBOTS + b"# changed\n")
        await archive.sweep([server.url("/2")])

    [change] = changes_of(archive, began)
    assert first == ()
    assert (change.source_id, change.kind, change.url) == ("daily", "robots", server.url("/robots.txt"))
    assert {change.before_id, change.policy_id} == {row["policy_id"] for row in archive.rows("policies")}


def changes_of(archive, since):
    with archive.index.read() as tx:
        return policies.changed_by(tx, {"r1"}, since=since)
