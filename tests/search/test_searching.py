"""Search finds the newest text of each article, in any language, and never superseded or removed text."""

import random
import shutil
import subprocess
import sys
import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from tasks.errors import ConfigError
from tasks.runtime.lakes import open_lake_without_index
from tasks.search.asking import Order, Period, SearchQuery
from tasks.search.folder import only_writer, search_root, throw_away
from tasks.search.searching import bring_up_to_date, search
from tests.lakes import Lake
from tests.rows import FETCHED_AT

ROOT = Path(__file__).parents[2]
CATCHING_UP = """
import sys
from tasks.config.settings import Settings
from tasks.search.searching import bring_up_to_date
print(flush=True)
bring_up_to_date(Settings.model_validate_json(sys.argv[1]), on_step=lambda *_: None)
"""
LANGUAGES = [
    ("en", "The naïve miller's café re-opened beside the old lighthouse.", "Lighthouse"),
    ("de", "Die Größe der Fußgängerbrücke überraschte alle Anwohner.", "fussgangerbrucke"),
    ("fr", "L'évêque inaugure une bibliothèque près de l'écluse.", "ecluse"),
    ("pl", "Żółta łódź wróciła do portu w Świnoujściu.", "swinoujsciu"),
    ("ru", "Жители посёлка увидели ещё один ледокол.", "ПОСЕЛКА"),
    ("el", "Η γέφυρα της Αθήνας άνοιξε ξανά.", "αθηνασ"),
    ("tr", "İstanbul'da ışıklar söndü, vapurlar durdu.", "istanbul"),
    ("ar", "أعلنت القاهِرة افتتاح المكتبة الجديدة", "القاهرة"),
    ("he", "הגשר החדש נפתח בְּחֵיפָה", "בחיפה"),
    ("hi", "नई रेलगाड़ी आज पटना पहुँची", "रेलगाड़ी"),
    ("ja", "東京都知事は新しい図書館を発表した。", "図書館"),
    ("zh", "市政府宣布新的灯塔将于周一开放。", "灯塔"),
    ("ko", "서울에서 새로운 도서관이 문을 열었다.", "도서관"),
    ("th", "ห้องสมุดแห่งใหม่เปิดในกรุงเทพมหานคร", "กรุงเทพ"),
    ("vi", "Cầu mới ở Đà Nẵng đã mở cửa.", "da nang"),
    ("fa", "کتابخانهٔ تازه در شیراز گشوده شد", "كتابخانه"),
]


def quietly(*_):
    """Print nothing."""


def found(lake, text, **choices):
    """The ids of the hits, best first."""
    return [hit.article_id for hit in search(SearchQuery(text=text, **choices), lake.settings, on_step=quietly).hits]


@pytest.fixture
def lake(tmp_path):
    return Lake(tmp_path)


@pytest.fixture(scope="module")
def many(tmp_path_factory):
    """One article in each language, an hour apart."""
    lake = Lake(tmp_path_factory.mktemp("many"))
    lake.publish(
        *(
            {
                "article_id": language,
                "language": language,
                "title": None,
                "text": text,
                "source_id": "east" if number % 2 else "west",
                "source_tags": ("Regional", "daily") if number < 3 else None,
                "published_at": FETCHED_AT - timedelta(hours=number),
            }
            for number, (language, text, _) in enumerate(LANGUAGES)
        )
    )
    return lake


@pytest.mark.parametrize(("language", "word"), [(language, word) for language, _, word in LANGUAGES])
def test_a_word_finds_its_article_in_each_language(many, language, word):
    assert found(many, word) == [language]


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("naive cafe", ["en"]),
        ("café -lighthouse", []),
        ('"old lighthouse"', ["en"]),
        ('"lighthouse old"', []),
        ("lighthouse OR écluse", ["en", "fr"]),
        ("(lighthouse OR écluse) miller", ["en"]),
        ("light*", ["en"]),
        ("re-open*", ["en"]),
        ("light", []),
        ("東京", ["ja"]),
        ("京都知", ["ja"]),
        ("京東", []),
        ("title:lighthouse", []),
        ("lighthouse NOT (miller OR ferry)", []),
        ("& lighthouse", ["en"]),
        ("ＬＩＧＨＴＨＯＵＳＥ", ["en"]),
    ],
)
def test_operators_of_a_query_have_their_meaning(many, text, ids):
    assert sorted(found(many, text)) == sorted(ids)


@pytest.mark.parametrize(
    ("choices", "ids"),
    [
        ({"sources": ("east",), "languages": ("de", "fr")}, ["de"]),
        ({"tags": ("regional",)}, ["en", "de", "fr"]),
        ({"since": FETCHED_AT - timedelta(hours=1)}, ["en", "de"]),
        ({"since": FETCHED_AT - timedelta(hours=2), "until": FETCHED_AT - timedelta(hours=1)}, ["fr"]),
        ({"since": FETCHED_AT, "until": FETCHED_AT - timedelta(hours=9)}, []),
        ({"limit": 2}, ["en", "de"]),
        ({"limit": 1, "offset": 1}, ["de"]),
    ],
)
def test_filters_exclude_other_articles(many, choices, ids):
    assert found(many, "*", order=Order.NEWEST, **choices) == ids


def test_a_language_is_found_with_and_without_its_region(lake):
    lake.publish({"language": "pt-BR"})

    assert [found(lake, "harbour", languages=(tag,)) for tag in ("pt", "pt-br", "pt_BR", "pt-PT")] == [["a1"]] * 3 + [
        []
    ]


def test_counts_are_by_day_week_and_month_including_empty_periods(lake):
    days = [date(2026, 1, 30), date(2026, 1, 30), date(2026, 2, 2)]
    lake.publish(
        *(
            {"article_id": f"a{n}", "published_at": datetime(day.year, day.month, day.day, 9, tzinfo=UTC)}
            for n, day in enumerate(days)
        )
    )

    def counts(by):
        result = search(SearchQuery(text="harbour", by=by), lake.settings, on_step=quietly)
        return {one.day.isoformat(): one.articles for one in result.counts}

    assert counts(Period.DAY) == {"2026-01-30": 2, "2026-01-31": 0, "2026-02-01": 0, "2026-02-02": 1}
    assert counts(Period.WEEK) == {"2026-01-26": 2, "2026-02-02": 1}
    assert counts(Period.MONTH) == {"2026-01-01": 2, "2026-02-01": 1}


def test_a_hit_has_the_fields_of_a_list_and_marks_the_words(lake):
    lake.publish({"text": "Nobody came.\n" * 40 + "At last the Hárbour reopened.\n" + "The end.\n" * 40})

    (hit,) = search(SearchQuery(text="harbour reopen*"), lake.settings, on_step=quietly).hits

    assert (hit.article_id, hit.title, hit.source_id, hit.language) == ("a1", "Harbour reopens", "daily", "en")
    assert hit.at == datetime(2026, 3, 1, 6, tzinfo=UTC)
    assert [hit.snippet.text[start:end] for start, end in hit.snippet.marks] == ["Hárbour", "reopened"]
    assert hit.snippet.text.startswith("… ")
    assert "\n" not in hit.snippet.text


def test_a_later_revision_replaces_the_earlier(lake):
    lake.publish({"text": "The mayor resigned."})
    assert found(lake, "mayor") == ["a1"]

    lake.publish({"revision": 2, "text": "The treasurer resigned.", "fetched_at": FETCHED_AT + timedelta(days=1)})

    assert (found(lake, "mayor"), found(lake, "treasurer")) == ([], ["a1"])


def test_a_late_earlier_revision_changes_nothing(lake):
    lake.publish({"revision": 2, "text": "The treasurer resigned."})
    assert found(lake, "treasurer") == ["a1"]

    lake.publish({"revision": 1, "text": "The mayor resigned.", "fetched_at": FETCHED_AT - timedelta(days=1)})

    assert (found(lake, "mayor"), found(lake, "treasurer")) == ([], ["a1"])


def test_a_superseded_text_is_no_longer_found(lake):
    lake.publish({"text": "Menu Login The mayor resigned."}, {"article_id": "a2", "text": "Ferries sail."})
    assert found(lake, "login") == ["a1"]

    lake.rewrite(
        lambda rows: [
            row | ({"text": "The mayor resigned.", "text_digest": "t1:x"} if row["article_id"] == "a1" else {})
            for row in rows
        ]
    )

    assert (found(lake, "login"), found(lake, "mayor"), found(lake, "ferries")) == ([], ["a1"], ["a2"])


def test_a_removed_article_is_no_longer_found(lake):
    lake.publish({}, {"article_id": "a2"})
    assert sorted(found(lake, "harbour")) == ["a1", "a2"]

    lake.rewrite(lambda rows: [row for row in rows if row["article_id"] == "a2"])
    assert found(lake, "harbour") == ["a2"]

    lake.rewrite(lambda rows: [])
    assert found(lake, "harbour") == []


def test_if_the_latest_revision_is_removed_the_one_before_is_found_again(lake):
    lake.publish({"text": "The mayor resigned."})
    lake.publish({"revision": 2, "text": "The treasurer resigned.", "fetched_at": FETCHED_AT + timedelta(days=1)})
    assert found(lake, "treasurer") == ["a1"]

    lake.rewrite(lambda rows: [row for row in rows if row["revision"] == 1])

    assert (found(lake, "mayor"), found(lake, "treasurer")) == (["a1"], [])


def test_packing_files_reindexes_nothing(lake):
    lake.publish({})
    lake.publish({"article_id": "a2"})
    found(lake, "harbour")
    lake.rewrite()

    done = bring_up_to_date(lake.settings, on_step=quietly)

    assert (done.added, done.removed) == (0, 0)
    assert sorted(found(lake, "harbour")) == ["a1", "a2"]


def test_an_update_that_lost_its_state_gives_the_same_index(lake):
    lake.publish({}, {"article_id": "a2"})
    home = search_root(lake.settings) / open_lake_without_index(lake.settings)[1]
    found(lake, "harbour")
    before = (home / "state.json").read_bytes()
    lake.publish({"article_id": "a3"})
    found(lake, "harbour")
    (home / "state.json").write_bytes(before)  # simulates a kill between commit and state

    assert sorted(found(lake, "harbour")) == ["a1", "a2", "a3"]


@pytest.mark.parametrize("harm", ["gone", "no state", "state of another format", "files cut short", "thrown away"])
def test_an_unusable_index_is_rebuilt(lake, harm):
    lake.publish({})
    found(lake, "harbour")
    root = search_root(lake.settings)
    (home,) = root.iterdir()
    if harm == "gone":
        shutil.rmtree(root)
    elif harm == "no state":
        (home / "state.json").unlink()
    elif harm == "state of another format":
        (home / "state.json").write_text('{"format": 0, "generation": "x", "files": []}')
    elif harm == "thrown away":
        throw_away(lake.settings)
        assert not root.exists()
    else:
        for path in list(home.glob("*/*")):
            short = path.with_name(f"{path.name}.short")
            short.write_bytes(path.read_bytes()[:20])
            # not truncated in place: threads of the earlier search that have it mapped would get SIGBUS
            short.replace(path)

    assert found(lake, "harbour") == ["a1"]


def test_during_an_update_by_another_process_the_search_works_and_says_so(lake):
    lake.publish({})
    found(lake, "harbour")
    lake.publish({"article_id": "a2"})
    (home,) = search_root(lake.settings).iterdir()

    with only_writer(home, is_awaited=False):
        result = search(SearchQuery(text="harbour"), lake.settings, on_step=quietly)

    assert ([hit.article_id for hit in result.hits], result.is_behind) == (["a1"], True)
    assert sorted(found(lake, "harbour")) == ["a1", "a2"]


def test_a_lake_without_articles_gives_no_hits(lake):
    assert found(lake, "harbour") == []


def test_a_missing_lake_is_not_created(tmp_path):
    settings = Lake(tmp_path).settings.model_copy(update={"lake": str(tmp_path / "none")})

    with pytest.raises(ConfigError, match="no lake here"):
        search(SearchQuery(text="harbour"), settings, on_step=quietly)

    assert not (tmp_path / "none").exists()
    assert not search_root(settings).exists()


def test_a_read_only_folder_is_reported_in_one_clear_line(lake, tmp_path):
    lake.publish({})
    (tmp_path / "file").write_text("")
    settings = lake.settings.model_copy(update={"search_index": tmp_path / "file/search"})

    with pytest.raises(ConfigError, match="the search index cannot be written: Not a directory"):
        search(SearchQuery(text="harbour"), settings, on_step=quietly)


@pytest.mark.crash
def test_an_update_killed_at_any_instant_is_continued(lake):
    chance, total = random.Random(5), 0
    for number in range(4):
        lake.publish(*({"article_id": f"{number}-{n}", "text": f"harbour {n} " * 20} for n in range(400)))
        total += 400
        begun = subprocess.Popen(
            [sys.executable, "-c", CATCHING_UP, lake.settings.model_dump_json()], cwd=ROOT, stdout=subprocess.PIPE
        )
        begun.stdout.readline()
        time.sleep(chance.uniform(0, 0.15))
        begun.kill()
        begun.communicate()

    assert search(SearchQuery(text="harbour"), lake.settings, on_step=quietly).total == total
