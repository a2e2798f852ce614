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
def test_the_title_is_the_heading_that_the_page_confirms(headings, candidates, title):
    assert choose_title(headings, candidates, ["Port Courier"]) == title


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
def test_a_sites_name_at_the_end_goes(title, bare):
    assert without_site(title, frozenset(("portcourier", "portcourierexample"))) == bare


def test_a_title_is_bounded():
    assert len(choose_title([], ["harbour | " * 100_000], [])) <= 500
