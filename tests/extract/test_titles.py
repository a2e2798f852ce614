import pytest

from tasks.extract.titles import choose_title, without_site


@pytest.mark.parametrize(
    ("headings", "candidates", "title"),
    [
        (["Harbour reopens"], ["Harbour reopens - Port Courier"], "Harbour reopens"),
        (["Port Courier"], ["Harbour reopens"], "Harbour reopens"),
        (["Port Courier", "Harbour reopens after repairs"], ["Harbour reopens"], "Harbour reopens after repairs"),
        (["All the news of the coast"], ["Harbour reopens to the ferries"], "Harbour reopens to the ferries"),
        (
            ["Islanders cheer as old harbour takes ferries back"],
            ["Harbour open: ferries sail"],
            "Islanders cheer as old harbour takes ferries back",
        ),
        (["Harbour reopens"], [], "Harbour reopens"),
        ([], ["", "Harbour reopens after repairs | Port Courier"], "Harbour reopens after repairs"),
        ([], [], None),
    ],
)
def test_the_title_is_the_heading_confirmed_by_metadata(headings, candidates, title):
    assert choose_title(headings, candidates, ["Port Courier"]) == title


def test_a_lower_heading_in_a_script_without_spaces_can_be_the_title():
    title = choose_title(
        ["Port Courier"], ["Port Courier - 旧港がフェリーに再び開放"], [], others=["旧港がフェリーに再び開放"]
    )

    assert title == "旧港がフェリーに再び開放"


@pytest.mark.parametrize(
    ("title", "bare"),
    [
        ("Harbour reopens - Port Courier", "Harbour reopens"),
        ("Harbour reopens | Port Courier", "Harbour reopens"),
        ("Harbour reopens after repairs – Local – Port Courier", "Harbour reopens after repairs"),
        ("Harbour reopens · PORT COURIER", "Harbour reopens"),
        ("Harbour reopens | portcourier", "Harbour reopens"),
        ("Port Courier - our paper turns fifty", "Port Courier - our paper turns fifty"),
        ("Ferry - train - bus: what sails when", "Ferry - train - bus: what sails when"),
        ("Well-known harbour reopens", "Well-known harbour reopens"),
        ("Port Courier", "Port Courier"),
    ],
)
def test_a_site_name_at_the_end_is_removed(title, bare):
    assert without_site(title, frozenset(("portcourier", "portcourierexample"))) == bare


def test_a_titles_length_is_bounded():
    assert len(choose_title([], ["harbour | " * 100_000], [])) <= 500


@pytest.mark.parametrize(
    ("headings", "candidates", "title"),
    [
        (["Island letters : What the port reads"], ["What the port reads"], "What the port reads"),
        (["3 May 2024 What the port reads"], ["What the port reads"], "What the port reads"),
        (
            ["島の便り：港の朝"],
            ["港の朝"],
            "島の便り：港の朝",
        ),  # words are not parted there: nobody knows where it begins
        (["The harbour reopens"], ["Harbour reopens"], "The harbour reopens"),
        (["Local"], ["Harbour reopens - Local"], "Harbour reopens"),
        (
            ["Planning"],
            ["Your wedding checklist for the planning of a year"],
            "Your wedding checklist for the planning of a year",
        ),
        (
            ["Sleep is good for ferrymen | Opinion"],
            ["Sleep is good for ferrymen | Opinion"],
            "Sleep is good for ferrymen",
        ),
        ([], ["Harbour reopens after repairs | Press Room"], "Harbour reopens after repairs"),
    ],
)
def test_text_beside_the_title_is_removed(headings, candidates, title):
    assert choose_title(headings, candidates, ["Port Courier"], sections=["Local", "opinion"]) == title


def test_a_lower_heading_is_the_title_if_the_main_one_is_the_site_name():
    candidates = ["Copper Kettle: Notes on a ferry"]

    assert choose_title([], candidates, ["Copper Kettle"], others=["Menu", "Notes on a ferry"]) == "Notes on a ferry"
