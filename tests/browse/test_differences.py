"""Differences between two revisions: by sentence, and within a sentence by word."""

from tasks.browse.differences import MOST_LINES, Piece, compare
from tasks.deduplicate.changes import Version

SENTENCES = [f"Sentence number {n} speaks of the harbour." for n in range(9)]


def lines(before: str, after: str, **changes):
    return compare(Version(title="A title", text=before), Version(title=changes.get("title", "A title"), text=after))


def kinds(found):
    return [line.kind for line in found]


def test_a_changed_figure_is_marked_in_its_sentence():
    (line,) = [one for one in lines("It cost 480 crowns.", "It cost 520 crowns.") if one.kind == "changed"]

    assert line.pieces == (
        Piece("same", "It cost "), Piece("removed", "480 "), Piece("added", "520 "), Piece("same", "crowns."),
    )  # fmt: skip


def test_dissimilar_sentences_are_not_paired():
    found = lines("The boat sails on Friday.", "Nobody knows what bakers want!")

    assert kinds(found)[-2:] == ["removed", "added"]


def test_equal_sentences_far_from_a_change_are_only_counted():
    found = lines(
        " ".join(SENTENCES), " ".join([*SENTENCES[:-1], "Something else entirely happened elsewhere, at sea."])
    )

    assert [line.skipped for line in found if line.kind == "skipped"] == [8]


def test_titles_are_compared_too():
    found = lines("Text.", "Text.", title="Another title")

    assert [piece.text for piece in found[0].pieces if piece.kind == "added"] == ["Other", "title"] or found[
        0
    ].kind == "changed"


def test_equal_texts_have_no_differences():
    assert {line.kind for line in lines(" ".join(SENTENCES), " ".join(SENTENCES))} <= {"same", "skipped"}


def test_too_long_texts_are_not_compared():
    long = "\n".join(f"Line {n}." for n in range(MOST_LINES + 1))

    assert compare(Version(title=None, text=long), Version(title=None, text="Short.")) is None
