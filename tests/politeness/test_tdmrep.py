"""The statements of a tdmrep.json, by page."""

import json

import pytest

from tasks.politeness.tdmrep import parse_tdmrep

PAGE = "https://daily.example/news/2026/harbour.html"


def said(*rules, url=PAGE):
    return parse_tdmrep(json.dumps(rules).encode()).says(url)


def rule(location, reservation=1):
    return {"location": location, "tdm-reservation": reservation, "tdm-policy": "https://daily.example/policy.json"}


@pytest.mark.parametrize(
    ("location", "expected"),
    [
        ("/", True),
        ("/news/", True),
        ("news", True),
        ("/sport/", None),
        ("/*.html$", True),
        ("/*.htm$", None),
        ("*/2026/", True),
    ],
)
def test_a_location_is_a_robots_txt_pattern(location, expected):
    assert said(rule(location)) is expected


def test_the_first_matching_rule_applies():
    assert said(rule("/news/", 0), rule("/", 1)) is False
    assert said(rule("/", 1), rule("/news/", 0)) is True


@pytest.mark.parametrize(
    ("reservation", "expected"),
    [(1, True), (0, False), ("1", None), (True, None), (1.0, None), (2, None), (None, None)],
)
def test_a_reservation_is_1_or_0(reservation, expected):
    assert said(rule("/", reservation)) is expected


@pytest.mark.parametrize(
    ("body", "is_readable"),
    [
        (b"", False),
        (b"<!doctype html>", False),
        (b"\xff", False),
        (b"7", False),
        (b"null", False),
        (json.dumps(rule("/")).encode(), False),
        (b"[" * 5000, False),
        (b"[]", True),
        (b'["/"]', True),
        (b'[{"location": 1, "tdm-reservation": 1}]', True),
    ],
)
def test_an_unknown_value_states_nothing(body, is_readable):
    read = parse_tdmrep(body)

    assert (read.rules, read.is_readable) == ((), is_readable)


FILE = (
    rule("/dossier/frei/", 0),
    rule("/dossier/"),
    {"location": "/*.jpg$", "tdm-reservation": 0},
)


@pytest.mark.parametrize(
    ("path", "expected"),
    [("/dossier/x", True), ("/dossier/frei/x", False), ("/a.jpg", False), ("/a.jpg?w=2", None), ("/other", None)],
)
def test_a_files_first_matching_entry_decides(path, expected):
    assert said(*FILE, url=f"https://gazette.example{path}") is expected


def test_swapping_the_first_entries_changes_the_verdict():
    first, second, *rest = FILE

    assert said(second, first, *rest, url="https://gazette.example/dossier/frei/x") is True


def test_the_policy_of_a_rule_is_kept():
    found = parse_tdmrep(json.dumps(FILE).encode()).rule_for("https://gazette.example/dossier/x")

    assert (found.policy_url, found.location) == ("https://daily.example/policy.json", "/dossier/")
