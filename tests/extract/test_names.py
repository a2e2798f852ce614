import pytest

from tasks.extract.names import is_full_name, is_nickname, is_team, tidy_names


@pytest.mark.parametrize(
    ("said", "names"),
    [
        ("Mara Quill, Harbour Editor", ["Mara Quill"]),
        ("Mara Quill | Staff Writer", ["Mara Quill"]),
        ("Mara Quill - Senior Correspondent", ["Mara Quill"]),
        ("Mara Quill • 3 May 2024", ["Mara Quill"]),
        ("3 May 2024 by Mara Quill", ["Mara Quill"]),
        ("Mara Quill, 03.05.2024", ["Mara Quill"]),
        ("By Mara Quill 11 February 2025", ["Mara Quill"]),
        ("Mara Quill Feb. 11, 2025 at 3:15 p.m.", ["Mara Quill"]),
        ("By Mara Quill Published 11 Feb 2025 Updated 12 Feb 2025", ["Mara Quill"]),
        ("Mara Quill on February 11, 2025", ["Mara Quill"]),
        ("김민수 기자 mskim@port.example", ["김민수"]),
        ("本报记者 王小明", ["王小明"]),
        ("เรื่อง: สมชาย ใจดี", ["สมชาย ใจดี"]),
        ("Skrevet af Mette Holm", ["Mette Holm"]),
        ("Scritto da Marco De Luca", ["Marco De Luca"]),
        ("Opinion: harbours", ["Opinion: harbours"]),  # what follows the label is no name in full
        ("Von Jana Brandl 11. Februar 2025", ["Jana Brandl"]),
        ("Por Lucía Ferrán 11 de febrero de 2025", ["Lucía Ferrán"]),
        ("文・山田花子　2025年2月11日", ["山田花子"]),
        ("بقلم سامي حداد 11 فبراير 2025", ["سامي حداد"]),
        ("โดย สมชาย ใจดี 11 กุมภาพันธ์ 2568", ["สมชาย ใจดี"]),
        ("Prof. Mara Quill, Chief Economics Reporter, and Tom Hale", ["Prof. Mara Quill", "Tom Hale"]),
        ("Mara Quill for the Port Courier", ["Mara Quill"]),
        ("Von Jana Brandl, Kiel", ["Jana Brandl"]),
        ("Reporting by Mara Quill; Editing by Tom Hale", ["Mara Quill", "Tom Hale"]),
        ("Mara Quill, MD", ["Mara Quill, MD"]),
        ("Texte : Élise Aubert et Paul Renard", ["Élise Aubert", "Paul Renard"]),
        ("Автор: Анна Белова", ["Анна Белова"]),
        ("山田太郎、佐藤花子", ["山田太郎", "佐藤花子"]),
        ("记者 李明", ["李明"]),
        ("Ines de Quellmar", ["Ines de Quellmar"]),
        ("Gurus - Harbour", ["Gurus - Harbour"]),
        ("Courier Staff", ["Courier Staff"]),
        ("Port et AFP", ["Port et AFP"]),
        ("page.head.extra.author", []),
        ("mara@courier.example", []),
        ("Name *", []),
        ("May 3rd 2024 7:30AM", []),
        ("2024年5月3日", []),
    ],
)
def test_names_are_read_from_a_byline(said, names):
    assert list(tidy_names([said])) == names


@pytest.mark.parametrize(
    "text",
    ["Mara Quill", "Ines de Quellmar", "Juan Carlos de la Vega", "Mara Quill, MD", "Анна Белова", "山田太郎", "김민수"],
)
def test_a_full_name_is_a_name(text):
    assert is_full_name(text)


@pytest.mark.parametrize(
    "text",
    [
        "Mara",
        "Coast Editor",
        "Feb 11th 2025",
        "more about the harbour",
        "Read More",
        "東京社会部",
        "フォロー",
        "Mara Quill!?",
        "",
    ],
)
def test_other_texts_are_not_names(text):
    assert not is_full_name(text)


@pytest.mark.parametrize(("text", "is_one"), [("Mara", True), ("mquill", True), ("Author", False), ("Editor", False)])
def test_a_marked_word_may_be_a_nickname(text, is_one):
    assert is_nickname(text) is is_one


@pytest.mark.parametrize(
    ("text", "is_one"), [("Courier Staff", True), ("Read More", False), ("about the author here", False)]
)
def test_a_marked_house_may_be_an_author(text, is_one):
    assert is_team(text) is is_one
