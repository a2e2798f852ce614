import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.extract.mojibake import mend
from tests.extract.reading import page, read_page


def misread(text: str) -> str:
    return "".join(bytes((byte,)).decode("cp1252") if byte not in GAPS else chr(byte) for byte in text.encode())


GAPS = {0x81, 0x8D, 0x8F, 0x90, 0x9D}
LINES = (
    "Un café à Orléans, déjà fermé",
    "“Quotes” – and a dash… don’t",
    "Größe, Straße, Übermut",
    "Øyene på Skarv får fløt",
    "São Paulo, coração",
    "Гавань открыта снова",
    "Λιμάνι ανοιχτό",
    "Ćwierć żółtej łodzi",
    "Österreich, Århus, Übersee",
    "港は再び開いた",
    "Price: 40 € for 2 m²",
)


@pytest.mark.parametrize("line", LINES)
def test_a_line_that_was_read_wrongly_is_mended(line):
    assert mend(misread(line)) == line


@pytest.mark.parametrize(
    "line",
    [
        *LINES,
        "Le CAFÉ» est fermé",
        "VOLTA AMANHÃ…",
        "“SO IRMÔ",
        "LA CAFÉ» AND",
        "CAFÉ» and CAFÉ… in capitals",
        "São João",
        "Â",
        "ÃO",
        "plain",
        "",
    ],
)
def test_a_line_that_is_right_is_left(line):
    assert mend(line) == line


def test_a_line_that_is_right_in_part_is_left():
    assert mend("Größe und GrÃ¶ÃŸe") == "Größe und GrÃ¶ÃŸe"


@pytest.mark.parametrize(("line", "meant"), [("dÃ©jÃ  vu", "déjà vu"), ("â€œSo,â€ he said", "“So,” he said")])
def test_what_lost_its_last_byte_on_the_way_is_guessed(line, meant):
    assert " ".join(mend(" ".join(line.split())).split()) == meant


def test_it_is_mended_once():
    twice = misread(misread("café"))

    assert mend(twice) == misread("café")


@given(st.text(max_size=100))
def test_no_text_breaks_it(text):
    mend(text)


def test_title_and_text_of_a_page_are_mended():
    story = "L’été dernier, déjà, la mer était montée jusqu’au café du port, dit le maire."
    found = read_page(page(inside=f"<p>{misread(story)}</p>").replace("Harbour reopens", misread("L’été au café")))

    assert found.metadata.title == "L’été au café"
    assert story in found.lines
