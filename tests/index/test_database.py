import hashlib
import threading
from datetime import UTC, datetime

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Text, select, text
from sqlalchemy.dialects import sqlite
from sqlalchemy.exc import DBAPIError

from tasks.errors import ConfigError, IndexUnavailable
from tasks.index import database, schema
from tasks.index.column_types import _StoredInstant
from tasks.index.database import bind_lake, open_index, savepoint
from tasks.index.schema import facts, metadata
from tests.postgres import connected

# SQLAlchemy does not reflect SQLite's expression indexes, and in PostgreSQL Alembic compares them including line breaks;
# tests/index/test_browsing.py checks that they exist
ON_EXPRESSIONS = {"ix_articles_told", "ix_articles_told_of_source"}


@pytest.mark.filterwarnings("ignore:.*expression-based index")
def test_the_migrations_create_exactly_the_schema(empty_index_url):
    with open_index(empty_index_url) as index, index.read() as tx:
        compared = {"include_object": lambda _object, name, *_: name not in ON_EXPRESSIONS}
        differences = compare_metadata(MigrationContext.configure(tx, opts=compared), metadata)

    assert differences == []


@pytest.mark.parametrize("microsecond", [0, 7, 120_000, 999_999])
def test_sqlite_stores_times_in_sqlalchemys_format(microsecond):
    at = datetime(926, 3, 1, 12, 30, 5, microsecond)  # noqa: DTZ001 - naive, as SQLite gets it

    ours, theirs = (kind.bind_processor(sqlite.dialect()) for kind in (_StoredInstant(), sqlite.DATETIME()))

    assert ours(at) == theirs(at)
    assert ours(None) is None


def test_opening_expects_the_newest_migration():
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", "tasks.index:migrations")

    assert ScriptDirectory.from_config(config).get_current_head() == database.HEAD


def test_an_index_keeps_its_id(index, index_url):
    with open_index(index_url) as again:
        assert again.index_id == index.index_id


def test_opening_from_many_threads_at_once_creates_one_index(empty_index_url):
    ids = []

    def open_once() -> None:
        with open_index(empty_index_url) as opened:
            ids.append(opened.index_id)

    threads = [threading.Thread(target=open_once) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(ids) == 4
    assert len(set(ids)) == 1


def test_a_transaction_that_fails_leaves_nothing(index):
    with pytest.raises(RuntimeError), index.write() as tx:
        tx.execute(facts.insert().values(name="left", value="over"))
        raise RuntimeError

    with index.read() as tx:
        assert tx.execute(facts.select().where(facts.c.name == "left")).first() is None


def test_a_non_durable_write_affects_no_other_write(tmp_path):
    def synchronous(tx):
        return tx.execute(text("PRAGMA synchronous")).scalar_one()

    with open_index(f"sqlite:///{tmp_path}/i.db") as index:
        with index.write(is_durable=False) as tx:
            hasty = synchronous(tx)
        with index.write() as tx:
            durable = synchronous(tx)

    assert (hasty, durable) == (1, 2)  # NORMAL, FULL


def test_concurrent_writers_wait_and_none_fails(index):
    with index.write() as tx:
        tx.execute(facts.insert().values(name="count", value="0"))

    def add() -> None:
        for _ in range(20):
            with index.write() as tx:
                count = facts.select().where(facts.c.name == "count").with_for_update()
                value = int(tx.execute(count).one().value)
                tx.execute(facts.update().where(facts.c.name == "count").values(value=str(value + 1)))

    threads = [threading.Thread(target=add) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    with index.read() as tx:
        assert tx.execute(facts.select().where(facts.c.name == "count")).one().value == "80"


def test_an_index_belongs_to_one_lake(index):
    bind_lake(index, lake_id="one", lake_uri="lake-one")
    bind_lake(index, lake_id="one", lake_uri="lake-one")

    with pytest.raises(ConfigError, match="belongs to the lake lake-one, not to lake-two"):
        bind_lake(index, lake_id="two", lake_uri="lake-two")


def test_an_index_of_a_newer_presslake_is_refused(index, index_url):
    with index.write() as tx:
        tx.execute(text("UPDATE alembic_version SET version_num = '9999'"))

    with pytest.raises(ConfigError, match="at schema 9999; this Presslake knows up to"):
        open_index(index_url)


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("nonsense", "not a database URL"),
        ("mysql://localhost/x", "not a database URL|SQLite or PostgreSQL"),
        ("sqlite://", "needs a file"),
        ("sqlite:///:memory:", "needs a file"),
        ("sqlite:////no/such/folder/index.db", "no such folder: /no/such/folder"),
    ],
)
def test_a_wrong_url_is_one_clear_error(url, message):
    with pytest.raises(ConfigError, match=message) as caught:
        open_index(url)

    assert "\n" not in str(caught.value)


def test_a_file_that_is_not_a_database_is_one_clear_error(tmp_path):
    (tmp_path / "index.db").write_text("this is a diary, not a database" * 100)

    with pytest.raises(ConfigError, match="cannot be opened: file is not a database"):
        open_index(f"sqlite:///{tmp_path / 'index.db'}")


def test_an_unwritable_database_raises_index_unavailable(index):
    index.close()  # the next connection is the one made read-only
    with index.write() as tx:
        is_file = tx.dialect.name == "sqlite"
        tx.exec_driver_sql("PRAGMA query_only=ON" if is_file else "SET default_transaction_read_only = on")

    with pytest.raises(IndexUnavailable), index.write() as tx:
        tx.execute(facts.insert().values(name="a", value="b"))


def test_a_lost_connection_raises_index_unavailable_and_the_next_one_works(postgres_server, postgres_url):
    with open_index(postgres_url) as index:
        with pytest.raises(IndexUnavailable), index.write() as tx:
            session = tx.exec_driver_sql("SELECT pg_backend_pid()").scalar()
            with connected(postgres_server) as other:
                other.execute("SELECT pg_terminate_backend(%s)", [session])
            tx.execute(facts.insert().values(name="a", value="b"))

        with index.write() as tx:
            assert tx.execute(facts.select().where(facts.c.name == "a")).first() is None


def test_a_password_is_not_shown():
    with pytest.raises(ConfigError, match="cannot be opened|needs a driver") as caught:
        open_index("postgresql+psycopg://user:secret@127.0.0.1:1/presslake")

    assert "secret" not in str(caught.value)


def test_a_rehearsal_is_rolled_back(index):
    with index.rehearse() as tx:
        tx.execute(facts.insert().values(name="left", value="over"))
        seen = tx.execute(facts.select().where(facts.c.name == "left")).first()

    with index.read() as tx:
        assert (seen.value, tx.execute(facts.select().where(facts.c.name == "left")).first()) == ("over", None)


def test_a_value_too_long_for_a_database_index_is_our_error_not_the_databases(postgres_url):
    long = "".join(hashlib.sha512(str(number).encode()).hexdigest() for number in range(40))
    hosts = schema.hosts.insert().values(host=long, next_slot_at=datetime.now(UTC), slowdown=1.0)

    with open_index(postgres_url) as index, pytest.raises(DBAPIError) as caught, index.write() as tx:
        tx.execute(hosts)

    assert caught.value.orig.sqlstate == "54000"  # an OperationalError to psycopg


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO facts (name, value) VALUES ('index_id', 'again')",
        "INSERT INTO facts (name, value) VALUES ('a', NULL)",
        "SELECT no_such_column FROM facts",
        "SELECT * FROM no_such_table",
        "SELEKT",
    ],
)
def test_a_wrong_statement_is_our_error_not_the_databases(index, statement):
    with pytest.raises(DBAPIError), index.write() as tx:
        tx.exec_driver_sql(statement)


@pytest.mark.parametrize("value", ["a\0b", "a\ud800b"])
def test_an_unstorable_value_is_our_error(index, value):
    if index.is_sqlite and "\0" in value:
        pytest.skip("SQLite takes NUL")
    with pytest.raises((DBAPIError, ValueError)), index.write() as tx:
        tx.execute(facts.insert().values(name="a", value=value))


def test_a_statement_timeout_raises_index_unavailable(postgres_url):
    with (
        open_index(postgres_url) as index,
        pytest.raises(IndexUnavailable, match="statement timeout"),
        index.write() as tx,
    ):
        tx.exec_driver_sql("SET LOCAL statement_timeout = 50")
        tx.exec_driver_sql("SELECT pg_sleep(60)")


def test_a_file_locked_for_too_long_raises_index_unavailable(tmp_path):
    url = f"sqlite:///{tmp_path / 'index.db'}"
    with open_index(url) as index, open_index(url) as other:
        with other.read() as tx:
            tx.exec_driver_sql("PRAGMA busy_timeout = 50")
        with index.write(), pytest.raises(IndexUnavailable, match="locked"), other.write():
            pass


def test_a_failed_savepoint_is_rolled_back_and_the_transaction_continues(index):
    with index.write() as tx:
        tx.execute(facts.insert().values(name="before", value="a"))
        with pytest.raises(DBAPIError), savepoint(tx):
            tx.execute(facts.insert().values(name="within", value="b"))
            tx.execute(facts.insert().values(name="within", value="b"))
        with savepoint(tx):
            tx.execute(facts.insert().values(name="after", value="c"))

    with index.read() as tx:
        names = set(tx.execute(select(facts.c.name)).scalars())
    assert names >= {"before", "after"}
    assert "within" not in names


def test_a_connection_lost_within_a_savepoint_raises_index_unavailable(postgres_server, postgres_url):
    with open_index(postgres_url) as index, pytest.raises(IndexUnavailable), index.write() as tx:
        session = tx.exec_driver_sql("SELECT pg_backend_pid()").scalar()
        with connected(postgres_server) as other:
            other.execute("SELECT pg_terminate_backend(%s)", [session])
        with savepoint(tx):
            tx.execute(facts.insert().values(name="a", value="b"))


def test_indexed_text_columns_from_the_web_are_bounded(index):
    """Check the unbounded text columns that are indexed: each value is bounded where it is made (tasks/values/url.py)."""
    bounded = {"url_key", "article_key", "host", "origin"}

    keyed = {
        column.name
        for table in metadata.tables.values()
        for columns in (table.primary_key.columns, *(one.columns for one in table.indexes))
        for column in columns
        if isinstance(column.type, Text)
    }

    assert keyed <= bounded
