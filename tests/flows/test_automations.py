"""The definitions of automations in deploy/, and the refusal of wrong ones."""

from pathlib import Path

import pytest
from prefect.events.schemas.automations import EventTrigger

from flows.server.automations import FLOWS, NOBODY, check_interval, read_definitions
from tasks.errors import ConfigError
from tasks.report.events import NAMES, POLICY_CHANGED, RUN_FINISHED

DEFINITIONS = Path(__file__).parents[2] / "deploy/automations"
VALUES = {"block": NOBODY, "stuck_after_s": 600, "flows": list(FLOWS)}


def test_exactly_the_events_that_need_attention_have_an_automation():
    triggers = [one.trigger for one in read_definitions(DEFINITIONS, VALUES)]

    expected = {name for one in triggers for name in one.expect if name.startswith("presslake.")}

    assert all(isinstance(one, EventTrigger) for one in triggers)
    # a changed robots.txt needs no attention: the weekly artifact shows it, and listeners may use the event
    assert expected == set(NAMES) - {RUN_FINISHED, POLICY_CHANGED}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name: [", "a.yaml: while parsing"),
        ("name: a", "a.yaml: trigger"),
        ("name: a\ntrigger: {type: event, within: $soon}\nactions: []", "a.yaml: $soon is none of $block"),
        (None, "no automation definitions"),
    ],
)
def test_a_wrong_definition_is_reported_with_its_file(tmp_path, text, message):
    if text:
        (tmp_path / "a.yaml").write_text(text)

    with pytest.raises(ConfigError) as error:
        read_definitions(tmp_path, VALUES)

    assert message in str(error.value)


def test_an_interval_that_would_kill_live_runs_is_refused():
    check_interval(600)

    with pytest.raises(ConfigError, match="would kill live runs"):
        check_interval(360)
