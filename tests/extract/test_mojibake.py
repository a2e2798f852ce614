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
def test_a_wrongly_decoded_line_is_repaired(line):
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
def test_a_correct_line_stays(line):
    assert mend(line) == line


def test_a_partly_correct_line_stays():
    assert mend("Größe und GrÃ¶ÃŸe") == "Größe und GrÃ¶ÃŸe"


@pytest.mark.parametrize(("line", "meant"), [("dÃ©jÃ  vu", "déjà vu"), ("â€œSo,â€ he said", "“So,” he said")])
def test_a_lost_last_byte_is_guessed(line, meant):
    assert " ".join(mend(" ".join(line.split())).split()) == meant


def test_repair_is_applied_once():
    twice = misread(misread("café"))

    assert mend(twice) == misread("café")


@given(st.text(max_size=100))
def test_no_text_raises(text):
    mend(text)


def test_title_and_text_of_a_page_are_repaired():
    story = "L’été dernier, déjà, la mer était montée jusqu’au café du port, dit le maire."
    found = read_page(page(inside=f"<p>{misread(story)}</p>").replace("Harbour reopens", misread("L’été au café")))

    assert found.metadata.title == "L’été au café"
    assert story in found.lines
