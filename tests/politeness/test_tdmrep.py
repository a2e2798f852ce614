"""What a tdmrep.json says of which page."""

import json

import pytest

from tasks.politeness.tdmrep import Reservations, parse_tdmrep

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
def test_a_location_is_a_pattern_as_in_robots(location, expected):
    assert said(rule(location)) is expected


def test_the_first_rule_that_matches_counts():
    assert said(rule("/news/", 0), rule("/", 1)) is False
    assert said(rule("/", 1), rule("/news/", 0)) is True


@pytest.mark.parametrize(("reservation", "expected"), [(1, True), ("1", True), (0, False), (2, None), (None, None)])
def test_a_reservation_is_one_or_zero(reservation, expected):
    assert said(rule("/", reservation)) is expected


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<!doctype html>",
        b"\xff",
        b"7",
        b"null",
        b"[]",
        b'["/"]',
        b'[{"location": 1, "tdm-reservation": 1}]',
        b"[" * 5000,
    ],
)
def test_what_is_not_understood_says_nothing(body):
    assert parse_tdmrep(body) == Reservations.none_said()


def test_a_rule_may_stand_alone():
    assert parse_tdmrep(json.dumps(rule("/")).encode()).says(PAGE) is True
