"""`presslake search`, on the command line."""

import os

import pytest

from tests.engine import Presslake
from tests.lakes import Lake


@pytest.fixture(scope="module")
def command(tmp_path_factory) -> Presslake:
    home = tmp_path_factory.mktemp("command")
    lake = Lake(home)
    lake.publish(
        {}, {"article_id": "a2", "title": "\x1b[31mRed\u202e", "text": "Ferries sail at night.", "source_id": "b"}
    )
    return Presslake(home, {"PREFECT_API_URL": "http://127.0.0.1:9/api"})


def test_search_shows_articles_with_their_snippets(command):
    said = command.run("search", "harbour").out

    assert "1 article found" in said
    assert "Harbour reopens" in said
    assert "The harbour reopened on Monday. Ships are back." in said
    assert "https://daily.example/a" in said


def test_text_from_the_web_is_shown_escaped(command):
    said = command.run("search", "night").out

    assert "\x1b" not in said
    assert "\u202e" not in said


def test_search_prints_json_and_counts(command):
    found = command.run("search", "*", "--source", "b", "--json").json()
    counts = command.run("search", "*", "--by", "day").out

    assert [(hit["article_id"], hit["snippet"]["text"]) for hit in found["hits"]] == [("a2", "Ferries sail at night.")]
    assert (found["total"], found["counts"], found["is_behind"]) == (1, [], False)
    assert "2026-03-01         2  ####" in counts


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (("search", '"harbour'), 'presslake: the query has an unmatched "\n'),
        (("search", "harbour", "--by", "hour"), "presslake: --by hour: use one of day, week, month\n"),
        (("search", "harbour", "--since", "soon"), "presslake: --since soon: should be an age (90m, 6h, 3d, 2w) or a date (2026-03-01)\n"),
    ],
)  # fmt: skip
def test_a_mistake_is_one_line_and_exit_2(command, words, line):
    ended = command.run(*words, check=False)

    assert (ended.code, ended.out, ended.err) == (2, "", line)


@pytest.mark.parametrize("option", ["--source", "--tag", "--language"])
def test_undecodable_arguments_find_nothing(command, option):
    ended = command.run("search", "harbour", option, os.fsdecode(b"\xff"))

    assert ended.out.startswith("0 articles found")
