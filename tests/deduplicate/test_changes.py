from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.deduplicate.changes import Version, diff_versions, split_sentences, summarise_change

BEFORE = "The harbour reopened on Monday. Two ships came in.\nThe mayor was pleased."
AFTER = "The harbour reopened on Tuesday. Two ships came in.\nThe mayor was pleased. She thanked the crew."


def change(before=BEFORE, after=AFTER, *, title_before="Harbour", title_after="Harbour"):
    return summarise_change(Version(title=title_before, text=before), Version(title=title_after, text=after))


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("One. Two! Three? Four… Five", ["One.", "Two!", "Three?", "Four…", "Five"]),
        ("He said “no.” Then he left.", ["He said “no.”", "Then he left."]),
        ("Mr. Smith met Dr. Who at 3.5 p.m. sharp.", ["Mr. Smith met Dr. Who at 3.5 p.m. sharp."]),
        ("J. K. Rowling wrote it.", ["J. K. Rowling wrote it."]),
        ("東京で地震。けが人はいない。", ["東京で地震。", "けが人はいない。"]),
        ("A paragraph\nand   another", ["A paragraph", "and another"]),
        ("", []),
        ("\n \n", []),
    ],
)
def test_text_is_split_into_sentences(text, sentences):
    assert split_sentences(text) == sentences


@given(st.text())
def test_no_word_is_lost_between_sentences(text):
    assert "".join("".join(split_sentences(text)).split()) == "".join(text.split())


def test_added_and_removed_words_are_counted():
    assert (change().words_added, change().words_removed) == (5, 1)


def test_added_and_removed_sentences_are_counted():
    assert (change().sentences_added, change().sentences_removed) == (2, 1)


def test_moved_text_is_neither_added_nor_removed():
    moved = change("One came. Two went.", "Two went. One came.")

    assert (moved.words_added, moved.words_removed) == (0, 0)


@pytest.mark.parametrize(("title", "is_new"), [("Harbour", False), ("Harbour reopens", True), (None, True)])
def test_a_changed_title_is_reported(title, is_new):
    assert change(title_after=title).is_new_title is is_new


def test_changed_parts_are_named():
    assert change(title_after="Harbour reopens").parts == ("title", "words")


def test_the_changes_recorded_in_a_row_are_used():
    before, after = Version(title=None, text=BEFORE), Version(title="The feed's title", text=AFTER)

    assert summarise_change(before, after, parts=["words"]).parts == ("words",)


AT = datetime(2026, 3, 1, 6, tzinfo=UTC)
FIRST = Version(title="Harbour", text=BEFORE, authors=("Ada Byron",), published_at=AT)


def diff(**changes):
    return diff_versions(FIRST, replace(FIRST, **changes), before_name="1", after_name="2").splitlines()


def test_the_diff_shows_the_changed_sentence():
    assert diff(text=AFTER) == [
        "--- 1",
        "+++ 2",
        "@@ -3,4 +3,5 @@",
        " date: 2026-03-01 06:00:00 UTC",
        "-The harbour reopened on Monday.",
        "+The harbour reopened on Tuesday.",
        " Two ships came in.",
        " The mayor was pleased.",
        "+She thanked the crew.",
    ]


@pytest.mark.parametrize(
    ("changes", "shown"),
    [
        ({"title": "Harbour shut"}, ["-title: Harbour", "+title: Harbour shut"]),
        ({"authors": ("Ada Byron", "Max Frei")}, ["-authors: Ada Byron", "+authors: Ada Byron, Max Frei"]),
        ({"authors": ()}, ["-authors: Ada Byron"]),
        ({"published_at": AT.replace(hour=7)}, ["-date: 2026-03-01 06:00:00 UTC", "+date: 2026-03-01 07:00:00 UTC"]),
        ({"text": BEFORE.replace("Two", "-2")}, ["-Two ships came in.", "+-2 ships came in."]),
    ],
)
def test_the_diff_shows_each_changed_part(changes, shown):
    assert [line for line in diff(**changes)[2:] if line[0] in "+-"] == shown


def test_equal_revisions_have_no_diff():
    assert diff() == []
