"""The files of deploy/: checked by their linters and schemas, and by rules that no linter has."""

import os
import re
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from deploy.fill_env import EXAMPLES, filled, main
from tasks.config.settings import Settings, load_settings
from tasks.errors import ConfigError
from tests.deploy.parts import SERVER, WORKER, clean, parsed

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
BIN = Path(sys.executable).parent
K8S = sorted((DEPLOY / "k8s").glob("*.yaml"))
DOCUMENTS: list[dict[str, Any]] = [one for path in K8S for one in yaml.safe_load_all(path.read_text())]
COMPOSE: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
ONCE = {"s3-volume", "s3-users", "index", "deployments"}
TEXTS = filled()
ASKS_PREFECT_ALONE = {"deployments"}  # has a worker's settings, since it imports the flows
MAY_BE_ROOT = {"s3-volume"}  # only to chown one volume
IMAGES_OWN = ("POSTGRES_", "PGDATA", "MINIO_", "MC_", "GF_", "REDIS_PASSWORD", "WORKER_SECRET_KEY", "READER_SECRET_KEY")
ROLES_OWN = {
    "PRESSLAKE_OWNER_PASSWORD",
    "PRESSLAKE_WORKER_PASSWORD",
    "PRESSLAKE_READER_PASSWORD",
    "PREFECT_DB_PASSWORD",
}
BOTO3S = {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"}


def documents(*kinds: str) -> Iterator[dict[str, Any]]:
    yield from (one for one in DOCUMENTS if one["kind"] in kinds)


def pods() -> Iterator[tuple[str, dict[str, Any]]]:
    for one in documents("Deployment", "Job"):
        yield one["metadata"]["name"], one["spec"]["template"]["spec"]


def variables_of(files: list[str]) -> dict[str, str]:
    return {name: value for file in files for name, value in parsed(TEXTS[Path(file).name]).items()}


def k8s_names() -> dict[str, set[str]]:
    """Return the environment variables of each container in the Kubernetes manifests."""
    kept = {("configMapRef", one["metadata"]["name"]): set(one["data"]) for one in documents("ConfigMap")}
    kept |= {("secretRef", one["metadata"]["name"]): set(one["stringData"]) for one in documents("Secret")}
    return {
        container["name"]: {
            name for source in container["envFrom"] for kind, one in source.items() for name in kept[kind, one["name"]]
        }
        for _, pod in pods()
        for container in (*pod["containers"], *pod.get("initContainers", ()))
    }


def is_setting(name: str) -> bool:
    # not at the top: importing Prefect takes a second in each process that collects the tests
    from prefect.settings import get_current_settings
    from prefect.settings.legacy import _get_valid_setting_names
    from prefect_redis.client import RedisMessagingSettings

    redis = {f"PREFECT_REDIS_MESSAGING_{field.upper()}" for field in RedisMessagingSettings.model_fields}
    ours = {f"PRESSLAKE_{field.upper()}" for field in Settings.model_fields}
    return name in ours | redis | BOTO3S | {"DO_NOT_TRACK"} | _get_valid_setting_names(type(get_current_settings()))


@pytest.mark.parametrize(
    "command",
    [
        "hadolint deploy/Dockerfile",
        "check-jsonschema --builtin-schema vendor.compose-spec deploy/compose.yaml",
        "kubernetes-validate --strict --quiet --no-warn " + " ".join(str(path.relative_to(ROOT)) for path in K8S if path.stem != "kustomization"),
    ],
    ids=lambda command: command.split()[0],
)  # fmt: skip
def test_the_linter_passes(command):
    done = subprocess.run(
        ["bash", "-c", f"{shlex.quote(str(BIN))}/{command}"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    assert (done.returncode, done.stdout.replace("ok -- validation done\n", "") + done.stderr) == (0, "")


@pytest.mark.parametrize("name", sorted({name for text in TEXTS.values() for name in parsed(text)}))
def test_a_variable_of_the_examples_is_a_known_setting(name):
    assert is_setting(name) or name in ROLES_OWN or name.startswith(IMAGES_OWN)


@pytest.mark.parametrize("name", sorted({name for names in k8s_names().values() for name in names}))
def test_a_variable_of_the_kubernetes_manifests_is_a_known_setting(name):
    assert is_setting(name)


def test_prefect_accepts_the_servers_settings():
    env = clean(variables_of(["server.env"]))
    code = "import prefect.settings as s; s.get_current_settings(); import prefect_redis.messaging, prefect_redis.ordering, prefect_redis.lease_storage"

    done = subprocess.run(
        [sys.executable, "-c", code], env=env, capture_output=True, text=True, timeout=120, check=False
    )

    assert done.returncode == 0, done.stderr


def test_presslake_accepts_the_workers_settings(monkeypatch):
    for name, value in variables_of(["worker.env"]).items():
        monkeypatch.setenv(name, value)

    try:
        settings = load_settings()
    except ConfigError as error:
        pytest.fail(str(error))

    assert settings.index.startswith("postgresql+psycopg://presslake_worker:")


def test_kubernetes_sets_the_examples_variables():
    assert k8s_names()["prefect"] == variables_of(["server.env"]).keys() - {"DO_NOT_TRACK"}  # set in the image
    assert k8s_names()["worker"] == variables_of(["worker.env"]).keys() - {"DO_NOT_TRACK"}
    assert k8s_names()["index"] == variables_of(["owner.env"]).keys()


def test_kubernetes_has_the_examples_values():
    values = {
        name: value
        for one in documents("ConfigMap")
        if one["metadata"]["name"] == "server"
        for name, value in one["data"].items()
    }

    assert {name: variables_of(["server.env"])[name] for name in values} == values


def test_each_password_is_the_same_in_all_files_that_need_it_and_in_no_other():
    server, worker, reader, postgresql = (
        variables_of([f"{name}.env"]) for name in ("server", "worker", "reader", "postgresql")
    )

    assert f":{postgresql['PRESSLAKE_WORKER_PASSWORD']}@" in worker["PRESSLAKE_INDEX"]
    assert worker["PREFECT_API_AUTH_STRING"] == server["PREFECT_SERVER_API_AUTH_STRING"]
    assert variables_of(["s3.env"])["WORKER_SECRET_KEY"] == worker["AWS_SECRET_ACCESS_KEY"]
    everything = str([server, worker, reader])
    assert postgresql["PRESSLAKE_OWNER_PASSWORD"] not in everything
    assert postgresql["POSTGRES_PASSWORD"] not in everything
    assert postgresql["PREFECT_DB_PASSWORD"] not in str([worker, reader])


def test_filled_in_files_are_private_and_never_overwritten(tmp_path):
    main(tmp_path / "secrets")

    assert {path.name for path in (tmp_path / "secrets").iterdir()} == EXAMPLES.keys()
    assert {path.stat().st_mode & 0o777 for path in (tmp_path / "secrets").iterdir()} == {0o600}
    assert not any("CHANGE-ME-" in path.read_text() for path in (tmp_path / "secrets").iterdir())
    with pytest.raises(FileExistsError):
        main(tmp_path / "secrets")


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_a_service_is_pinned_limited_and_not_root(name):
    service = SERVICES[name]
    uid = service["user"].partition(":")[0]

    assert re.fullmatch(r"[a-z0-9/]+:(v?\d+\.\d+|RELEASE\.\d{4})[\w.-]*", service["image"])
    assert uid.isdigit()
    assert (uid == "0") == (name in MAY_BE_ROOT)
    assert service["read_only"]
    assert service["cap_drop"] == ["ALL"]
    assert "no-new-privileges:true" in service["security_opt"]
    assert {"cpus", "memory"} <= service["deploy"]["resources"]["limits"].keys()


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_a_long_running_service_has_a_health_check(name):
    assert ("test" in SERVICES[name]["healthcheck"]) == (name not in ONCE)


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_a_service_depends_on_and_names_only_services_it_can_reach(name):
    service = SERVICES[name]
    hosts = set(
        re.findall(
            r"(?:@|//)([a-z0-9]+):\d+",
            str(variables_of(service.get("env_file", [])).values()) + str(service.get("command")),
        )
    )

    for other, how in service.get("depends_on", {}).items():
        assert how["condition"] == ("service_completed_successfully" if other in ONCE else "service_healthy")
    for other in hosts & ({"prefect"} if name in ASKS_PREFECT_ALONE else SERVICES.keys()):
        assert set(service["networks"]) & set(SERVICES[other]["networks"]), f"{name} cannot reach {other}"


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_files_that_a_service_mounts_exist(name):
    for volume in SERVICES[name].get("volumes", ()):
        source = volume.partition(":")[0]
        if source.startswith("./"):
            assert (DEPLOY / source).exists(), source
        elif not source.startswith("$"):
            assert source in COMPOSE["volumes"]


def test_ports_are_published_only_on_loopback():
    assert all(port.startswith("127.0.0.1:") for one in SERVICES.values() for port in one.get("ports", ()))
    assert {name for name, one in SERVICES.items() if one.get("ports")} == {"prefect", "metrics", "grafana"}


@pytest.mark.parametrize(("name", "pod"), list(pods()))
def test_a_pod_is_not_root_and_has_a_read_only_root_file_system(name, pod):
    assert pod["securityContext"]["runAsNonRoot"]
    assert not pod["automountServiceAccountToken"]
    for container in (*pod["containers"], *pod.get("initContainers", ())):
        context = container["securityContext"]
        assert context["readOnlyRootFilesystem"]
        assert not context["allowPrivilegeEscalation"]
        assert context["capabilities"]["drop"] == ["ALL"]
        assert {"cpu", "memory"} == container["resources"]["limits"].keys() == container["resources"]["requests"].keys()


def test_services_probes_and_policies_use_existing_ports():
    named = {
        pod_name: {port["name"]: port["containerPort"] for port in pod["containers"][0].get("ports", ())}
        for pod_name, pod in pods()
    }

    for one in documents("Service"):
        (port,) = one["spec"]["ports"]
        assert named[one["spec"]["selector"]["app"]][port["targetPort"]] == port["port"]
    for name, pod in pods():
        for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
            assert pod["containers"][0].get(probe, {}).get("httpGet", {}).get("port") in {*named[name], None}
    for one in documents("NetworkPolicy"):
        target = one["spec"]["podSelector"].get("matchLabels", {}).get("app")
        for rule in one["spec"].get("ingress", ()):
            assert {port["port"] for port in rule["ports"]} <= set(named[target].values())


def test_the_kustomization_lists_every_manifest_except_the_secrets_template():
    (kustomization,) = documents("Kustomization")

    assert {*kustomization["resources"], "kustomization.yaml", "secrets.example.yaml"} == {path.name for path in K8S}


def test_compose_and_kubernetes_use_this_versions_image():
    (version,) = re.findall(r'^version = "(.*)"$', (ROOT / "pyproject.toml").read_text(), re.MULTILINE)
    images = {one["image"] for one in SERVICES.values()} | {c["image"] for _, pod in pods() for c in pod["containers"]}

    assert {image for image in images if image.startswith("presslake:")} == {f"presslake:{version}"}


def test_the_image_is_unprivileged_and_pinned():
    lines = (DEPLOY / "Dockerfile").read_text().splitlines()

    assert any(line.startswith("USER 10001") for line in lines)
    assert any("--constraint constraints.txt" in line for line in lines)
    assert re.fullmatch(r"ARG BASE=python:3\.11\.\d+-slim-\w+", next(line for line in lines if line.startswith("ARG")))


@pytest.mark.parametrize("command", [SERVER.partition(" --host")[0], WORKER.partition(" --name")[0], "python deploy/fill_env.py",
                                     "psql -v ON_ERROR_STOP=1", "presslake migrate", "prefect deploy --all --prefect-file deploy/prefect.yaml",
                                     "prefect work-pool create presslake --type process", "pg_dump --format=custom", "presslake verify"])  # fmt: skip
def test_the_walk_runs_the_documented_commands(command):
    assert command in (ROOT / "docs/operations.md").read_text()


def test_runs_import_no_module_from_the_workers_working_directory():
    deployments = yaml.safe_load((DEPLOY / "prefect.yaml").read_text())["deployments"]

    assert [one["work_pool"]["job_variables"] for one in deployments] == [
        {"env": {"PYTHONSAFEPATH": "1"}} for _ in deployments
    ]


def test_the_image_imports_no_module_from_its_working_directory():
    assert re.search(r"^ENV .*(\\\n.*)*PYTHONSAFEPATH=1", (DEPLOY / "Dockerfile").read_text(), re.MULTILINE)


def test_the_image_has_the_wheels_dependencies():
    wanted = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]["wheel"][
        "only-include"
    ]
    copied = re.findall(r"^COPY (\S+) \S+$", (DEPLOY / "Dockerfile").read_text(), re.MULTILINE)

    assert set(wanted) <= set(copied)
    assert {f"!{name}" for name in wanted} <= set((ROOT / ".dockerignore").read_text().splitlines())


POLICIES = [one for one in yaml.safe_load_all((DEPLOY / "k8s" / "network.yaml").read_text()) if one]


@pytest.mark.parametrize("policy", POLICIES, ids=lambda one: one["metadata"]["name"])
def test_a_network_policy_names_peers_and_ports(policy):
    rules = policy["spec"]

    assert all(rule.get("from") and rule.get("ports") for rule in rules.get("ingress", ()))
    assert all(rule.get("to") and rule.get("ports") for rule in rules.get("egress", ()))


FIRST_WITHOUT_KNOWN_HOLES = {"redis": (7, 4, 6), "postgres": (17, 7)}


@pytest.mark.parametrize("name", FIRST_WITHOUT_KNOWN_HOLES)
def test_no_image_is_older_than_its_first_safe_version(name):
    tags = [one["image"].partition(":")[2] for one in SERVICES.values() if one["image"].startswith(f"{name}:")]

    assert tags
    for tag in tags:
        assert tuple(map(int, tag.partition("-")[0].split("."))) >= FIRST_WITHOUT_KNOWN_HOLES[name]


def test_make_check_fails_if_the_audit_service_is_unreachable_unless_set_offline():
    outside = {name: value for name, value in os.environ.items() if not name.startswith("MAKE") and name != "AUDIT"}
    for words, has_flag in (((), False), (("AUDIT=offline",), True), (("AUDIT=1",), False)):
        shown = subprocess.run(
            ["make", "--dry-run", "check", *words], cwd=ROOT, env=outside, capture_output=True, text=True, check=True
        ).stdout

        assert ("deploy.audit --offline-ok" in shown) is has_flag
