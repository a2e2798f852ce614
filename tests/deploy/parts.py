"""Run a production installation on loopback with docs/operations.md's commands and deploy/'s files, without containers."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import boto3
import httpx
from botocore.config import Config
from sqlalchemy.engine import URL

from deploy.fill_env import filled
from tests import servers
from tests.postgres import connected, find_binaries, started_server
from tests.servers import free_port, started_ceph

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
SETTINGS_OF = ("PREFECT_", "PRESSLAKE_", "AWS_", "POSTGRES_")
SERVER, WORKER = "prefect server start --host 127.0.0.1 --port", "prefect worker start --pool presslake --name"
"""As in docs/operations.md; tests/deploy/test_files.py checks that."""


@dataclass(frozen=True)
class Ports:
    """The loopback ports of the parts."""

    postgresql: int
    redis: int
    prefect: int
    s3: int

    def here(self, text: str) -> str:
        """Replace compose.yaml's addresses in a filled-in example by these ports."""
        for name, port, ours in (
            ("postgresql", 5432, self.postgresql),
            ("redis", 6379, self.redis),
            ("prefect", 4200, self.prefect),
            ("s3", 9000, self.s3),
        ):
            text = text.replace(f"@{name}:{port}/", f"@127.0.0.1:{ours}/").replace(
                f"//{name}:{port}", f"//127.0.0.1:{ours}"
            )
        return text.replace("//127.0.0.1:4200/", f"//127.0.0.1:{self.prefect}/")


def parsed(text: str) -> dict[str, str]:
    """Return the variables of an env file."""
    lines = (line for line in text.splitlines() if line and not line.startswith("#"))
    return {name: value for name, _, value in (line.partition("=") for line in lines)}


def clean(*more: Mapping[str, str]) -> dict[str, str]:
    """Return this process's environment without our and Prefect's settings, plus those given."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(SETTINGS_OF)}
    joined = {**kept, "PATH": f"{BIN}:{os.environ['PATH']}", "AWS_EC2_METADATA_DISABLED": "true"}
    for one in more:
        joined |= one
    return joined


def run(
    command: str, env: Mapping[str, str], *, cwd: Path = ROOT, check: bool = True
) -> subprocess.CompletedProcess[str]:
    """Run a command from the docs, and return its result."""
    done = subprocess.run(
        ["bash", "-c", command], env=dict(env), cwd=cwd, capture_output=True, text=True, timeout=240, check=False
    )
    assert not check or done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
    return done


@contextmanager
def started(command: str, env: Mapping[str, str], log: Path, *, cwd: Path = ROOT) -> Iterator[subprocess.Popen[bytes]]:
    """Run a command in its own process group during the block; its output goes to `log`."""
    with log.open("ab") as out:
        process = subprocess.Popen(
            ["bash", "-c", f"exec {command}"], env=dict(env), cwd=cwd, stdout=out, stderr=out, start_new_session=True
        )
    try:
        yield process
    finally:
        end(process, signal.SIGINT)


def end(process: subprocess.Popen[bytes], how: signal.Signals) -> None:
    """Signal a process group, and kill it after half a minute."""
    for one in (how, signal.SIGKILL):
        try:
            os.killpg(process.pid, one)
        except ProcessLookupError:
            break
        try:
            process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            continue
        if one is signal.SIGKILL:
            break
        how = signal.SIGKILL
    process.wait(timeout=30)


@contextmanager
def postgresql(port: int, env: Mapping[str, str]) -> Iterator[URL]:
    """Run PostgreSQL with passwords and the roles of deploy/postgresql/roles.sql; yield the superuser's URL."""
    binaries = find_binaries()
    assert binaries is not None, "PostgreSQL is not installed here"
    with started_server(binaries, listen_addresses="127.0.0.1", port=str(port), fsync="on") as url:
        folder = Path(str(url.query["host"]))
        (folder / "db/pg_hba.conf").write_text("local all all trust\nhost all all 127.0.0.1/32 scram-sha-256\n")
        with connected(url) as connection:
            connection.execute("SELECT pg_reload_conf()")
        psql = f"psql -v ON_ERROR_STOP=1 -h {folder} -p {port} -U presslake -f deploy/postgresql/roles.sql postgres"
        run(psql, clean(env, {"PATH": f"{binaries}:{os.environ['PATH']}"}))
        yield url


@contextmanager
def redis(port: int, env: Mapping[str, str], folder: Path) -> Iterator[None]:
    """Run Redis with a password and an append-only file."""
    assert shutil.which("redis-server"), "Redis is not installed here"
    command = f'redis-server --bind 127.0.0.1 --port {port} --requirepass "$REDIS_PASSWORD" --appendonly yes'
    folder.mkdir(exist_ok=True)
    with started(command, clean(env), folder / "log", cwd=folder):
        await_port(port)
        yield


@contextmanager
def ceph(env: Mapping[str, Mapping[str, str]]) -> Iterator[str]:
    """Run Ceph RGW with a bucket `news` and the users of deploy/s3/'s policies; yield its URL."""
    with started_ceph() as url:
        make_bucket(url, {who: env[f"{who}.env"]["AWS_SECRET_ACCESS_KEY"] for who in ("worker", "reader")})
        yield url


def make_bucket(url: str, secrets: Mapping[str, str]) -> None:
    """Create the bucket `news`, and a user for each policy of deploy/s3/ for which a secret is given."""
    root = boto3.Session(servers.KEY, servers.SECRET, region_name="us-east-1")
    root.client("s3", endpoint_url=url, config=Config(s3={"addressing_style": "path"})).create_bucket(Bucket="news")
    admin = {"CEPH_CONF": str(_ceph_folder(url) / "ceph.conf")}
    run(f"radosgw-admin -n client.rgw caps add --uid={servers.KEY} --caps='user-policy=*'", clean(admin))
    for who, secret in secrets.items():
        _make_s3_user(root, url, who, secret, admin)


def _make_s3_user(root: boto3.Session, url: str, who: str, secret: str, admin: Mapping[str, str]) -> None:
    """Create a Ceph user with the policy of its name."""
    name = f"presslake-{who}"
    keys = f'--access-key={name} --secret-key="$S3_SECRET"'
    run(
        f"radosgw-admin -n client.rgw user create --uid={name} --display-name={who} {keys}",
        clean(admin, {"S3_SECRET": secret}),
    )
    policy = (ROOT / f"deploy/s3/{who}.json").read_text()
    root.client("iam", endpoint_url=url).put_user_policy(UserName=name, PolicyName="lake", PolicyDocument=policy)


def _ceph_folder(url: str) -> Path:
    """Return the data folder of the Ceph that listens at a URL."""
    port = url.rpartition(":")[2]
    configurations = Path(tempfile.gettempdir()).glob("ceph-*/ceph.conf")
    return next(one.parent for one in configurations if f"endpoint=127.0.0.1:{port} " in one.read_text())


@contextmanager
def prefect_server(port: int, env: Mapping[str, str], home: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run Prefect's server with server.env, which requires authentication."""
    home.mkdir(exist_ok=True)
    with started(f"{SERVER} {port}", clean(env, {"PREFECT_HOME": str(home)}), home / "server.log") as process:
        await_healthy(f"http://127.0.0.1:{port}/api/health", process, home / "server.log")
        yield process


def await_healthy(url: str, process: subprocess.Popen[bytes], log: Path, timeout_s: float = 180) -> None:
    """Wait until the server answers; exit with the end of its log if it does not."""
    deadline = time.monotonic() + timeout_s
    while True:
        try:
            if httpx.get(url, timeout=5, trust_env=False).status_code == 200:
                return
        except httpx.TransportError:
            pass
        assert process.poll() is None, log.read_text()[-3000:]
        assert time.monotonic() < deadline, log.read_text()[-3000:]
        time.sleep(0.2)


def await_port(port: int, timeout_s: float = 30) -> None:
    """Wait until a port accepts connections."""
    deadline = time.monotonic() + timeout_s
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            assert time.monotonic() < deadline, f"nobody listens on port {port}"
            time.sleep(0.05)
        else:
            return


@dataclass(frozen=True)
class Installation:
    """The running parts: their environments by file, and the API for the walk's own requests."""

    folder: Path
    env: dict[str, dict[str, str]]
    ports: Ports
    database: URL
    api: httpx.Client

    def environment(self, name: str, **more: str) -> dict[str, str]:
        """Return the complete environment of a part whose file is `name`."""
        return clean(self.env[name], {"PREFECT_HOME": str(self.folder / "prefect")}, more)


@contextmanager
def installed(folder: Path) -> Iterator[Installation]:
    """Start every part except the workers; the owner role creates the index's tables."""
    with ExitStack() as stack:
        texts = filled()
        s3_url = stack.enter_context(ceph({name: parsed(text) for name, text in texts.items()}))
        ports = Ports(postgresql=free_port(), redis=free_port(), prefect=free_port(), s3=int(s3_url.rpartition(":")[2]))
        fixed = {name: parsed(ports.here(text)) for name, text in texts.items()}
        database = stack.enter_context(postgresql(ports.postgresql, fixed["postgresql.env"]))
        stack.enter_context(redis(ports.redis, fixed["redis.env"], folder / "redis"))
        stack.enter_context(prefect_server(ports.prefect, fixed["server.env"], folder / "prefect"))
        run("presslake migrate", clean(fixed["owner.env"], {"PREFECT_HOME": str(folder / "prefect")}), cwd=folder)
        user, _, password = fixed["worker.env"]["PREFECT_API_AUTH_STRING"].partition(":")
        url = fixed["worker.env"]["PREFECT_API_URL"]
        api = stack.enter_context(httpx.Client(base_url=url, auth=(user, password), timeout=60, trust_env=False))
        yield Installation(folder, fixed, ports, database, api)
