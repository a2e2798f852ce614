import pytest

from tasks.extract.head import MetadataWords, drop_head
from tasks.extract.tree import words_of

SAID = MetadataWords(
    titles=(words_of("Harbour reopens after repairs"),),
    section=words_of("Local News"),
    names=frozenset(words_of("Mara Quill")),
)
BODY = ["The harbour reopened on Monday.", "Ships are back."]


@pytest.mark.parametrize(
    "line",
    [
        "Harbour reopens after repairs",
        "HARBOUR REOPENS, after repairs!",
        "Breaking: Harbour reopens after repairs",
        "Harbour reopens after repairs | Port Courier",
        "By Mara Quill",
        "Mara Quill",
        "By Mara Quill | 11 February 2025",
        "Mara Quill, 02.03.26",
        "11 กุมภาพันธ์ 2568",
        "โดย Mara Quill | 11 กุมภาพันธ์ 2568",
        "Mara Quill, mara@courier.example",
        "Local News",
        "LONDON",
        "東京",
        "2 March 2026",
        "02.03.26, 06:15",
        "2026年3月2日",
    ],
)
def test_lines_that_repeat_metadata_are_removed(line):
    assert drop_head([line, *BODY], SAID) == BODY


@pytest.mark.parametrize(
    "line",
    [
        "Harbour reopens after repairs that took three weeks and cost more than four million",
        "Mara Quill found the first crack, long before anybody else had thought of looking.",
        "In 2026 the harbour closed.",
        "ท่าเรือปิดตั้งแต่ 11 กุมภาพันธ์ 2568 เป็นต้นมา",
        "Quill and eleven others of 40 who saw it",
        "Write to the port authority: office@port.example",
        "Local News is what we do",
        "Two words",
        "Silence.",
        "Quill did.",
        "雨が降り始めた。",
        "「もう限界です」",
        "港务长不同意",
        "정말입니다.",
    ],
)
def test_lines_that_say_more_stay(line):
    assert drop_head([line, *BODY], SAID) == [line, *BODY]


def test_a_name_with_its_role_is_removed_in_a_script_without_spaces():
    said = MetadataWords(titles=(), section=(), names=frozenset(["山田花子"]))

    assert drop_head(["山田花子記者", *BODY], said) == BODY
    assert drop_head(["山田花子が港で見たもの", *BODY], said)[0] == "山田花子が港で見たもの"


def test_only_the_first_lines_are_checked():
    lines = [*(f"Line number {n} of the story that is told" for n in range(5)), "Mara Quill"]

    assert drop_head(lines, SAID) == lines


def test_a_single_line_stays():
    assert drop_head(["LONDON"], SAID) == ["LONDON"]


def test_without_metadata_nothing_is_removed():
    assert drop_head(BODY, MetadataWords(titles=(), section=(), names=frozenset())) == BODY


@pytest.mark.parametrize("line", ["ผลสลากงวด 16 ธันวาคม 2567", "ผลสลากงวด 16 ธันวาคม 2567 | Port Courier"])
def test_a_title_with_a_buddhist_year_is_removed(line):
    said = MetadataWords(titles=(words_of("ผลสลากงวด 16 ธันวาคม 2567"),), section=(), names=frozenset())

    assert drop_head([line, *BODY], said) == BODY
