"""The dashboard and the alert rules use metrics that `presslake metrics` serves and queries that Prometheus accepts."""

import json
import re
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from tasks.index.database import open_index
from tasks.metrics.collector import CollectorConfig, IndexCollector
from tasks.metrics.server import bound_server, parse_address, rendered
from tests.metrics.filling import fill
from tests.servers import free_port

DEPLOY = Path(__file__).parents[2] / "deploy"
DASHBOARD = json.loads((DEPLOY / "grafana/presslake.json").read_text())
PROVISIONING = DEPLOY / "grafana/provisioning"
RULES = yaml.safe_load((DEPLOY / "prometheus/rules.yml").read_text())
PANELS = [one for one in DASHBOARD["panels"] if one["type"] != "row"]
EXPRESSIONS = {
    **{f"{one['title']} {target['refId']}": target["expr"] for one in PANELS for target in one["targets"]},
    **{rule["alert"]: rule["expr"] for group in RULES["groups"] for rule in group["rules"]},
}


@pytest.fixture(scope="module")
def filled_url(prepared_file: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("filled") / "index.db"
    shutil.copy(prepared_file, path)
    with open_index(f"sqlite:///{path}") as index:
        fill(index)
    return f"sqlite:///{path}"


@pytest.fixture(scope="module")
def served(filled_url: str) -> set[str]:
    """The names of all served metrics."""
    text = rendered(IndexCollector(CollectorConfig(index_url=filled_url))).decode()
    return set(re.findall(r"^# HELP (\w+) ", text, re.MULTILINE))


@pytest.mark.parametrize("name", EXPRESSIONS)
def test_every_queried_metric_is_served(name, served):
    asked = set(re.findall(r"\bpresslake_\w+", EXPRESSIONS[name]))

    assert asked - served == set()
    assert asked or EXPRESSIONS[name].startswith("up{")


def test_the_docs_list_exactly_the_served_metrics(served):
    section = (DEPLOY.parent / "docs/operations.md").read_text().partition("\n## Metrics and traces\n")[2]
    table = re.findall(r"^\| (`(?:source_)?\w+.*?`) \|", section.partition("\n## ")[0], re.MULTILINE)
    documented = {f"presslake_{name}" for cell in table for name in re.findall(r"`([a-z_]+)(?:\{[a-z,]+\})?`", cell)}

    assert documented == served


def test_the_dashboards_panels_have_unique_ids_and_do_not_overlap():
    ids = [one["id"] for one in DASHBOARD["panels"]]
    places = [
        (x, y)
        for one in DASHBOARD["panels"]
        for x in range(one["gridPos"]["x"], one["gridPos"]["x"] + one["gridPos"]["w"])
        for y in range(one["gridPos"]["y"], one["gridPos"]["y"] + one["gridPos"]["h"])
    ]

    assert len(ids) == len(set(ids))
    assert len(places) == len(set(places))
    assert max(x for x, _ in places) < 24


def test_the_dashboard_has_its_rows():
    rows = [one["title"] for one in DASHBOARD["panels"] if one["type"] == "row"]

    assert rows == ["Overview", "Sources", "Volume and novelty", "Failures", "Frontier and outbox"]


def test_every_panel_uses_the_provisioned_data_source():
    (source,) = yaml.safe_load((PROVISIONING / "datasources/presslake.yaml").read_text())["datasources"]
    named = [one["datasource"] for panel in PANELS for one in (panel, *panel["targets"])]

    assert [one for one in named if one != {"type": source["type"], "uid": source["uid"]}] == []


def test_the_dashboard_has_the_format_that_grafana_provisions():
    (provider,) = yaml.safe_load((PROVISIONING / "dashboards/presslake.yaml").read_text())["providers"]

    assert (provider["type"], provider["options"]["path"]) == ("file", "/var/lib/grafana/dashboards")
    assert DASHBOARD.keys() >= {"uid", "title", "schemaVersion", "panels", "time", "templating", "annotations"}
    assert "id" not in DASHBOARD  # Grafana's database assigns it
    assert all(one["type"] in {"stat", "timeseries", "table"} and one["title"] and one["targets"] for one in PANELS)


def test_every_alert_has_a_severity_and_a_description():
    rules = [rule for group in RULES["groups"] for rule in group["rules"]]

    assert {rule["labels"]["severity"] for rule in rules} == {"critical", "warning"}
    assert all(rule["annotations"]["summary"] for rule in rules)


def test_prometheus_accepts_configuration_and_rules():
    checked = subprocess.run(
        [_found("promtool"), "check", "config", DEPLOY / "prometheus/prometheus.yml"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert checked.returncode == 0, checked.stderr
    assert f"{len(RULES['groups'][0]['rules'])} rules found" in checked.stdout


def test_prometheus_answers_every_query_of_panels_and_alerts(filled_url, tmp_path):
    with _metrics(filled_url) as address, _prometheus(address, tmp_path) as api:
        _wait_for(lambda: _query(api, "presslake_up") and _query(api, "up"))
        answers = {name: _query(api, expression) for name, expression in EXPRESSIONS.items()}
        health = _wait_for(lambda: _evaluated(api))

    plain = {name for name, one in EXPRESSIONS.items() if not re.search(r"increase|rate", one) and " " in name}
    assert {name for name in plain if not answers[name]} == set()
    assert health == {"ok"}


def _evaluated(api: str) -> set[str] | None:
    groups = httpx.get(f"{api}/rules", timeout=10, trust_env=False).json()["data"]["groups"]
    health = {rule["health"] for group in groups for rule in group["rules"]}
    return None if "unknown" in health or not health else health


def _query(api: str, expression: str) -> list[dict[str, Any]]:
    answer = httpx.get(f"{api}/query", params={"query": expression}, timeout=10, trust_env=False).json()
    assert answer["status"] == "success", (expression, answer)
    return answer["data"]["result"]


def _wait_for(condition, timeout_s: float = 60):
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        try:
            if found := condition():
                return found
        except httpx.TransportError:
            pass
        time.sleep(0.1)
    raise AssertionError("it did not come about")


@contextmanager
def _metrics(index_url: str) -> Iterator[str]:
    collector = IndexCollector(CollectorConfig(index_url=index_url, cache_s=0))
    with bound_server(parse_address("127.0.0.1:0"), collector) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield f"127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


@contextmanager
def _prometheus(target: str, folder: Path) -> Iterator[str]:
    """Run Prometheus with our configuration, short intervals and a test target; yield its API's address."""
    config = yaml.safe_load((DEPLOY / "prometheus/prometheus.yml").read_text())
    config["global"] = {"scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "1s"}
    config["scrape_configs"][0]["static_configs"][0]["targets"] = [target]
    (folder / "prometheus.yml").write_text(yaml.safe_dump(config))
    shutil.copy(DEPLOY / "prometheus/rules.yml", folder)
    port = free_port()
    command = [
        _found("prometheus"), f"--config.file={folder / 'prometheus.yml'}", f"--storage.tsdb.path={folder / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}",
    ]  # fmt: skip
    with (folder / "log").open("wb") as log, subprocess.Popen(command, stdout=log, stderr=log) as process:
        try:
            ready = f"http://127.0.0.1:{port}/-/ready"
            _wait_for(lambda: httpx.get(ready, timeout=10, trust_env=False).is_success)
            yield f"http://127.0.0.1:{port}/api/v1"
        finally:
            process.terminate()
            try:
                process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                process.kill()


def _found(program: str) -> str:
    path = shutil.which(program)
    if path is None:
        pytest.skip(f"{program} is not installed here (Debian's package prometheus)")
    return path
