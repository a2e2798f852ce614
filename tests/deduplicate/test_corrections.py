"""Refetched articles: corrections that change no word, earlier contents, and extraction with other rules."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import update

from tasks.deduplicate.archive import Archive
from tasks.index import outbox
from tasks.index.articles import article_id_of, find_by_url_key
from tasks.index.schema import articles
from tasks.lake.objects.stores import DirectoryStore, open_lake
from tasks.store.publishing import publish, publish_all
from tasks.values.rows import Novelty
from tests.deduplicate.deciding import NOW, captured, decide, known, published
from tests.deduplicate.pages import page, story

AT = datetime(2026, 2, 27, tzinfo=UTC)
TEXT = f"At the pass it was -5 degrees. The repair costs $3 million. {story(1)}"
FIRST = page(TEXT, title="Cold at the pass", authors=("Ada Byron",), published_at=AT)
KEY = "a.example/1"


def look(index, number, one, **more):
    return decide(index, f"b{number}", {KEY: one}, now=NOW + timedelta(hours=number), **more)


@pytest.mark.parametrize(
    ("change", "parts"),
    [
        ({"title": "Mild at the pass"}, ("title",)),
        ({"text": TEXT.replace("-5", "5")}, ("figures",)),
        ({"text": TEXT.replace("$3", "€3")}, ("figures",)),
        ({"text": TEXT.replace("pass it", "pass, it")}, ("words",)),
        ({"text": TEXT.replace("repair", "Repair")}, ("words",)),
        ({"authors": ("Max Frei",)}, ("authors",)),
        ({"authors": ()}, ("authors",)),
        ({"published_at": AT - timedelta(days=1)}, ("date",)),
        ({"title": "Mild", "authors": ()}, ("title", "authors")),
    ],
)
def test_a_correction_is_a_revision_that_names_its_changes(index, change, parts):
    look(index, 1, FIRST)

    report = look(index, 2, replace(FIRST, **change))

    assert report.articles == {"revision": 1}
    assert [(row.revision, row.changes) for row in published(index)] == [(1, None), (2, parts)]


def test_a_corrected_copy_stays_a_copy(index):
    decide(index, "b0", {"b.example/1": page(TEXT)})
    look(index, 1, FIRST)

    look(index, 2, replace(FIRST, title="Mild at the pass"))

    assert [(row.novelty, row.duplicate_of) for row in published(index)[1:]] == [
        (Novelty.DUPLICATE, article_id_of("b.example/1")),
        (Novelty.REVISION, article_id_of("b.example/1")),
    ]


@pytest.mark.parametrize(
    "change",
    [
        {"text": TEXT.replace(". ", ".\n")},
        {"lede": "Another summary"},
        {"section": "Weather", "tags": ("frost",), "image_url": "https://a.example/x.jpg"},
        {"modified_at": NOW},
        {"language": "de", "paywalled": True, "quality": 0.1},
    ],
)
def test_an_invisible_change_is_unchanged(index, change):
    look(index, 1, FIRST)

    assert look(index, 2, replace(FIRST, **change)).articles == {"unchanged": 1}


@pytest.mark.parametrize("back", [{}, {"title": "Mild at the pass"}])
def test_an_earlier_content_is_unchanged_and_names_its_revision(index, back):
    other = replace(FIRST, title="Mild at the pass")
    for number, one in enumerate((FIRST, other, FIRST, other, FIRST), 1):
        look(index, number, one)

    report = look(index, 6, replace(FIRST, **back))

    assert report.articles == {"unchanged": 1}
    assert len(published(index)) == 2
    assert captured(index)[-1].revision == (2 if back else 1)
    assert [one.revision for one in captured(index)][:5] == [1, 2, 1, 2, 1]


def test_a_new_content_after_a_reversion_is_the_next_revision(index):
    other = replace(FIRST, title="Mild at the pass")
    for number, one in enumerate((FIRST, other, FIRST), 1):
        look(index, number, one)

    look(index, 4, replace(FIRST, title="Thaw at the pass"))

    assert [row.revision for row in published(index)] == [1, 2, 3]
    assert known(index, KEY).revision == 3


def test_the_feeds_date_and_title_are_not_part_of_the_content(index):
    bare = replace(FIRST, title=None, published_at=None)
    decide(index, "b1", {KEY: bare}, announced={KEY: ("A title", AT)})

    report = decide(index, "b2", {KEY: bare}, announced={KEY: ("Another", AT + timedelta(hours=3))})

    assert report.articles == {"unchanged": 1}


# Other rules


@pytest.fixture
def lake(tmp_path):
    store = DirectoryStore(tmp_path)
    open_lake(store)
    return store


def archive_of(lake, pages=None):
    """Return an archive that gives `pages` when stored pages are extracted again; `asked` records the requested rows."""
    asked = []

    def again(rows):
        asked.extend(rows)
        return {row.article_id: pages[row.article_id] for row in rows if pages and row.article_id in pages}

    archive = Archive(lake, again)
    return archive, asked


OLD = replace(FIRST, text=f"Furniture. {TEXT}", extractor="presslake/0 fast")
ARTICLE = article_id_of(KEY)


@pytest.mark.parametrize("is_published", [True, False])
def test_a_change_made_only_by_todays_rules_is_left_to_replay(index, lake, is_published):
    look(index, 1, OLD)
    if is_published:
        publish_all(index, lake)
    archive, asked = archive_of(lake, {ARTICLE: FIRST})

    report = look(index, 2, FIRST, archive=archive)

    assert report.articles == {"unchanged": 1}
    assert [(row.article_id, row.text) for row in asked] == [(ARTICLE, OLD.text)]
    assert known(index, KEY).extractor == "presslake/0 fast"


def test_the_stored_page_is_extracted_again_once(index, lake):
    look(index, 1, OLD)
    publish_all(index, lake)
    archive, asked = archive_of(lake, {ARTICLE: FIRST})

    for number in (2, 3, 4):
        look(index, number, FIRST, archive=archive)

    assert len(asked) == 1


def test_a_correction_under_other_rules_is_a_revision_that_names_its_changes(index, lake):
    look(index, 1, OLD)
    publish_all(index, lake)
    archive, _ = archive_of(lake, {ARTICLE: FIRST})

    look(index, 2, replace(FIRST, title="Mild at the pass"), archive=archive)

    assert [(row.revision, row.changes) for row in published(index)] == [(2, ("title",))]


@pytest.mark.parametrize(
    ("new", "expected"),
    [(replace(OLD, title="Mild", extractor="test"), {"unchanged": 1}), (FIRST, {"revision": 1})],
)
def test_without_the_stored_page_the_words_decide(index, lake, new, expected):
    look(index, 1, OLD)
    publish_all(index, lake)
    archive, _ = archive_of(lake)

    assert look(index, 2, new, archive=archive).articles == expected


def test_under_the_same_rules_nothing_is_extracted_again(index, lake):
    look(index, 1, FIRST)
    publish_all(index, lake)
    archive, asked = archive_of(lake)

    look(index, 2, replace(FIRST, title="Mild at the pass"), archive=archive)

    assert asked == []


# Rows from before there were content digests


def forget_contents(index):
    """Delete the content digests from the index, as after a migration."""
    with index.write() as tx:
        tx.execute(update(articles).values(content_digest=None, extractor=None, earlier_contents=None))


def old_lake(index, lake):
    """Publish rows without the content columns."""
    with index.read() as tx:
        items = outbox.pending(tx, limit=9)
    publish(
        [
            replace(item, articles=tuple(replace(row, content_digest=None, changes=None) for row in item.articles))
            for item in items
        ],
        store=lake,
        index_id=index.index_id,
    )
    with index.write() as tx:
        outbox.clear(tx, [item.sequence for item in items])
    forget_contents(index)


@pytest.mark.parametrize(
    ("change", "expected", "revision"),
    [
        ({}, {"unchanged": 1}, 2),
        ({"title": "Cold at the pass"}, {"unchanged": 1}, 1),
        ({"authors": ("Max Frei",)}, {"revision": 1}, 3),
    ],
)
def test_the_content_digest_of_an_old_row_is_computed_when_needed(index, lake, change, expected, revision):
    second = replace(FIRST, title="Mild at the pass")
    look(index, 1, FIRST)
    look(index, 2, second)
    old_lake(index, lake)
    archive, _ = archive_of(lake)

    report = look(index, 3, replace(second, **change), archive=archive)

    assert (report.articles, captured(index)[-1].revision) == (expected, revision)
    assert [row.changes for row in published(index)] == ([("authors",)] if expected == {"revision": 1} else [])


def test_the_content_digest_of_an_old_row_is_computed_once(index, lake):
    look(index, 1, FIRST)
    old_lake(index, lake)
    archive, _ = archive_of(lake)
    look(index, 2, FIRST, archive=archive)

    with index.read() as tx:
        learnt = find_by_url_key(tx, [KEY])[KEY]

    assert learnt.earlier_contents
    assert look(index, 3, FIRST, archive=None).articles == {"unchanged": 1}
    assert look(index, 4, replace(FIRST, title="Mild"), archive=archive).articles == {"revision": 1}


def test_an_old_row_with_the_feeds_date_is_unchanged(index, lake):
    bare = replace(FIRST, title=None, published_at=None)
    decide(index, "b1", {KEY: bare}, announced={KEY: ("A title", AT)})
    old_lake(index, lake)
    archive, _ = archive_of(lake)

    assert look(index, 2, bare, archive=archive).articles == {"unchanged": 1}
    corrected = look(index, 3, replace(bare, authors=()), archive=archive)
    assert corrected.articles == {"revision": 1}
    assert published(index)[-1].changes == ("authors",)
