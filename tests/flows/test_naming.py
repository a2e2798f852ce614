"""Runs are named after what they do, unless the user named them."""

import pytest
from prefect.utilities.names import generate_slug

from flows.sweep.naming import is_generated, replay_name, report_name, sweep_name
from tasks.config.choices import Period
from tasks.config.parameters import IngestConfig, ReportConfig
from tasks.replay.config import ReplayConfig


@pytest.mark.parametrize(
    ("parameters", "name"),
    [
        ({}, "all sources"),
        ({"due_only": True}, "due"),
        ({"due_only": True, "sources": ["daily"]}, "due of daily"),
        ({"sources": ["a", "b", "c", "d"], "since": "6h"}, "4 sources since 6h"),
        ({"sources": ["daily", "weekly"]}, "daily, weekly"),
        (
            {"feeds": ["https://a.example/f"], "urls": ["https://a.example/1", "https://a.example/2"]},
            "1 feed and 2 URLs",
        ),
        ({"refetch": True, "limit": 1}, "all sources, refetched, 1 URL at most"),
        ({"dry_run": True}, "all sources, dry run"),
    ],
)
def test_a_sweep_is_named_after_its_parameters(parameters, name):
    assert sweep_name(parameters) == sweep_name(IngestConfig.model_validate(parameters)) == name


def test_a_report_is_named_after_its_period():
    assert report_name(ReportConfig(period=Period.WEEK)) == report_name({"period": "week"}) == "report of the week"
    assert report_name(None) == "report of the day"


@pytest.mark.parametrize(
    ("parameters", "name"),
    [
        ({}, "replay of all sources, dry run"),
        ({"sources": ["daily"], "since": "2026-03-01", "dry_run": False}, "replay of daily since 2026-03-01"),
        ({"urls": ["https://a.example/1"], "dry_run": False}, "replay of 1 URL"),
        ({"outcomes": ["quarantined"], "older": True}, "replay of all sources, quarantined, older rules, dry run"),
    ],
)
def test_a_replay_is_named_after_its_selection(parameters, name):
    assert replay_name(parameters) == replay_name(ReplayConfig.model_validate(parameters)) == name


def test_names_generated_by_prefect_are_recognised():
    assert [name for name in (generate_slug(2) for _ in range(200)) if not is_generated(name)] == []


@pytest.mark.parametrize("name", ["before the election", "my-run", "nightly", "due", "first-backfill", "2026-03-01"])
def test_a_users_name_is_not_taken_for_a_generated_one(name):
    assert not is_generated(name)
