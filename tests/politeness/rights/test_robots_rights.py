"""Rights in robots.txt: groups, paths, rules for us, rules for AI crawlers."""

import time

import pytest

from tasks.politeness.rights.mapping import verdict_on
from tasks.politeness.rights.page import header_signals
from tasks.politeness.rights.robots_lines import rights_lines_of
from tasks.politeness.rights.site import read_robots
from tasks.politeness.robots import MAX_ROBOTS_SIZE, RobotsText
from tasks.values.rights import CONTENT_SIGNAL, CONTENT_USAGE, CRAWLERS, ROBOTS, Purpose

US = "Presslake/0.2 (+https://presslake.example/)"
OTHER = "OtherBot/1"

PATHS = b"""
User-agent: *
Disallow: /intern/
Content-Usage: train-ai=n, search=y
Content-Usage: /frei/ train-ai=y
Content-Usage: /frei/foto/ train-ai=n
Content-Usage: /frei/foto/ train-ai=y, ai-use=n
Content-Usage: /*.pdf$ ai-use=n
User-agent: Presslake
Content-Usage: ai-use=y
"""


def said(body, path, *, agent=US, signal=None):
    read = read_robots(body, agent)
    url = f"https://gazette.example{path}"
    if not read.policy.allows(url, user_agent=agent):
        return None
    return [one for one in read.rights.signals_for(url, policy_id="p") if signal in {None, one.signal}]


def answers(signals):
    purposes = (Purpose.AI_TRAIN, Purpose.AI_INPUT, Purpose.SEARCH)
    return " ".join(verdict_on(one, signals).answer for one in purposes)


@pytest.mark.parametrize(
    ("agent", "path", "expected"),
    [
        (OTHER, "/a", "n ? y"),
        (OTHER, "/intern/a", None),
        (OTHER, "/frei/t", "y ? ?"),
        (OTHER, "/frei/foto/1", "n n ?"),
        (OTHER, "/frei/b.pdf", "? n ?"),
        (US, "/a", "? y ?"),
        (US, "/intern/a", "? y ?"),
    ],
)
def test_only_the_longest_path_and_only_our_own_group_count(agent, path, expected):
    signals = said(PATHS, path, agent=agent)

    assert (signals and answers(signals)) == expected


@pytest.mark.parametrize(
    ("line", "path", "values"),
    [
        ("Content-Usage : /x\ttrain-ai=n # why", "/x/1", ["train-ai=n"]),
        ("Content-Usage : /x\ttrain-ai=n # why", "/y", []),
        ("Content-Usage: /free/train-ai=y", "/free/train-ai=y", ["unset"]),
        ("Content-Usage: *.pdf train-ai=n", "/a.pdf", ["unreadable"]),
        ("CONTENT-USAGE:train-ai=n", "/", ["train-ai=n"]),
    ],
)
def test_a_line_has_a_path_if_its_value_begins_with_a_slash(line, path, values):
    body = f"User-agent: *\n{line}\n".encode()

    assert [one.value for one in said(body, path, signal=CONTENT_USAGE)] == values


@pytest.mark.parametrize(
    ("lines", "path", "expected"),
    [
        (["Content-Signal: search=yes, ai-train=no"], "/", "n ? y"),
        (["content-signal:search=yes,ai-train=no,use=reference"], "/", "n ? y"),
        (["Content-Signal: /blog/ ai-train=no"], "/blog/1", "n ? ?"),
        (["Content-Signal: /blog/ ai-train=no"], "/x", "? ? ?"),
        (["Content-Signal: ai-train=no", "User-agent: *", "Content-Signal: ai-train=yes"], "/", "n ? ?"),
        (["Content-Signal: ai-train=maybe, tdm=no"], "/", "? ? ?"),
        (["Content-Signal: ai-train=no", "Content-Signal: /a/ ai-train=yes"], "/a/1", "y ? ?"),
        (["Content-Signal: ai-train=no, ai-train=yes"], "/", "n ? ?"),
    ],
)
def test_a_content_signal_is_read(lines, path, expected):
    body = "\n".join(["User-agent: *", *lines, "Allow: /"]).encode()

    assert answers(said(body, path, signal=CONTENT_SIGNAL)) == expected


def test_an_immediate_use_refuses_the_archive():
    signals = said(b"User-agent: *\nContent-Signal: use=immediate\nAllow: /\n", "/")

    assert verdict_on(Purpose.ARCHIVE, signals).answer == "n"


LISTED = b"User-agent: GPTBot\nContent-Signal: ai-train=no\nUser-agent: CCBot\nDisallow: /\n"


def test_an_unknown_line_does_not_end_a_list_of_agents():
    [group] = rights_lines_of(RobotsText.of(LISTED)).groups
    found = said(LISTED, "/a", signal=CRAWLERS)

    assert (group.agents, group.signals) == (("gptbot", "ccbot"), ("ai-train=no",))
    assert [(one.scope, one.value) for one in found] == [("GPTBot CCBot", "disallow")]


def test_a_licence_does_not_end_a_list_of_agents():
    body = LISTED.replace(b"Content-Signal: ai-train=no", b"License: https://a.example/l.xml")

    [group] = rights_lines_of(RobotsText.of(body)).groups

    assert (group.agents, group.licences) == (("gptbot", "ccbot"), ("https://a.example/l.xml",))


def test_vendor_specific_lines_are_ignored():
    body = b"User-agent: *\nPermits: all\nProhibits: ai-train\nCompensation: 5 USD\nAllow: /\n"

    assert answers(said(body, "/")) == "? ? ?"


@pytest.mark.parametrize(("header", "expected"), [("train-ai=y", "n ? ?"), ("ai-use=n, search=y", "n n y")])
def test_header_and_robots_txt_have_equal_rank(header, expected):
    file = said(b"User-agent: *\nContent-Usage: train-ai=n\nAllow: /\n", "/")

    assert answers([*file, *header_signals([("content-usage", header)], token="presslake")]) == expected


def test_a_content_usage_ends_a_list_of_agents_and_the_alternative_is_noted():
    body = LISTED.replace(b"Content-Signal: ai-train=no", b"Content-Usage: train-ai=n")

    lines = rights_lines_of(RobotsText.of(body))

    assert [group.agents for group in lines.groups] == [("gptbot",), ("ccbot",)]
    assert lines.is_split
    assert any("Content-Usage ends a list" in one.raw for one in read_robots(body, US).rights.statements)
    assert not rights_lines_of(RobotsText.of(PATHS)).is_split


def test_groups_of_one_name_are_merged_and_do_not_inherit_from_the_star():
    body = b"User-agent: *\nContent-Signal: ai-train=no\nDisallow:\nUser-agent: presslake\nContent-Signal: search=yes\nAllow: /\n"

    assert answers(said(body, "/")) == "? ? y"
    assert answers(said(body, "/", agent=OTHER)) == "n ? ?"


def test_rules_for_ai_crawlers_are_recorded_and_refuse_us_nothing():
    body = (
        b"User-agent: GPTBot\nUser-agent: CCBot\nDisallow: /\n\nUser-agent: Google-Extended\nDisallow: /premium/\n\n"
        b"User-agent: ClaudeBot\nAllow: /\n\nUser-agent: AI\nDisallow: /\n\nUser-agent: *\nDisallow: /admin/\n"
    )

    signals = said(body, "/premium/1")
    statements = read_robots(body, US).rights.statements

    assert [(one.signal, one.scope, one.value, one.policy_id) for one in signals] == [
        (ROBOTS, "*", "allow", "p"),
        (CRAWLERS, "GPTBot CCBot", "disallow", "p"),
        (CRAWLERS, "Google-Extended", "disallow", "p"),
    ]
    assert answers(signals) == "? ? ?"
    assert [(one.scope, one.value) for one in statements] == [
        ("presslake", "partly"), ("GPTBot CCBot", "disallow"), ("ClaudeBot", "allow"), ("Google-Extended", "partly"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"License: https://a.example/g.xml\nUser-agent: *\nDisallow:\n", ("https://a.example/g.xml",)),
        (b"License: https://a.example/g.xml\nUser-agent: Presslake\nLicense: https://a.example/p.xml\n",
         ("https://a.example/p.xml",)),
        (b"User-agent: Presslake\nDisallow: /x\nLicense: https://a.example/p.xml\n", ("https://a.example/p.xml",)),
        (b"User-agent: GPTBot\nLicense: https://a.example/p.xml\n", ()),
    ],
)  # fmt: skip
def test_a_groups_licence_overrides_the_sites(body, expected):
    assert read_robots(body, US).rights.licences == expected


def test_an_html_page_states_nothing_and_is_marked_unreadable():
    read = read_robots(b"<!doctype html><p>User-agent: *\nContent-Signal: ai-train=yes\n", US)

    assert [one.value for one in read.rights.signals_for("https://gazette.example/", policy_id=None)] == ["unreadable"]
    assert [one.value for one in read.rights.statements] == ["unreadable"]


def test_a_file_that_is_too_long_is_marked_as_truncated():
    body = b"User-agent: *\nContent-Signal: ai-train=no\n" + b"# more\n" * MAX_ROBOTS_SIZE

    read = read_robots(body[:MAX_ROBOTS_SIZE], US).rights

    assert any(one.value == "unreadable" and "longer" in one.raw for one in read.statements)
    assert answers(list(read.signals_for("https://gazette.example/", policy_id=None))) == "n ? ?"


def test_thousands_of_groups_are_parsed_within_bounds():
    groups = b"".join(
        b"User-agent: bot%s\nContent-Signal: ai-train=no\nDisallow: /%d\n" % (b"x" * (n % 50), n) for n in range(9000)
    )
    began = time.process_time()

    rights = read_robots(groups + b"User-agent: *\nContent-Signal: /%d ai-train=no\n" * 3000, US).rights

    assert time.process_time() - began < 3.0
    assert len(rights.statements) <= 300


def test_a_line_before_any_group_applies_to_nobody_and_is_kept():
    body = b"Content-Signal: ai-train=no\nUser-agent: *\nAllow: /\n"

    assert answers(said(body, "/")) == "? ? ?"
    assert [one.raw for one in read_robots(body, US).rights.statements][-1] == "content-signal: ai-train=no"
