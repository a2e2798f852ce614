import pytest

from tests.extract.reading import PARAGRAPHS, page, read_page

NOTES = {
    "en": "Minutes of the port board of 14 February, page 4; the divers' log says so as well.",
    "ja": "港湾局の二月十四日の議事録、四ページ。潜水士の日誌にも同じ記述がある。",
    "ar": "محضر مجلس الميناء بتاريخ ١٤ فبراير، الصفحة ٤، وكذلك سجل الغواصين.",
}


def read_lines(mark: str, notes: str) -> list[str]:
    html = page(after=f"<div>{notes}</div>")
    return read_page(html.replace("the port authority said", f"the port authority said{mark}")).lines


@pytest.mark.parametrize("note", NOTES.values(), ids=NOTES)
@pytest.mark.parametrize(
    ("mark", "notes"),
    [
        ('<sup><a href="#fn1">1</a></sup>', '<ol><li id="fn1">{} <a href="#back">↩</a></li></ol>'),
        ('<a href="#n">[1]</a>', '<p id="n">{}</p>'),
        ('<a href="#star">*</a>', '<p><a id="star">*</a> {}</p>'),
        (
            '<a href="#r1">1–3</a>',
            '<h2>Notes</h2><ol><li id="r1">{0}</li><li id="r2">{0} 2</li><li id="r3">{0} 3</li></ol>',
        ),
    ],
)
def test_footnotes_linked_from_a_mark_are_removed(mark, notes, note):
    assert len(read_lines(mark, notes.format(note))) == len(PARAGRAPHS)
    assert note not in "".join(read_lines(mark, notes.format(note)))


@pytest.mark.parametrize(
    ("mark", "notes"),
    [
        ('<a href="#log">, as the log says</a>', '<p id="log">{}</p>'),  # a link to a part of the story
        (
            "",
            '<ol><li><a href="#log">1</a></li><li><a href="#b">2</a></li></ol><ul><li id="log">{}</li></ul>',
        ),  # a menu
        (
            "",
            '<p id="log">{}</p><p>That is all of it <a href="#log">1</a>, the authority said on Monday.</p>',
        ),  # above it
        ('<a href="#log">1</a>', '<div id="log"><p>{}</p></div>'),  # a part of its own
    ],
)
def test_other_link_targets_stay(mark, notes):
    html = page(inside=notes.format(NOTES["en"])).replace("the port authority said", f"the port authority said{mark}")

    assert any("port board" in line for line in read_page(html).lines)


def test_notes_that_make_up_most_of_the_text_stay():
    notes = "".join(f'<li id="n{at}">{one}</li>' for at, one in enumerate(PARAGRAPHS))
    marks = "".join(f'<a href="#n{at}">{at}</a>' for at in range(len(PARAGRAPHS)))
    html = (
        page().split("<p>")[0]
        + f"<p>The harbour is open again{marks} to all.</p><ol>{notes}</ol></div></main></body></html>"
    )

    assert PARAGRAPHS[2] in read_page(html).text
