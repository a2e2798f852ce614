"""Rights from a copy of the lake alone: the chain from articles to documents, and reservations by domain."""

import asyncio
import shutil
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import orjson
import pytest

from tasks.config.settings import Settings
from tasks.errors import ConfigError
from tasks.export.exporting import export
from tasks.export.request import ExportRequest, Format
from tasks.lake.objects.stores import DirectoryStore
from tasks.report.markdown import of_tables
from tasks.report.rights_chain import explain, explain_in, find_document
from tasks.report.rights_report import report_lake
from tasks.values.rights import Purpose
from tests.engine import Presslake
from tests.small_archive import opened_archive
from tests.web.loopback import answer, page, serve

TEXT = " ".join(f"harbour ferry council word{place}" for place in range(80))


def robots(*lines):
    return answer(200, "\n".join(["User-agent: *", *lines, "Disallow: /private/"]).encode())


def story(number):
    return page(f"<html><head><title>Story {number}</title></head><p>{number} {TEXT}</p></html>".encode())


@dataclass(frozen=True)
class Site:
    """The original site."""

    base: str

    def url(self, path):
        return self.base + path


@pytest.fixture(scope="module")
def lake(tmp_path_factory):
    """A copy of a lake of ten articles whose site has changed its documents twice since, without its index."""
    home = tmp_path_factory.mktemp("rights")
    base = asyncio.run(_swept(home))
    return DirectoryStore(home / "copy"), Site(base)


async def _swept(home):
    with opened_archive(home / "archive", ahead=timedelta(days=2)) as archive:
        async with serve({"*": answer(404)}) as server:
            server.routes.update({f"/{number}": story(number) for number in range(10)})
            for number, lines in ((0, ["Content-Signal: ai-train=no"]), (5, ["Content-Usage: ai-use=n"])):
                server.routes["/robots.txt"] = robots(*lines)
                await archive.sweep(server.url(f"/{number + one}") for one in range(5))
            server.routes["/robots.txt"] = robots()
            await archive.sweep([server.url("/private/1")])
            shutil.copytree(archive.home / "lake", home / "copy")
            return server.url("").rstrip("/")


def test_every_article_is_traced_to_the_documents_in_force(lake):
    store, server = lake
    said = {0: b"ai-train=no", 5: b"ai-use=n"}

    for number in range(10):
        [chain] = explain_in(store, server.url(f"/{number}"))
        [document] = chain.documents
        expected = "? ? ? n" if number < 5 else "? ? n ?"
        assert " ".join(one.answer for one in chain.verdicts.values()) == expected
        assert said[number // 5 * 5] in document.body
        assert document.state == "whole"
        segment = store.get(document.policy.warc_key)
        assert (
            document.place == f"{document.policy.warc_key}:{document.policy.warc_offset}+{document.policy.warc_length}"
        )
        assert len(segment) >= document.policy.warc_offset + document.policy.warc_length


def test_an_article_is_found_by_its_id_and_a_document_by_its_own(lake):
    store, server = lake
    [by_url] = explain_in(store, server.url("/7"))

    [by_id] = explain_in(store, by_url.article_id)

    assert by_id == by_url
    name = by_url.documents[0].policy.policy_id
    assert find_document([by_id], name[:8]).body == by_url.documents[0].body
    with pytest.raises(ConfigError, match="no such document"):
        find_document([by_id], "zz")


def test_a_refused_url_is_traced_to_the_document_that_refused_it(lake):
    store, server = lake

    [chain] = explain_in(store, server.url("/private/1"))

    [document] = chain.documents
    assert (chain.reason, chain.article_id) == ("robots_disallowed", None)
    assert b"Content-" not in document.body
    assert b"Disallow: /private/" in document.body


def test_missing_data_is_reported_in_one_line(lake):
    store, _ = lake

    with pytest.raises(ConfigError, match="no article and no refusal"):
        explain("https://nowhere.example/1", Settings(lake=store.uri))


def test_the_report_counts_by_domain_and_shows_what_changed(lake):
    store, _ = lake

    report = report_lake(store, purposes=tuple(Purpose), sources=(), now=datetime.now(UTC))

    [domain] = report.domains
    assert (domain.articles, domain.unrecorded) == (10, 0)
    assert {one.value: dict(answers) for one, answers in domain.answers.items()} == {
        "archive": {"?": 10},
        "search": {"?": 10},
        "ai-input": {"n": 5, "?": 5},
        "ai-train": {"n": 5, "?": 5},
    }
    assert set(domain.reserved_by) == {"content-signal ai-train=n", "content-usage ai-use=n"}
    assert domain.since.date() == datetime.now(UTC).date()
    assert [one.kind for one in report.changes] == ["robots", "robots"]
    assert "1 domain of 1 reserves something, 5 of 10 articles; 2 documents changed this month" in of_tables(
        report.tables()
    )
    assert orjson.loads(orjson.dumps(report.to_json()))["policies"] == 3


def test_a_report_can_be_limited_to_a_purpose_and_to_sources(lake):
    store, _ = lake

    of_search = report_lake(store, purposes=(Purpose.SEARCH,), sources=("daily",), now=datetime.now(UTC))
    of_others = report_lake(store, purposes=(Purpose.SEARCH,), sources=("other",), now=datetime.now(UTC))

    assert [one.refused for one in of_search.domains] == [0]
    assert (of_others.domains, of_others.changes) == ((), ())


def test_an_export_for_a_purpose_leaves_out_articles_refused_for_it(lake, tmp_path):
    store, _ = lake

    def rows(purpose):
        asked = ExportRequest(format=Format.JSONL, out=tmp_path / f"out-{purpose}", purpose=purpose)
        return export(asked, Settings(lake=store.uri), on_step=lambda *_: None)["rows"]

    assert [rows(one) for one in (None, Purpose.ARCHIVE, Purpose.AI_TRAIN, Purpose.AI_INPUT)] == [10, 10, 5, 5]


def test_the_commands_need_only_the_lake(lake, tmp_path):
    store, server = lake
    command = Presslake(tmp_path / "elsewhere", {"PRESSLAKE_INDEX": f"sqlite:///{tmp_path / 'none.db'}"})
    command.home.mkdir()

    report = command.run("rights", "report", "--lake", store.uri, "--json").json()
    explained = command.run("rights", "explain", server.url("/1"), "--lake", store.uri)
    policy_id = explain_in(store, server.url("/1"))[0].documents[0].policy.policy_id
    document = command.run("rights", "explain", server.url("/1"), "--document", policy_id, "--lake", store.uri)

    assert report["domains"][0]["articles"] == 10
    assert "content-signal" in explained.out
    assert "Content-Signal: ai-train=no" in document.out
    assert not (tmp_path / "none.db").exists()
