import re
import threading
import uuid

import pytest
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy.engine import make_url

from tasks.errors import ConfigError, IndexUnavailable
from tasks.index import database
from tasks.index.database import open_reader
from tasks.metrics.collector import CollectorConfig, IndexCollector
from tasks.metrics.server import rendered
from tests.metrics.filling import NOW, fill
from tests.postgres import connected


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def samples(collector) -> dict[tuple[str, ...], float]:
    families = text_string_to_metric_families(rendered(collector).decode())
    return {(one.name, *one.labels.values()): one.value for family in families for one in family.samples}


def named(metrics) -> set[str]:
    """Return the sources with series; the label `source` is first or last."""
    return {label for name, *labels in metrics if name.startswith("presslake_source_") for label in labels} & {
        "daily",
        "b",
    }


@pytest.fixture
def collector(index, index_url):
    fill(index)
    return IndexCollector(CollectorConfig(index_url=index_url))


def test_totals_of_the_index_are_reported(collector):
    metrics = samples(collector)

    assert metrics["presslake_up",] == 1
    assert metrics["presslake_frontier_urls", "quarantined"] == 1
    assert metrics["presslake_captures_total", "ok", ""] == 2
    assert metrics["presslake_captures_total", "failed", "reason"] == 1
    assert metrics["presslake_articles_total", "new"] == 1
    assert metrics["presslake_articles_total", "duplicate"] == 1
    assert metrics["presslake_newest_article_timestamp_seconds",] == NOW.timestamp()
    assert metrics["presslake_outbox_batches",] == 1
    assert metrics["presslake_feeds_failing", "http_404"] == 1
    assert metrics["presslake_last_run_duration_seconds",] == 12.5
    assert metrics["presslake_hosts_held",] == 1
    assert metrics["presslake_index_bytes",] > 10_000


def test_each_source_has_series(collector):
    metrics = samples(collector)

    assert metrics["presslake_source_newest_article_timestamp_seconds", "daily"] == NOW.timestamp()
    assert ("presslake_source_newest_article_timestamp_seconds", "b") not in metrics
    assert metrics["presslake_source_failures_total", "reason", "daily"] == 2
    assert metrics["presslake_source_pending_urls", "b"] == 1
    assert metrics["presslake_source_feeds_failing", "daily"] == 1


def test_a_limit_on_sources_does_not_affect_totals(index, index_url):
    fill(index)

    metrics = samples(IndexCollector(CollectorConfig(index_url=index_url, max_sources=1)))

    assert named(metrics) == {"daily"}
    assert (metrics["presslake_sources",], metrics["presslake_sources_listed",]) == (2, 1)
    assert metrics["presslake_frontier_urls", "due"] == 1


def test_a_limit_of_0_gives_no_series_by_source(index, index_url):
    fill(index)

    metrics = samples(IndexCollector(CollectorConfig(index_url=index_url, max_sources=0)))

    assert named(metrics) == set()


def test_only_listed_sources_have_series(index, index_url):
    fill(index)

    metrics = samples(IndexCollector(CollectorConfig(index_url=index_url), listed=lambda: frozenset({"b", "c"})))

    assert named(metrics) == {"b"}


def test_metric_names_follow_prometheus_conventions(collector):
    families = list(text_string_to_metric_families(rendered(collector).decode()))

    assert all(re.fullmatch(r"presslake_[a-z_]+", one.name) and one.documentation.endswith(".") for one in families)
    assert {one.name for one in families if one.type == "counter"} == {
        one.name for one in families for sample in one.samples if sample.name.endswith("_total")
    } | {one.name for one in families if one.type == "counter" and not one.samples}


def test_scrapes_share_a_result_until_it_expires(index, index_url):
    clock = Clock()
    collector = IndexCollector(CollectorConfig(index_url=index_url, cache_s=15), clock=clock)
    before = samples(collector)
    fill(index)

    clock.now = 14.9
    assert samples(collector) == before
    clock.now = 15
    assert samples(collector)["presslake_known_articles",] == 2


def test_a_slow_result_is_cached_for_ten_times_its_duration(index, index_url):
    clock = Clock()

    def slow():
        clock.now += 3.0
        return

    collector = IndexCollector(CollectorConfig(index_url=index_url, cache_s=15), clock=clock, listed=slow)
    samples(collector)
    read_at = clock.now

    clock.now = read_at + 29
    samples(collector)
    assert clock.now == read_at + 29
    clock.now = read_at + 30
    samples(collector)
    assert clock.now == read_at + 33


def test_concurrent_scrapes_read_the_index_once(index, index_url):
    looks = []
    collector = IndexCollector(CollectorConfig(index_url=index_url), listed=lambda: looks.append(1))
    scrapers = [threading.Thread(target=samples, args=(collector,)) for _ in range(8)]

    for one in scrapers:
        one.start()
    for one in scrapers:
        one.join()

    assert len(looks) == 1


def test_an_unavailable_index_is_reported_as_down_and_recovers(index, index_url, tmp_path):
    metrics, clock = [], Clock()
    address = index_url if not index.is_sqlite else f"sqlite:///{tmp_path / 'later.db'}"
    if not index.is_sqlite:
        address = index_url.replace("presslake_", "nowhere_", 1)
    collector = IndexCollector(CollectorConfig(index_url=address), report=metrics.append, clock=clock)

    away = samples(collector)
    clock.now = 1000
    again = samples(collector)

    assert away["presslake_up",] == again["presslake_up",] == 0
    assert {name for name, *_ in away} == {"presslake_up", "presslake_build_info", "presslake_read_duration_seconds"}
    assert len(metrics) == 1
    if index.is_sqlite:
        database.open_index(address).close()
        clock.now = 2000
        assert samples(collector)["presslake_up",] == 1
        assert metrics[1:] == [None]


def test_a_reader_creates_no_index(tmp_path):
    with pytest.raises(IndexUnavailable, match="the first sweep creates it"):
        open_reader(f"sqlite:///{tmp_path / 'none.db'}", timeout_s=5)

    assert list(tmp_path.iterdir()) == []


def test_a_reader_does_not_create_the_schema(empty_index_url, tmp_path):
    (tmp_path / "index.db").touch()

    with pytest.raises(IndexUnavailable, match="the next sweep"):
        open_reader(empty_index_url, timeout_s=5)


def test_a_reader_cannot_write(index, index_url):
    with pytest.raises(IndexUnavailable), open_reader(index_url, timeout_s=5) as reader, reader.write() as tx:
        fill_one(tx)


def test_a_slow_query_is_cancelled(index, index_url):
    endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"

    with pytest.raises(IndexUnavailable), open_reader(index_url, timeout_s=1) as reader, reader.read() as tx:
        tx.exec_driver_sql(endless).all()


def test_a_reader_refuses_a_newer_schema(index, index_url):
    with index.write() as tx:
        tx.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")

    with pytest.raises(ConfigError, match="upgrade Presslake"):
        open_reader(index_url, timeout_s=5)


def fill_one(tx) -> None:
    tx.exec_driver_sql("INSERT INTO facts (name, value) VALUES ('x', 'y')")


@pytest.mark.parametrize("index_url", ["postgresql"], indirect=True)
def test_a_read_only_role_is_enough(index, index_url):
    role = f"reader_{uuid.uuid4().hex}"
    owner, database_name = make_url(index_url), make_url(index_url).database
    with connected(owner) as connection:
        connection.execute(f"CREATE ROLE {role} LOGIN")
        connection.execute(f'GRANT CONNECT ON DATABASE "{database_name}" TO {role}')
        connection.execute(f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {role}")
    try:
        metrics = samples(IndexCollector(CollectorConfig(index_url=str(owner.set(username=role)))))
    finally:
        with connected(owner) as connection:
            connection.execute(f"DROP OWNED BY {role}")
            connection.execute(f"DROP ROLE {role}")

    assert metrics["presslake_up",] == 1
