"""Real S3 servers on loopback, one of each kind per run: moto's always, Ceph RGW if it is installed.

`lake_address` is the address for a fresh, empty lake, in turn in a directory and on each server.
"""

import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path

import boto3
import pytest
from botocore.config import Config

from tasks.lake.objects.s3 import S3Store
from tasks.lake.objects.stores import ObjectStore, S3Config, open_store

KEY, SECRET = "test", "testtest"
CEPH_SCRIPT = Path(__file__).resolve().parents[1].parent / "shared/s3/start_ceph_rgw.sh"


@dataclass(frozen=True)
class LakeAddress:
    uri: str
    s3: S3Config = field(default_factory=S3Config)

    def open(self) -> ObjectStore:
        return open_store(self.uri, s3=self.s3)


def free_port() -> int:
    """Return a free port below the ephemeral range, so that no other process gets it by chance before its use."""
    while True:
        port = 20_000 + secrets.randbelow(12_000)
        with socket.socket() as listener, suppress(OSError):
            listener.bind(("127.0.0.1", port))
            return port


def make_bucket(endpoint_url: str) -> str:
    name = f"lake-{uuid.uuid4().hex}"
    _client(endpoint_url).create_bucket(Bucket=name)
    return name


@cache
def _session() -> boto3.Session:
    return boto3.Session(aws_access_key_id=KEY, aws_secret_access_key=SECRET, region_name="us-east-1")


@cache
def _client(endpoint_url: str):
    return _session().client("s3", endpoint_url=endpoint_url, config=Config(s3={"addressing_style": "path"}))


@cache
def _shared_bucket(endpoint_url: str) -> str:
    return make_bucket(endpoint_url)


def fresh_address(endpoint_url: str) -> LakeAddress:
    return LakeAddress(f"s3://{_shared_bucket(endpoint_url)}/{uuid.uuid4().hex}", S3Config(endpoint_url=endpoint_url))


@pytest.fixture(scope="session")
def aws_environment():
    """The credentials of the servers below only."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("AWS_")]:
            patch.delenv(name)
        patch.setenv("AWS_ACCESS_KEY_ID", KEY)
        patch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
        patch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        patch.setenv("AWS_CONFIG_FILE", os.devnull)
        patch.setenv("AWS_SHARED_CREDENTIALS_FILE", os.devnull)
        yield


@contextmanager
def started_moto() -> Iterator[str]:
    """Yield the address of a private moto server, stopped at the end."""
    port = free_port()
    server = subprocess.Popen(
        [sys.executable, "-m", "tests.moto_server", str(port)],
        cwd=Path(__file__).parents[1],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _await_port(port, server)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait(timeout=10)


@pytest.fixture(scope="session")
def moto_url(aws_environment, server_url) -> str:
    return server_url("moto")


@contextmanager
def started_ceph() -> Iterator[str]:
    """Yield the address of a private Ceph RGW, stopped and removed at the end."""
    # A short path: the daemons' sockets are in it, and a socket's path has 108 bytes at most
    directory = Path(tempfile.mkdtemp(prefix="ceph-"))
    port = free_port()
    try:
        subprocess.run(
            [CEPH_SCRIPT, directory, str(port), "memstore"],
            env={**os.environ, "MONPORT": str(free_port())},
            check=True,
            capture_output=True,
            timeout=120,
        )
        yield f"http://127.0.0.1:{port}"
    finally:
        for pid_file in directory.glob("*.pid"):
            _kill(int(pid_file.read_text()))
        shutil.rmtree(directory, ignore_errors=True)


@pytest.fixture(scope="session")
def ceph_url(aws_environment, server_url) -> str:
    if not (shutil.which("ceph-mon") and shutil.which("radosgw") and CEPH_SCRIPT.is_file()):
        pytest.skip("Ceph RGW is not installed here (ceph-mon, radosgw, ../shared/s3/start_ceph_rgw.sh)")
    return server_url("ceph")


@pytest.fixture(params=[pytest.param("moto", marks=pytest.mark.s3), pytest.param("ceph", marks=pytest.mark.s3)])
def s3_url(request):
    return request.getfixturevalue(f"{request.param}_url")


@pytest.fixture
def s3_address(s3_url) -> LakeAddress:
    return fresh_address(s3_url)


@pytest.fixture(
    params=[
        "directory",
        pytest.param("moto", marks=pytest.mark.s3),
        pytest.param("ceph", marks=pytest.mark.s3),
    ]
)
def lake_address(request, tmp_path) -> LakeAddress:
    if request.param == "directory":
        return LakeAddress(str(tmp_path / "lake"))
    return fresh_address(request.getfixturevalue(f"{request.param}_url"))


@pytest.fixture
def object_store(lake_address) -> ObjectStore:
    if not lake_address.uri.startswith("s3://"):
        return lake_address.open()
    # like `open`, but without creating a boto3 session, which takes a tenth of a second
    bucket, _, prefix = lake_address.uri.removeprefix("s3://").partition("/")
    return S3Store(_session(), bucket, prefix, replace(lake_address.s3, region="us-east-1"))


def _await_port(port: int, server: subprocess.Popen, timeout_s: float = 60) -> None:
    deadline = time.monotonic() + timeout_s
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            if server.poll() is not None or time.monotonic() > deadline:
                raise
            time.sleep(0.05)
        else:
            return


def _kill(pid: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
