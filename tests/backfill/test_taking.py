import gzip
import io
from collections import Counter
from contextlib import suppress
from datetime import timedelta

import pytest

from tasks.errors import ConfigError, ExtractorCrashed
from tasks.lake.records import read_response
from tests.backfill.archives import DAY, Kept, in_one_stream, put, story_at, wacz, warc
from tests.backfill.conftest import Inline, Interrupted, ending_at
from tests.press import Story

PAGE = (("Content-Type", "text/html"),)
INDEX_PAGE = Kept(url="https://daily.example/front", body=b"<!doctype html><html><body></body></html>")


def novelties(report):
    return {name: number for name, number in report.to_json()["articles"].items() if number}


def test_each_page_is_stored_with_its_payload_and_origin(place, tmp_path):
    stories = [story_at(number) for number in range(6)]
    path = put(tmp_path, "a.warc.gz", warc(stories))

    report = place.backfill(path)

    assert novelties(report) == {"new": 6}
    rows = place.rows("articles")
    assert [row["text"] for row in rows] == [one.story.text for one in sorted(stories, key=lambda one: one.url)]
    assert {row["source_id"] for row in rows} == {"daily"}
    assert {row["fetched_at"] for row in rows} == {one.at for one in stories}
    for row in place.rows("captures"):
        record = place.store.get_range(row["warc_key"], row["warc_offset"], row["warc_length"])
        kept = next(one for one in stories if one.url == row["url"])
        assert read_response(record, 0, len(record)).body == kept.payload
        assert row["origin_uri"] == path.as_uri()
        member = gzip.GzipFile(fileobj=io.BytesIO(path.read_bytes()[row["origin_offset"] :])).read(1000)
        assert member.startswith(b"WARC/1.0\r\nWARC-Type: response\r\n")
        assert f"WARC-Target-URI: {kept.url}\r\n".encode() in member
    assert place.verify().is_well
    assert place.scratch() == []


def test_records_that_are_not_pages_are_counted_by_reason(place, tmp_path):
    body = b"<!doctype html><html><body>gone</body></html>"
    kept = [
        story_at(1),
        Kept(url="https://daily.example/a.jpg", body=b"\xff\xd8\xff\xe0", headers=(("Content-Type", "image/jpeg"),)),
        Kept(url="https://daily.example/gone", body=body, status="404 Not Found"),
        Kept(url="https://daily.example/moved", body=b"", status="301 Moved Permanently"),
        Kept(url="https://daily.example/again", body=b"", kind="revisit"),
        Kept(url="dns:daily.example", body=b"x", kind="response"),
        Kept(url="https://daily.example/future", body=body, at=DAY + timedelta(days=40_000)),
        Kept(url="https://daily.example/old", body=body, at=DAY - timedelta(days=20_000)),
        Kept(url="https://daily.example/broken", body=body, extra=(("WARC-Block-Digest", "sha1:AAAA"),)),
        INDEX_PAGE,
    ]

    report = place.backfill(put(tmp_path, "a.warc.gz", warc(kept)))

    assert report.skipped == {
        "http_301": 1, "http_404": 1, "no_response": 11, "not_html": 1, "revisit": 1, "forbidden_scheme": 1, "not_an_article": 1,
    }  # fmt: skip
    assert report.failed == {"bad_date": 2, "damaged": 1}
    assert (report.records, report.pages) == (21, 2)
    assert [row["url"] for row in place.rows("captures")] == [INDEX_PAGE.url, kept[0].url]


def test_a_repeated_record_adds_nothing(place, tmp_path):
    stories = [story_at(number) for number in range(5)]
    first = put(tmp_path, "a.warc.gz", warc(stories))
    second = put(tmp_path, "b.warc", warc([*stories[2:], story_at(9), story_at(9)], is_gzip=False))

    place.backfill(first)
    before = place.rows("captures")
    again = place.backfill(first)
    third = place.backfill(second)

    assert (again.pages, again.skipped["seen"]) == (0, 5)
    assert before == [row for row in place.rows("captures") if row["url"] != story_at(9).url]
    assert (third.pages, third.skipped["seen"]) == (1, 4)
    assert len(place.rows("articles")) == 6


@pytest.mark.parametrize(
    ("choices", "wanted"),
    [
        ({"sources": ["weekly"]}, {"weekly.example"}),
        ({"hosts": ["www.daily.example"]}, {"daily.example"}),
        ({"hosts": ["example"]}, {"daily.example", "weekly.example", "third.example"}),
        ({"since": "2024-03-02", "until": "2024-03-02"}, {"weekly.example"}),
        ({"until": "2024-03-01"}, {"daily.example"}),
        ({"languages": ["de"]}, set()),
        ({"languages": ["en"]}, {"daily.example", "weekly.example", "third.example"}),
    ],
)
def test_only_selected_pages_are_stored(place, tmp_path, choices, wanted):
    hosts = ["daily.example", "weekly.example", "third.example"]
    kept = [story_at(n, host=host, at=DAY + timedelta(days=n)) for n, host in enumerate(hosts)]

    place.backfill(put(tmp_path, "a.warc.gz", warc(kept)), **choices)

    assert {row["url"].split("/")[2] for row in place.rows("captures")} == wanted
    assert place.verify().is_well


def test_an_unowned_host_is_adhoc_or_its_own_source(place, other_place, tmp_path):
    path = put(tmp_path, "a.warc.gz", warc([story_at(1, host="www.third.example")]))

    place.backfill(path)
    other_place.backfill(path, source_from_host=True)

    assert [row["source_id"] for row in place.rows("articles")] == ["adhoc"]
    assert [row["source_id"] for row in other_place.rows("articles")] == ["third-example"]


def test_an_older_page_is_a_revision_but_does_not_become_the_latest(place, tmp_path):
    story = story_at(1)
    newer = put(
        tmp_path,
        "new.warc.gz",
        warc([Kept(url=story.url, story=story.story, at=DAY, more="A later sentence on the harbour of 12 ships.")]),
    )
    older = put(tmp_path, "old.warc.gz", warc([Kept(url=story.url, story=story.story, at=DAY - timedelta(days=9))]))
    oldest = put(
        tmp_path, "oldest.warc.gz", warc([Kept(url=story.url, story=story.story, at=DAY - timedelta(days=99))])
    )
    later = put(
        tmp_path,
        "later.warc.gz",
        warc([Kept(url=story.url, story=story.story, at=DAY + timedelta(days=9), more="Now it has 13.")]),
    )

    reports = [place.backfill(path) for path in (newer, older, oldest, later)]

    assert [novelties(one) for one in reports] == [{"new": 1}, {"revision": 1}, {"unchanged": 1}, {"revision": 1}]
    rows = sorted(place.rows("articles"), key=lambda row: row["revision"])
    assert [row["fetched_at"] for row in rows] == [DAY, DAY - timedelta(days=9), DAY + timedelta(days=9)]
    assert [row["changes"] for row in rows][:2] == [None, None]
    assert "words" in rows[2]["changes"]
    with place.index.read() as tx:
        (known,) = find_all(tx)
    assert (known.revision, known.next_revision) == (3, 4)
    assert known.first_seen_at == DAY - timedelta(days=99)
    assert place.verify().is_well


def find_all(tx):
    from sqlalchemy import true

    from tasks.index.articles import find_where

    return find_where(tx, true())


def test_a_run_interrupted_at_any_step_resumes_to_the_same_tables(place, other_place, tmp_path):
    stories = [
        story_at(number % 9, host="daily.example" if number < 9 else "weekly.example", at=DAY + timedelta(hours=number))
        for number in range(14)
    ]
    path = put(tmp_path, "a.warc.gz", warc(stories))
    other_place.backfill(path)

    for number in range(4):
        for step in ("extract", "extracted", "decide", "decided"):
            with suppress(Interrupted):
                place.backfill(path, runner=ending_at(f"{step} {number}"))
    place.backfill(path)

    for table in ("captures", "articles"):
        assert place.rows(table) == other_place.rows(table)
    assert place.verify().is_well
    assert place.scratch() == []


def test_the_order_of_archive_paths_does_not_matter(place, other_place, tmp_path):
    paths = [
        put(tmp_path, f"{name}.warc.gz", warc([story_at(n, at=DAY + timedelta(days=n, hours=m)) for m in range(3)]))
        for n, name in enumerate("cab")
    ]

    place.backfill(*paths)
    other_place.backfill(*reversed(paths))

    for table in ("captures", "articles"):
        assert place.rows(table) == other_place.rows(table)


def test_archives_are_read_in_order_of_their_first_dates(place, tmp_path):
    text = Story(site=1, number=5)
    early = Kept(url="https://weekly.example/early", story=text, at=DAY)
    late = Kept(url="https://daily.example/late", story=text, at=DAY + timedelta(days=1))
    put(tmp_path / "in", "a.warc.gz", warc([late]))
    put(tmp_path / "in", "b.wacz", wacz({"archive/x.warc.gz": warc([early])}))

    report = place.backfill(tmp_path / "in")

    assert novelties(report) == {"new": 1, "duplicate": 1}
    rows = place.rows("articles")
    assert {row["url"]: row["novelty"] for row in rows} == {early.url: "new", late.url: "duplicate"}
    assert rows[1]["origin_uri"].endswith("b.wacz#archive/x.warc.gz")


def test_chunked_and_encoded_payloads_are_decoded(place, tmp_path):
    one, two, three = story_at(1), story_at(2), story_at(3)
    coded = gzip.compress(one.payload, mtime=0)
    kept = [
        Kept(url=one.url, body=coded, headers=(*PAGE, ("Content-Encoding", "gzip"))),
        Kept(url=two.url, body=b"%x\r\n%b\r\n0\r\n\r\n" % (len(two.payload), two.payload), headers=(*PAGE, ("Transfer-Encoding", "chunked"))),
        Kept(url=three.url, body=three.payload, headers=(*PAGE, ("Content-Encoding", "br"), ("Transfer-Encoding", "chunked"))),
    ]  # fmt: skip

    place.backfill(put(tmp_path, "a.warc.gz", in_one_stream(warc(kept))))

    assert [row["text"] for row in place.rows("articles")] == [item.story.text for item in (one, two, three)]
    sizes = {row["url"]: row["payload_size"] for row in place.rows("captures")}
    assert sizes == {one.url: len(coded), two.url: len(two.payload), three.url: len(three.payload)}


def test_a_dry_run_counts_and_stores_nothing(place, tmp_path):
    report = place.backfill(put(tmp_path, "a.warc.gz", warc([story_at(1), story_at(2)])), dry_run=True)

    assert (report.pages, report.records) == (2, 5)
    assert not list(place.store.list("warc/"))
    assert place.rows("captures") == []


def test_files_that_are_not_archives_are_reported_and_the_others_read(place, tmp_path):
    put(tmp_path / "in", "a.warc.gz", warc([story_at(1)]))
    put(tmp_path / "in", "b.warc.gz", b"nothing of the kind")
    put(tmp_path / "in", "c.wacz", b"PK\x03\x04 nor this")

    report = place.backfill(tmp_path / "in")

    assert report.failed == {"not_a_warc": 2}
    assert [one.rpartition("/")[2].partition(":")[0] for one in report.troubles] == ["b.warc.gz", "c.wacz"]
    assert report.pages == 1


@pytest.mark.parametrize(
    ("paths", "says"),
    [
        (["{tmp}/missing.warc.gz"], "no such file"),
        (["{tmp}/*.warc.gz"], "no such file"),
        (["{tmp}"], "no such file"),
        (["@{tmp}/list"], "the list cannot be read"),
        (["{tmp}/page.html"], "none of 1 files is a WARC file"),
    ],
)
def test_nothing_to_read_is_one_clear_error(place, tmp_path, paths, says):
    put(tmp_path, "page.html", b"<html>")

    with pytest.raises(ConfigError, match=says) as caught:
        place.backfill(*(one.format(tmp=tmp_path) for one in paths))

    assert "\n" not in str(caught.value)


def test_archives_can_be_named_in_a_list_file(place, tmp_path):
    path = put(tmp_path, "a.warc.gz", warc([story_at(1)]))
    put(tmp_path, "list.txt", f"# archives\n\n{path}\n{path}\n".encode())

    assert place.backfill(f"@{tmp_path}/list.txt").pages == 1


class Dying(Inline):
    """A runner whose worker dies at unit 1 each time, and at unit 2 once."""

    died = 0

    def submit(self, job_id, number):
        result = super().submit(job_id, number)

        def die():
            self.died += number == 2
            if number == 1 or (number == 2 and self.died == 1):
                raise ExtractorCrashed("its worker died")
            return result()

        return die


def test_a_unit_whose_worker_dies_is_retried_then_left_to_the_next_run(place, other_place, tmp_path):
    path = put(tmp_path, "a.warc.gz", warc([story_at(number) for number in range(14)]))

    report = place.backfill(path, runner=Dying)
    again = place.backfill(path)
    other_place.backfill(path)

    assert (report.pages, report.failed) == (10, {"unit_lost": 4})
    assert report.troubles == ("unit 1 will be retried by the next run: its worker died",)
    assert (again.pages, again.failed) == (4, {})
    assert {row["capture_id"] for row in place.rows("captures")} == {
        row["capture_id"] for row in other_place.rows("captures")
    }


def test_concurrent_backfills_are_refused(place, tmp_path):
    path = put(tmp_path, "a.warc.gz", warc([story_at(1)]))

    def begin_another(step):
        with pytest.raises(ConfigError, match="another backfill is running"):
            place.backfill(path)

    report = place.backfill(path, runner=lambda settings, config: Inline(settings, config, step=begin_another))

    assert report.pages == 1


def test_verify_finds_and_mends_nothing_during_a_backfill(place, tmp_path):
    path = put(tmp_path, "a.warc.gz", warc([story_at(number) for number in range(8)]))
    seen = []

    def look(_step):
        seen.append(place.verify().faults)
        with pytest.raises(ConfigError, match="a backfill is running"):
            place.verify(mend=True)

    place.backfill(path, runner=lambda settings, config: Inline(settings, config, step=look))

    assert len(seen) == 8
    assert not any(seen)


def test_decisions_do_not_depend_on_the_number_of_concurrent_units(place, other_place, tmp_path):
    stories = [story_at(n % 7, host=f"host{n % 3}.example", at=DAY + timedelta(minutes=n)) for n in range(16)]
    path = put(tmp_path, "a.warc.gz", warc(stories))

    place.backfill(path)
    other_place.backfill(path, workers=7)

    for table in ("captures", "articles"):
        assert place.rows(table) == other_place.rows(table)
    assert Counter(row["novelty"] for row in place.rows("articles"))["duplicate"] == 9
