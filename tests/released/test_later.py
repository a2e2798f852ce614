"""Data of released versions works with a later version that has more columns, simulated by changed definitions."""

import pytest
from deltalake import DeltaTable, Schema

from tasks.lake.keys import TABLES
from tasks.lake.schemas import table_schema
from tests.engine import Presslake
from tests.later import ADDED, make_later
from tests.postgres import fresh_database
from tests.released.specimen import RELEASED, Specimen, serving


@pytest.fixture(scope="session")
def later_environment(tmp_path_factory) -> dict[str, str]:
    return make_later(tmp_path_factory.mktemp("later"))


@pytest.fixture
def later(specimen: Specimen, later_environment: dict[str, str]) -> Presslake:
    """The later version's command, with the copy as working folder and without server."""
    nowhere = {"PREFECT_API_URL": "http://127.0.0.1:9/api", "PREFECT_HOME": str(specimen.home / "prefect")}
    return Presslake(specimen.home, {**nowhere, "PRESSLAKE_INDEX": specimen.index_url, **later_environment})


def columns(specimen: Specimen, table: str) -> list[str]:
    return list(specimen.rows(table)[0])


def kept(specimen: Specimen, table: str) -> bool:
    """Whether every row of the release is still there, apart from its cluster, with null in newer columns."""
    now = {plain(row) for row in specimen.rows(table)}
    newer = dict.fromkeys([*table_schema(table).names, *ADDED])
    return all(plain({**newer, **row}) in now for row in specimen.rows_as_released(table))


def plain(row: dict) -> str:
    cluster = {"cluster_id", "is_representative", "cluster_size", "cluster_earliest"}
    return repr(sorted((name, str(value)) for name, value in row.items() if name not in cluster))


def added(specimen: Specimen) -> bool:
    """Whether the new columns are at the end of both tables, after those of the current version."""
    return all(columns(specimen, table) == [*table_schema(table).names, *ADDED] for table in TABLES)


@pytest.mark.engine
def test_a_sweep_publishes_waiting_batches_and_leaves_old_rows_unchanged(specimen, later, prefect_api_url):
    waiting = specimen.expected["waiting"]["texts"]

    with serving(specimen.version):
        later.ingest(PREFECT_API_URL=prefect_api_url)

    assert added(specimen)
    assert all(kept(specimen, table) for table in TABLES)
    assert len(specimen.rows("articles")) == len(specimen.rows_as_released("articles")) + len(waiting) + 1
    assert later.run("verify", "--json").json()["found"] == {}


def test_reading_adds_no_column(specimen, later):
    url = specimen.expected["lake"]["texts"][0][0]

    assert later.run("verify", "--json", check=False).json()["found"] == {"unpublished_batch": 1}
    (capture, *_) = later.run("trace", url, "--json").json()["captures"]
    later.run("report", "--json")
    later.run("maintain", "--dry-run")

    assert capture["mood"] is None
    assert all(columns(specimen, table) == list(specimen.rows_as_released(table)[0]) for table in TABLES)


def test_repair_maintenance_and_reindexing_keep_every_row(specimen, later, postgres_server):
    later.run("verify", "--mend")
    later.run("maintain")
    with fresh_database(postgres_server) as new:
        built = later.run("reindex", "--index", new, "--json").json()
        verified = later.run("verify", "--index", new, "--json").json()

    assert added(specimen)
    assert all(kept(specimen, table) for table in TABLES)
    assert (built["revisions"], verified["found"]) == (len(specimen.rows("articles")), {})


def test_maintenance_by_the_previous_version_keeps_the_new_columns(specimen, later):
    later.run("verify", "--mend")
    before = Presslake(specimen.home, {**later.environment, "PYTHONPATH": ""})

    before.run("maintain")

    assert added(specimen)
    assert all(kept(specimen, table) for table in TABLES)


@pytest.mark.parametrize("table", TABLES)
def test_no_released_column_is_renamed_moved_or_retyped(version, table):
    released = DeltaTable(RELEASED / version / "lake" / table).schema()

    assert Schema.from_arrow(table_schema(table)).fields[: len(released.fields)] == released.fields
