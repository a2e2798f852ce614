"""`presslake settings`, `--version`, `-h` and shell completion."""

import pytest


def test_each_setting_shows_its_origin_and_no_secret(offline_presslake):
    ended = offline_presslake.run(
        "settings", "--index", "postgresql://u:geheim@db/x?password=geheim", "--json", PRESSLAKE_BATCH_SIZE="7",
        AWS_REGION="eu-north-1", PREFECT_API_AUTH_STRING="u:geheim",
    )  # fmt: skip

    told = ended.json()
    assert told["index"] == {"value": "postgresql://u:***@db/x?***", "from": "--index"}
    assert told["batch_size"] == {"value": "7", "from": "PRESSLAKE_BATCH_SIZE"}
    assert told["s3_region"] == {"value": "eu-north-1", "from": "AWS_REGION"}
    assert told["every_s"] == {"value": "900", "from": "default"}
    assert "geheim" not in ended.out


def test_changed_shows_only_changed_settings(offline_presslake):
    told = offline_presslake.run("settings", "--changed", "--json", PRESSLAKE_EVERY_S="60").json()

    assert "timeout_s" not in told
    assert told["every_s"]["value"] == "60"


@pytest.mark.parametrize("width", [80, 120])
def test_the_table_fits_the_terminal(offline_presslake, width):
    short = {"PRESSLAKE_LAKE": "lake", "PRESSLAKE_INDEX": "sqlite:///i.db", "PREFECT_HOME": "prefect"}
    lines = offline_presslake.run("settings", COLUMNS=str(width), **short).out.splitlines()

    assert [line for line in lines if len(line) > width] == []
    assert any(len(line) > width - 10 for line in lines)  # and uses the width


def test_the_version_is_the_packages(offline_presslake):
    assert offline_presslake.run("--version").out.startswith("presslake 0.")


def test_help_shows_the_commands_in_groups_with_ingest_first(offline_presslake):
    shown = offline_presslake.run("-h").out

    assert shown.partition("Collect:\n")[2].split()[0] == "ingest"
    assert [shown.index(group) for group in ("Collect:", "Inspect:", "Maintain:", "Set up:")] == sorted(
        shown.index(group) for group in ("Collect:", "Inspect:", "Maintain:", "Set up:")
    )


@pytest.mark.parametrize("words", [("ingest", "-h"), ("sources", "add", "-h"), ("sources", "-h")])
def test_every_command_accepts_h_for_help(offline_presslake, words):
    assert "Usage: presslake" in offline_presslake.run(*words).out


def test_the_shell_completes_source_ids(offline_presslake):
    (offline_presslake.home / "sources.yaml").write_text("sources: [{id: daily}, {id: weekly}]\n")

    ended = offline_presslake.run(
        check=False, _PRESSLAKE_COMPLETE="complete_bash", COMP_WORDS="presslake ingest --source da", COMP_CWORD="3"
    )

    assert ended.out.split() == ["daily"]


@pytest.mark.parametrize("every", ["soon", "5", "30s", "-1h", "31d", "9" * 5000 + "d", "\u00b2h"])
def test_an_invalid_interval_is_named(offline_presslake, every):
    ended = offline_presslake.run("up", f"--every={every}", check=False)

    assert ended.code == 2
    assert "--every" in ended.err


@pytest.mark.parametrize(
    "index", ["postgresql+psycopg:///x?port=abc", "postgresql+psycopg://u:geheim@127.0.0.1:9/x?options=-cgeheim"]
)
def test_errors_show_no_secret_of_the_index_and_no_traceback(offline_presslake, index):
    ended = offline_presslake.run("status", "--index", index, check=False)

    assert ended.code == 2
    assert len(ended.err.splitlines()) == 1
    assert "geheim" not in ended.err
    assert "abc" not in ended.err


@pytest.mark.parametrize(
    "words",
    [
        ("ingest", "--feed", "http://user:geheim@x.example/f"),
        ("ingest", "--url", "http://user:geheim@x.example/f"),
        ("forget", "--url", "http://user:geheim@x.example/f"),
        ("sql", "select 1", "--lake", "s3://key:geheim@news/lake"),
        ("sql", "select 1", "--lake", "gs://key:geheim@news/lake"),
        ("sources", "add", "http://user:geheim@x.example/f"),
        ("backfill", "warc", "s3://key:geheim@news/x.warc"),
    ],
)
def test_a_password_in_an_address_is_not_shown(offline_presslake, words):
    ended = offline_presslake.run(*words, check=False)

    assert ended.code == 2
    assert ended.err.count("presslake: ") + ended.err.count("bad_url") == 1
    assert "geheim" not in ended.err


def test_a_wrong_setting_is_said_without_the_words_of_a_library(offline_presslake):
    ended = offline_presslake.run("status", check=False, PRESSLAKE_BROWSE_URL="x")

    assert (ended.code, ended.out) == (2, "")
    assert ended.err.startswith("presslake: PRESSLAKE_BROWSE_URL: should be a URL")


def test_a_language_that_is_none_is_said_to_be_none(offline_presslake):
    ended = offline_presslake.run("backfill", "warc", "x.warc", "--language", "", check=False)

    assert (ended.code, ended.err) == (2, "presslake: --language: should be a language, such as en or pt-BR\n")
