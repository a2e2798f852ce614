import resource
import threading
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from tempfile import TemporaryFile

import pytest

from tasks.errors import ConfigError, LakeFormatError, LakeUnavailable
from tasks.lake.keys import MARKER_KEY
from tasks.lake.objects.stores import DirectoryStore, MissingObject, S3Config, one_line, open_lake, open_store
from tests.servers import LakeAddress, make_bucket
from tests.web.loopback import NOBODY


def test_a_put_object_can_be_read(object_store):
    object_store.put("a/b.bin", b"\x00bytes")

    assert object_store.get("a/b.bin") == b"\x00bytes"


def test_a_second_put_replaces_the_first(object_store):
    object_store.put("a", b"longer than the second")
    object_store.put("a", b"second")

    assert object_store.get("a") == b"second"


@pytest.mark.parametrize("size", [0, 3_000_000])
def test_a_file_is_put_from_its_start_each_time(object_store, size):
    body = bytes(range(256)) * (size // 256)
    with TemporaryFile() as file:
        file.write(body)
        object_store.put("first", file, content_type="application/warc")
        object_store.put("second", file)

    assert (object_store.get("first"), object_store.get("second")) == (body, body)


def test_a_put_file_is_not_loaded_into_memory(tmp_path):
    store = DirectoryStore(tmp_path)
    with TemporaryFile() as file:
        file.write(bytes(30_000_000))
        tracemalloc.start()
        try:
            store.put("a", file)
            _, most = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()

    assert most < 2_000_000


def test_an_empty_object_can_be_stored(object_store):
    object_store.put("a", b"")

    assert object_store.get("a") == b""


@pytest.mark.parametrize("key", ["nothing", "a", "a/b/c"])
def test_a_missing_object_raises_missing_object(object_store, key):
    object_store.put("a/b", b"")

    with pytest.raises(MissingObject, match=key):
        object_store.get(key)


def test_a_range_returns_only_its_bytes(object_store):
    object_store.put("a", b"0123456789")

    assert object_store.get_range("a", 2, 3) == b"234"


@pytest.mark.parametrize(("offset", "expected"), [(8, b"89"), (10, b""), (99, b"")])
def test_a_range_ends_where_the_object_ends(object_store, offset, expected):
    object_store.put("a", b"0123456789")

    assert object_store.get_range("a", offset, 5) == expected


def test_a_range_of_a_missing_object_raises_missing_object(object_store):
    with pytest.raises(MissingObject):
        object_store.get_range("a", 0, 1)


@pytest.mark.parametrize(("offset", "length"), [(-1, 1), (0, 0), (0, -1)])
def test_an_invalid_range_is_refused(tmp_path, offset, length):
    with pytest.raises(ValueError, match="not a range"):
        DirectoryStore(tmp_path).get_range("a", offset, length)


def test_an_object_exists_once_it_is_put(object_store):
    before = object_store.exists("a/b")
    object_store.put("a/b", b"")

    assert (before, object_store.exists("a/b"), object_store.exists("a")) == (False, True, False)


def test_put_new_succeeds_only_for_the_first_writer(object_store):
    made = [object_store.put_new("a", b"first"), object_store.put_new("a", b"second")]

    assert (made, object_store.get("a")) == ([True, False], b"first")


def test_one_of_eight_concurrent_writers_of_a_new_object_wins(object_store):
    with ThreadPoolExecutor(8) as pool:
        won = list(pool.map(lambda n: object_store.put_new("a", str(n).encode()), range(8)))

    assert [str(n).encode() for n in range(8) if won[n]] == [object_store.get("a")]


def test_a_listing_is_by_prefix_and_sorted(object_store):
    for key in ["b/2", "b/1/x", "b-1", "a", "b/10", "c"]:
        object_store.put(key, b"")

    assert [found.key for found in object_store.list("b")] == ["b-1", "b/1/x", "b/10", "b/2"]


@pytest.mark.parametrize("prefix", ["b/1", "b/10"])
def test_a_prefix_may_end_within_a_name(object_store, prefix):
    for key in ["b/1/x", "b/10", "b/2"]:
        object_store.put(key, b"")

    assert "b/10" in [found.key for found in object_store.list(prefix)]


def test_a_listing_without_matches_is_empty(object_store):
    assert list(object_store.list("a/b")) == []


def test_a_listing_has_size_and_time(object_store):
    object_store.put("a", b"12345")

    (found,) = object_store.list("")

    assert (found.size, abs(found.modified_at - datetime.now(UTC)) < timedelta(minutes=1)) == (5, True)


def test_a_deleted_object_is_missing(object_store):
    object_store.put("a", b"")
    object_store.delete("a")

    assert not object_store.exists("a")


def test_deleting_a_missing_object_is_no_error(object_store):
    object_store.delete("a/b")


@pytest.mark.parametrize("key", ["", "/a", "a/", "a//b", "../a", "a/../../b", ".", "a\\..\\b", "a\nb", "a\0b", "é"])
def test_a_key_outside_the_lake_is_refused(tmp_path, key):
    with pytest.raises(ValueError, match="not a key"):
        DirectoryStore(tmp_path).put(key, b"")


def test_an_s3_prefix_keeps_lakes_apart(s3_address):
    bucket = s3_address.uri.split("/")[2]
    one = open_store(f"s3://{bucket}/one", s3=s3_address.s3)
    two = open_store(f"s3://{bucket}/one-more/", s3=s3_address.s3)
    two.put("a", b"")

    assert (list(one.list("")), two.uri) == ([], f"s3://{bucket}/one-more")


def test_a_lake_may_be_a_whole_bucket(s3_url):
    store = open_store(f"s3://{make_bucket(s3_url)}", s3=S3Config(endpoint_url=s3_url))
    store.put("a", b"")

    assert [found.key for found in store.list("")] == ["a"]


def test_boto3s_settings_can_name_the_endpoint(moto_url, monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", moto_url)
    store = open_store(f"s3://{make_bucket(moto_url)}/lake", s3=S3Config())
    store.put("a", b"1")

    assert (store.get("a"), store.storage_options()["AWS_ENDPOINT_URL"]) == (b"1", moto_url)


def test_delta_gets_boto3s_credentials(s3_address):
    options = s3_address.open().storage_options()

    assert (options["AWS_ACCESS_KEY_ID"], options["AWS_SECRET_ACCESS_KEY"]) == ("test", "testtest")


def test_a_path_a_file_url_and_a_tilde_path_are_directories(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    places = [str(tmp_path / "my lake"), f"file://{tmp_path}/my%20lake", "~/my lake"]

    assert {open_store(place, s3=S3Config()).uri for place in places} == {str(tmp_path / "my lake")}


def test_leftovers_of_a_killed_writer_are_not_listed(tmp_path):
    (tmp_path / ".b1.warc.gz.0123456789abcdef.tmp").write_bytes(b"half")

    assert list(DirectoryStore(tmp_path).list("")) == []


def test_a_directory_store_leaves_no_temporary_file(tmp_path):
    store = DirectoryStore(tmp_path)
    store.put("a", b"1")
    store.put_new("a", b"2")

    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_a_full_disk_raises_lake_unavailable_and_does_no_harm(tmp_path):
    store = DirectoryStore(tmp_path)
    store.put("a", b"whole")

    with _no_file_longer_than(4096), pytest.raises(LakeUnavailable, match="File too large"):
        store.put("a", b"x" * 10_000)

    assert ([path.name for path in tmp_path.iterdir()], store.get("a")) == (["a"], b"whole")


def test_a_file_in_place_of_a_folder_raises_lake_unavailable(tmp_path):
    store = DirectoryStore(tmp_path)
    store.put("a", b"")

    with pytest.raises(LakeUnavailable, match="cannot write"):
        store.put("a/b", b"")


@contextmanager
def _no_file_longer_than(size):
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_an_impossible_directory_is_one_clear_error(tmp_path):
    (tmp_path / "file").write_bytes(b"")

    with pytest.raises(ConfigError, match=r"/file/lake: the lake cannot be written: "):
        open_store(str(tmp_path / "file/lake"), s3=S3Config())


@pytest.mark.parametrize(
    ("uri", "said"),
    [
        ("gs://bucket/lake", "a lake is a directory or s3://bucket/prefix"),
        ("s3://", "should be s3://bucket/prefix"),
        ("s3:///lake", "should be s3://bucket/prefix"),
        ("s3://bucket/../other", "should be s3://bucket/prefix"),
        ("s3://bucket/a//b", "should be s3://bucket/prefix"),
        ("s3://bucket/my lake", "should be s3://bucket/prefix"),
        ("s3://b?x=1/lake", "should be s3://bucket/prefix"),
    ],
)
def test_an_invalid_address_is_one_clear_error(aws_environment, uri, said):
    with pytest.raises(ConfigError, match=said):
        open_store(uri, s3=S3Config())


def test_a_missing_bucket_is_named(s3_url):
    with pytest.raises(ConfigError, match=r"^s3://no-such-bucket/lake: the bucket does not exist$"):
        open_store("s3://no-such-bucket/lake", s3=S3Config(endpoint_url=s3_url))


@pytest.mark.s3
@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("AWS_ACCESS_KEY_ID", "nobody", "unknown access key"),
        ("AWS_SECRET_ACCESS_KEY", "wrong", "the secret key is wrong"),
    ],
)
def test_refused_credentials_are_one_clear_error(ceph_url, monkeypatch, name, value, said):
    bucket = make_bucket(ceph_url)
    monkeypatch.setenv(name, value)

    with pytest.raises(ConfigError, match=said):
        open_store(f"s3://{bucket}", s3=S3Config(endpoint_url=ceph_url))


def test_missing_credentials_are_one_clear_error(moto_url, monkeypatch):
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")

    with pytest.raises(ConfigError, match="credentials"):
        open_store("s3://bucket", s3=S3Config(endpoint_url=moto_url))


def test_an_unreachable_endpoint_is_named(aws_environment):
    with pytest.raises(ConfigError, match=f"no response at {NOBODY}"):
        open_store("s3://bucket/lake", s3=S3Config(endpoint_url=NOBODY, attempts=1))


def test_an_invalid_endpoint_is_one_clear_error(aws_environment):
    with pytest.raises(ConfigError, match="s3://bucket/lake: Invalid endpoint"):
        open_store("s3://bucket/lake", s3=S3Config(endpoint_url="localhost"))


def test_a_missing_profile_is_one_clear_error(aws_environment, monkeypatch):
    monkeypatch.setenv("AWS_PROFILE", "nobody")

    with pytest.raises(ConfigError, match="nobody"):
        open_store("s3://bucket/lake", s3=S3Config(endpoint_url="http://127.0.0.1:9"))


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (400, b"<html>no S3</html>", ConfigError),
        (503, b"<Error><Code>SlowDown</Code></Error>", LakeUnavailable),
    ],
)
def test_a_non_s3_answer_is_distinguished_from_a_busy_server(aws_environment, status, body, error):
    with _answering(status, body) as url, pytest.raises(error, match=r"^s3://bucket/lake: "):
        open_store("s3://bucket/lake", s3=S3Config(endpoint_url=url, attempts=1))


@pytest.mark.parametrize(
    "use",
    [
        lambda store: store.put("a", b""),
        lambda store: store.put_new("a", b""),
        lambda store: store.get("a"),
        lambda store: store.get_range("a", 0, 1),
        lambda store: store.exists("a"),
        lambda store: list(store.list("")),
        lambda store: store.delete("a"),
    ],
    ids=["put", "put_new", "get", "get_range", "exists", "list", "delete"],
)
def test_an_unreachable_s3_raises_lake_unavailable(moto_url, use):
    address = LakeAddress(f"s3://{make_bucket(moto_url)}/lake", S3Config(endpoint_url=moto_url, attempts=1))
    with _answering(200, b"<ListBucketResult></ListBucketResult>") as url:
        store = replace(address, s3=S3Config(endpoint_url=url, attempts=1)).open()

    with pytest.raises(LakeUnavailable, match=r"^cannot .* s3://lake-"):
        use(store)


@contextmanager
def _answering(status, body):
    """Run a server that answers every GET with this response, during the block."""

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args):
            pass

    server = HTTPServer(("127.0.0.1", 0), Answer)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_a_lake_keeps_its_id(lake_address):
    assert open_lake(lake_address.open()) == open_lake(lake_address.open())


def test_concurrent_openers_of_a_new_lake_get_one_id(object_store):
    with ThreadPoolExecutor(4) as pool:
        ids = set(pool.map(open_lake, [object_store] * 4))

    assert len(ids) == 1


def test_opening_a_lake_does_not_change_its_marker(object_store):
    open_lake(object_store)

    assert [found.key for found in object_store.list("")] == [MARKER_KEY]


def test_an_error_message_has_no_rust_backtrace():
    error = ValueError(
        "Json error: \x1b[1munexpected\x1b[0m 'g'\n   0: <unknown>\n   1: start_thread\n             at ./x.c:4:8\n"
    )

    assert one_line(error) == "Json error: unexpected 'g'"


def test_a_lake_of_a_newer_format_is_one_clear_error(tmp_path):
    store = DirectoryStore(tmp_path)
    store.put(MARKER_KEY, b'{"format": 3, "lake_id": "x"}')

    with pytest.raises(LakeFormatError, match=r"^lake \S+ is of format 3; this Presslake reads up to 2: upgrade"):
        open_lake(store)


@pytest.mark.parametrize("marker", [b"", b"\xff", b"[]", b"1", b"{}", b'{"format": "x", "lake_id": "y"}', b"null"])
def test_an_invalid_marker_is_refused(tmp_path, marker):
    store = DirectoryStore(tmp_path)
    store.put(MARKER_KEY, marker)

    with pytest.raises(LakeFormatError, match=r"presslake.json exists but does not belong to a lake"):
        open_lake(store)


class _Careless(DirectoryStore):
    """A store that, like some S3 servers, ignores the condition of a PUT."""

    def put_new(self, key, body):
        self.put(key, body)
        return True


def test_a_store_without_conditional_put_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="8 writers succeeded with one PUT"):
        open_lake(_Careless(tmp_path))
