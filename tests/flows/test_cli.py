"""The command line: one clear line and exit code 2 for every mistake, before contacting any server."""

import json
import sqlite3
from pathlib import Path

import jsonschema
import pytest
import yaml

from tasks.lake.objects.stores import S3Config, open_store
from tasks.lake.tables import open_table
from tests.engine import Presslake

GOOD = 'sources:\n  - id: daily\n    feeds: ["https://daily.example/feed.xml"]\n'


@pytest.fixture
def catalogue(tmp_path: Path) -> Path:
    path = tmp_path / "sources.yaml"
    path.write_text(GOOD)
    return path


def _complaint(presslake: Presslake, *words: str | Path, **environment: str) -> str:
    """Run a wrong command; return its one error line."""
    ended = presslake.run(*words, check=False, **environment)
    assert (ended.code, ended.out) == (2, ""), ended
    (line,) = ended.err.splitlines()
    return line


def test_a_missing_catalogue_is_named(offline_presslake):
    assert "nowhere.yaml" in _complaint(offline_presslake, "ingest", "--catalogue", "nowhere.yaml")


def test_a_wrong_field_is_named_with_its_file_and_line(offline_presslake, catalogue):
    catalogue.write_text(GOOD + "    crawl_dely_s: 3\n")

    line = _complaint(offline_presslake, "ingest", "--catalogue", catalogue)

    assert f"{catalogue}:4:" in line
    assert "crawl_delay_s" in line


def test_an_unwritable_lake_is_named(offline_presslake, catalogue):
    (offline_presslake.home / "file").write_text("no folder")

    assert "file/lake" in _complaint(offline_presslake, "ingest", "--catalogue", catalogue, "--lake", "file/lake")


def test_an_unreachable_bucket_is_named(offline_presslake, catalogue, aws_environment):
    line = _complaint(
        offline_presslake, "ingest", "--catalogue", catalogue, "--lake", "s3://news/lake",
        PRESSLAKE_S3_ENDPOINT_URL="http://127.0.0.1:9",
    )  # fmt: skip

    assert "s3://news/lake" in line
    assert "http://127.0.0.1:9" in line


@pytest.mark.s3
def test_a_missing_bucket_is_named(offline_presslake, catalogue, s3_url):
    line = _complaint(
        offline_presslake, "ingest", "--catalogue", catalogue, "--lake", "s3://no-such-bucket/lake",
        PRESSLAKE_S3_ENDPOINT_URL=s3_url,
    )  # fmt: skip

    assert "s3://no-such-bucket/lake: the bucket does not exist" in line


@pytest.mark.s3
def test_wrong_credentials_are_reported(offline_presslake, catalogue, ceph_url):
    line = _complaint(
        offline_presslake, "ingest", "--catalogue", catalogue, "--lake", "s3://news/lake",
        PRESSLAKE_S3_ENDPOINT_URL=ceph_url, AWS_SECRET_ACCESS_KEY="wrong",
    )  # fmt: skip

    assert "AWS_SECRET_ACCESS_KEY" in line


def test_a_lake_of_a_newer_format_is_reported(offline_presslake, catalogue):
    offline_presslake.lake.mkdir()
    (offline_presslake.lake / "presslake.json").write_text(json.dumps({"format": 99, "lake_id": "x"}))

    assert "format 99" in _complaint(offline_presslake, "ingest", "--catalogue", catalogue)


def test_an_index_of_another_lake_is_reported(offline_presslake, catalogue):
    offline_presslake.run("ingest", "--catalogue", catalogue, check=False)

    line = _complaint(offline_presslake, "ingest", "--catalogue", catalogue, "--lake", "other")

    assert "belongs to the lake" in line


def test_a_file_that_is_not_an_index_is_reported(offline_presslake, catalogue):
    (offline_presslake.home / "index.db").write_text("no database at all, but long enough to be read as one " * 40)

    assert "index.db" in _complaint(offline_presslake, "ingest", "--catalogue", catalogue)


def test_an_index_of_a_newer_schema_is_reported(offline_presslake, catalogue):
    offline_presslake.run("ingest", "--catalogue", catalogue, check=False)
    with sqlite3.connect(offline_presslake.home / "index.db") as database:
        database.execute("UPDATE alembic_version SET version_num = '9999'")
    database.close()

    assert "upgrade Presslake" in _complaint(offline_presslake, "ingest", "--catalogue", catalogue)


def test_an_invalid_index_url_is_reported(offline_presslake, catalogue):
    assert "--index" in _complaint(offline_presslake, "ingest", "--catalogue", catalogue, "--index", "index.db")


def test_an_unknown_source_is_reported_with_a_suggestion(offline_presslake, catalogue):
    line = _complaint(offline_presslake, "ingest", "--catalogue", catalogue, "--source", "dayly")

    assert "'dayly'" in line
    assert "did you mean daily?" in line


def test_an_invalid_url_is_named(offline_presslake):
    assert "--url" in _complaint(offline_presslake, "ingest", "--url", "ftp://daily.example/a")


def test_a_wrong_setting_is_named(offline_presslake):
    line = _complaint(offline_presslake, "status", PRESSLAKE_BATCH_SIZE="many")

    assert "PRESSLAKE_BATCH_SIZE" in line


def test_an_unreachable_prefect_server_is_named(offline_presslake, catalogue):
    ended = offline_presslake.run("ingest", "--catalogue", catalogue, check=False)

    sweeping, asking, complaint = ended.err.splitlines()
    assert ended.code == 2
    assert sweeping.startswith("Sweeping 1 feed of 1 source, into ")
    assert asking == "Connecting to Prefect's server at http://127.0.0.1:9/api ..."
    assert complaint.startswith(
        "presslake: the Prefect server at http://127.0.0.1:9/api (PREFECT_API_URL) does not answer"
    )


@pytest.mark.engine
def test_the_uis_address_is_refused_as_the_apis(presslake, catalogue):
    ui = presslake.environment["PREFECT_API_URL"].removesuffix("/api")

    ended = presslake.run("ingest", "--catalogue", catalogue, check=False, PREFECT_API_URL=ui)

    assert ended.code == 2
    assert ended.err.splitlines()[-1] == (
        f"presslake: the Prefect server at {ui} (PREFECT_API_URL) answers 404: an API URL ends in /api"
    )


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("PREFECT_API_REQUEST_TIMEOUT", "soon", "request_timeout"),
        ("PREFECT_API_URL", "http://[::1/api", "PREFECT_API_URL"),
    ],
)
def test_a_wrong_setting_of_prefect_is_named(offline_presslake, catalogue, name, value, said):
    ended = offline_presslake.run("ingest", "--catalogue", catalogue, check=False, **{name: value})

    assert ended.code == 2
    assert "Traceback" not in ended.err
    assert ended.err.splitlines()[-1].startswith("presslake: a setting of Prefect is wrong (")
    assert said in ended.err.splitlines()[-1]


def test_quiet_prints_only_errors(offline_presslake, catalogue):
    line = _complaint(offline_presslake, "ingest", "--quiet", "--catalogue", catalogue)

    assert line.startswith("presslake: the Prefect server at ")


@pytest.mark.parametrize("words", [("status",), ("report",), ("show", "a" * 32), ("trace", "https://daily.example/a")])
def test_read_only_commands_create_neither_index_nor_lake(offline_presslake, words):
    line = _complaint(offline_presslake, *words, "--index", "sqlite:///typo.db")

    assert "typo.db" in line
    assert "the first sweep creates it" in line
    assert list(offline_presslake.home.iterdir()) == []


def test_a_trace_creates_no_lake(offline_presslake, catalogue):
    offline_presslake.run("ingest", "--catalogue", catalogue, check=False)

    line = _complaint(offline_presslake, "trace", "https://daily.example/a", "--lake", "typo")

    assert "typo" in line
    assert not (offline_presslake.home / "typo").exists()


def test_an_unknown_url_is_reported(offline_presslake, catalogue):
    offline_presslake.run("ingest", "--catalogue", catalogue, check=False)

    assert "is unknown: " in _complaint(offline_presslake, "trace", "https://daily.example/a")


def test_a_negative_limit_is_refused(offline_presslake, catalogue):
    ended = offline_presslake.run("ingest", "--catalogue", catalogue, "--limit", "-1", check=False)

    assert ended.code == 2
    assert "--limit" in ended.err


@pytest.mark.parametrize("since", ["yesterday", "2999-01-01", "0001-01-01T00:00+14:00"])
def test_an_invalid_or_future_time_is_refused(offline_presslake, catalogue, since):
    line = _complaint(offline_presslake, "ingest", "--catalogue", catalogue, "--since", since)

    assert line.startswith("presslake: --since: ")


def test_the_printed_schema_accepts_valid_catalogues(offline_presslake):
    schema = json.loads(offline_presslake.run("sources", "schema").out)

    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(yaml.safe_load(GOOD), schema)


def test_a_new_index_is_not_created_beside_a_lake_with_articles(offline_presslake, catalogue):
    offline_presslake.run("ingest", "--catalogue", catalogue, check=False)
    open_table(open_store(str(offline_presslake.lake), s3=S3Config()), "articles")
    (offline_presslake.home / "index.db").rename(offline_presslake.home / "lost.db")

    line = _complaint(offline_presslake, "ingest", "--catalogue", catalogue)

    assert "presslake reindex" in line
