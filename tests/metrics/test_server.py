import http.client
import socket
import threading
from contextlib import contextmanager

import pytest

from tasks.errors import ConfigError
from tasks.metrics.collector import CollectorConfig, IndexCollector
from tasks.metrics.server import bound_server, parse_address

LOOPBACK = parse_address("127.0.0.1:0")


@contextmanager
def serving(tmp_path):
    collector = IndexCollector(CollectorConfig(index_url=f"sqlite:///{tmp_path / 'none.db'}"))
    with bound_server(LOOPBACK, collector) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()


def get(port: int, path: str, method: str = "GET", **headers: str) -> tuple[int, str, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request(method, path, headers=headers)
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    return answer.status, answer.headers.get("Content-Type", ""), body


@pytest.mark.parametrize(
    ("value", "host", "port"),
    [("127.0.0.1:9464", "127.0.0.1", 9464), ("[::1]:0", "::1", 0), ("0.0.0.0:80", "0.0.0.0", 80)],
)
def test_a_listen_address_is_parsed(value, host, port):
    address = parse_address(value)

    assert (address.host, address.port) == (host, port)


@pytest.mark.parametrize("value", ["9464", ":9464", "127.0.0.1", "127.0.0.1:", "127.0.0.1:x", "127.0.0.1:65536", "::1:9464", "[::1", "localhost:9464", "127.0.0.1:-1", ""])  # fmt: skip
def test_an_invalid_listen_address_is_refused(value):
    with pytest.raises(ConfigError, match="is not an address such as"):
        parse_address(value)


def test_only_loopback_addresses_count_as_loopback():
    assert [parse_address(one).is_loopback for one in ("127.0.0.2:1", "[::1]:1", "0.0.0.0:1", "10.0.0.1:1")] == [
        True,
        True,
        False,
        False,
    ]


def test_a_scrape_is_answered_even_if_the_index_is_unavailable(tmp_path):
    with serving(tmp_path) as port:
        status, kind, body = get(port, "/metrics")

    assert (status, kind.split(";")[0]) == (200, "text/plain")
    assert b"\npresslake_up 0.0\n" in body


def test_openmetrics_is_served_on_request(tmp_path):
    with serving(tmp_path) as port:
        _, kind, body = get(port, "/metrics", Accept="application/openmetrics-text; version=1.0.0")

    assert kind.startswith("application/openmetrics-text")
    assert body.endswith(b"# EOF\n")


def test_other_paths_point_to_the_metrics(tmp_path):
    with serving(tmp_path) as port:
        assert get(port, "/") == (404, "text/plain; charset=utf-8", b"Metrics are at /metrics\n")


def test_a_silent_client_does_not_block_others(tmp_path):
    with serving(tmp_path) as port, socket.create_connection(("127.0.0.1", port)) as silent:
        silent.sendall(b"GET /met")

        assert get(port, "/metrics")[0] == 200


def test_a_port_in_use_is_reported():
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        address = parse_address(f"127.0.0.1:{other.getsockname()[1]}")

        with pytest.raises(ConfigError, match="--listen .*in use"):
            bound_server(address, IndexCollector(CollectorConfig(index_url="sqlite:///none.db")))
