"""Which requests are answered, and what browsers may do with the responses."""

import base64

import pytest

from tasks.browse.guard import OWN_POLICY, STORED_POLICY, allowed_hosts
from tasks.browse.serving import bound_socket, hosts_of, read_host, read_token, serve
from tasks.errors import ConfigError
from tests.browse.press import HOSTILE

TOKEN = "b5f2a1c09d7e4638"


@pytest.mark.parametrize("host", ["127.0.0.1:8420", "localhost:8420", "[::1]:8420", "LocalHost:8420"])
def test_loopback_host_names_are_answered(client, host):
    assert client.get("/url", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "host",
    ["evil.example", "evil.example:8420", "127.0.0.1", "localhost", "127.0.0.1:80", "localhost:8421", "localhost.evil.example:8420",
     "127.0.0.1:8420.evil.example", "127.0.0.1.nip.io:8420", "0.0.0.0:8420", "[::1]", "", "localhost:8420, evil.example"],
)  # fmt: skip
@pytest.mark.parametrize("path", ["/", "/static/browse.css", "/nope"])
def test_any_other_host_is_refused(client, host, path):
    answer = client.get(path, headers={"Host": host})

    assert answer.status_code == 403
    assert answer.headers["Content-Security-Policy"] == OWN_POLICY


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"])
@pytest.mark.parametrize("path", ["/", "/stories", "/nope"])
def test_only_get_and_head_are_answered(client, method, path):
    answer = client.request(method, path)

    assert (answer.status_code, answer.headers["Allow"]) == (405, "GET, HEAD")


def test_head_is_answered_like_get(client):
    assert client.request("HEAD", "/url").status_code == 200


@pytest.mark.parametrize("path", ["/", "/stories", "/sources", "/failures", "/url", "/nope", "/static/browse.css"])
def test_every_response_has_the_security_headers(client, path):
    headers = client.get(path).headers

    assert headers["Content-Security-Policy"] == OWN_POLICY
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["X-DNS-Prefetch-Control"] == "off"
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"


def test_the_content_security_policy_allows_no_scripts_and_no_other_origin():
    words = OWN_POLICY.replace(";", " ").split()

    assert OWN_POLICY.startswith("default-src 'none'; ")
    assert not {word for word in words if "script" in word or "unsafe" in word or "http" in word or "*" in word}


def test_a_stored_page_is_sandboxed(client):
    answer = client.get(f"/articles/{HOSTILE[0].article_id}/revisions/1/page")

    assert answer.status_code == 200
    assert answer.headers["Content-Security-Policy"] == STORED_POLICY
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_responses_are_not_cached(client):
    assert client.get("/").headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    "authorization",
    [f"Bearer {TOKEN}", f"bearer  {TOKEN}", "Basic " + base64.b64encode(f"anybody:{TOKEN}".encode()).decode()],
)
def test_a_request_with_the_token_is_answered(make_client, authorization):
    answer = make_client(token=TOKEN).get("/url", headers={"Authorization": authorization})

    assert answer.status_code == 200


@pytest.mark.parametrize(
    "authorization",
    [None, "", "Bearer", "Bearer wrong", f"Digest {TOKEN}", "Basic %%%", f"Basic {TOKEN}",
     "Basic " + base64.b64encode(f"{TOKEN}:x".encode()).decode()],
)  # fmt: skip
def test_a_request_without_the_token_is_refused(make_client, authorization):
    headers = {} if authorization is None else {"Authorization": authorization}

    answer = make_client(token=TOKEN).get("/url", headers=headers)

    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Basic ")


def test_the_default_port_is_not_part_of_the_host():
    assert {"localhost", "localhost:80"} <= allowed_hosts(80)


@pytest.mark.parametrize(
    ("host", "url", "has_token", "more"),
    [
        ("127.0.0.1", "https://news.example.org", False, set()),
        ("10.0.0.7", "https://news.example.org", True, {"10.0.0.7:8420", "news.example.org"}),
        ("0.0.0.0", "http://news.example.org:8420", True, {"news.example.org:8420"}),
        ("::", None, True, set()),
        ("fd00::7", None, True, {"[fd00::7]:8420"}),
    ],
)
def test_other_host_names_are_answered_only_if_a_token_is_required(host, url, has_token, more):
    assert hosts_of(host, 8420, url, has_token=has_token) == allowed_hosts(8420) | more


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.0.0.7", "127.0.0.5"])
def test_a_public_address_requires_a_token(settings, host):
    with pytest.raises(ConfigError, match="--token-file"):
        serve(settings, host=host, port=0, token_file=None, say=lambda _: None)


@pytest.mark.parametrize("text", ["", "short", "with a space in it, and long", "ümlaut-ümlaut-ümlaut"])
def test_a_weak_or_unsendable_token_is_refused(tmp_path, text):
    (tmp_path / "token").write_text(text)

    with pytest.raises(ConfigError, match="16 characters"):
        read_token(tmp_path / "token")


def test_a_missing_token_file_and_a_host_name_are_clear_errors(tmp_path):
    with pytest.raises(ConfigError, match="No such file"):
        read_token(tmp_path / "none")
    with pytest.raises(ConfigError, match="is not an address"):
        read_host("news.example.org")


def test_a_port_in_use_is_reported_with_a_remedy():
    with bound_socket("127.0.0.1", 0) as taken:
        taken.listen()
        with pytest.raises(ConfigError, match="--port"):
            bound_socket("127.0.0.1", taken.getsockname()[1])
