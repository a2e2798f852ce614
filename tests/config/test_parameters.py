"""Which parameters the form and the command line accept."""

from datetime import UTC, datetime, timedelta

import pytest
from pydantic import ValidationError

from tasks.config.parameters import IngestConfig, parse_since

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("90m", NOW - timedelta(minutes=90)),
        ("6h", NOW - timedelta(hours=6)),
        ("3d", NOW - timedelta(days=3)),
        ("2w", NOW - timedelta(weeks=2)),
        ("2026-02-01", datetime(2026, 2, 1, tzinfo=UTC)),
        ("2026-02-01T06:30", datetime(2026, 2, 1, 6, 30, tzinfo=UTC)),
        ("2026-02-01 06:30:15Z", datetime(2026, 2, 1, 6, 30, 15, tzinfo=UTC)),
        ("2026-02-01T06:30+02:00", datetime(2026, 2, 1, 4, 30, tzinfo=UTC)),
    ],
)
def test_since_accepts_an_age_or_an_instant(text, instant):
    assert parse_since(text, now=NOW) == instant
    assert IngestConfig(since=text).since_at(NOW) == instant


@pytest.mark.parametrize(
    "config",
    [
        {"limit": -1},
        {"limit": "many"},
        {"limit": None},
        {"shards": 0},
        {"shards": 65},
        {"since": "yesterday"},
        {"since": "-3d"},
        {"since": "99999d"},
        {"since": "2026-02-30"},
        {"since": "2999-01-01"},
        {"since": "6h", "urls": ["https://daily.example/a"]},
        {"urls": ["daily.example/a"]},
        {"feeds": ["ftp://daily.example/feed"]},
        {"sourcs": ["daily"]},
    ],
    ids=str,
)
def test_a_bad_value_is_refused(config):
    with pytest.raises(ValidationError):
        IngestConfig(**config)


def test_the_form_describes_every_field_in_order_without_union_types():
    fields = IngestConfig.model_json_schema()["properties"]

    positions = [field["position"] for field in fields.values()]
    assert positions == list(range(1, len(fields) + 1))
    assert all(field["description"].endswith(".") for field in fields.values())
    assert not [name for name, field in fields.items() if "anyOf" in field]


def test_the_forms_schema_refuses_values_out_of_bounds():
    fields = IngestConfig.model_json_schema()["properties"]

    assert (fields["limit"]["minimum"], fields["shards"]["minimum"], fields["shards"]["maximum"]) == (0, 1, 64)
    assert "pattern" in fields["since"]
