"""Files for containers: they name what the code, the documents and one another name."""

import base64
import fnmatch
import importlib.metadata
import json
import re
import shlex
import stat
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml
from cryptography.fernet import Fernet

from gateway.settings import Settings
from tools.deployment.__main__ import programs, results
from tools.deployment.names import example, settings, variables
from tools.locations import CHECKOUT

COMPOSE = CHECKOUT / "compose.yaml"
SHARED_MEMORY = CHECKOUT / "deploy" / "shared-memory.yaml"
DOCKERFILES = (CHECKOUT / "Dockerfile.triton", CHECKOUT / "gateway" / "Dockerfile")
SERVICES = yaml.safe_load(COMPOSE.read_text())["services"]
GATEWAY = SERVICES["gateway"]

FIXED = {"GATEWAY_MODE", "GATEWAY_ADDRESS", "GATEWAY_PORT", "GATEWAY_TOKEN"}
"""Settings that a container does not choose: who may come, and where inside it listens."""

OF_COMPOSE = {"GATEWAY_HOST_PORT", "GATEWAY_MEMORY", "GATEWAY_SHARED_MEMORY"}
"""Variables of compose.yaml whose names begin as those of the gateway do."""


def of_the_gateway():
    return {name for name in settings([CHECKOUT / "gateway"]) if name.startswith("GATEWAY_")}


def explained():
    return example((CHECKOUT / ".env.example").read_text())


def test_compose_states_every_setting_of_the_gateway_and_no_other():
    given = {name.removesuffix("_FILE") for name in GATEWAY["environment"]}
    files = {"GATEWAY_AUDIT" if name == "GATEWAY_AUDIT" else name for name in given}
    named = (files - {"GATEWAY_AUDIT"}) | {"GATEWAY_AUDIT_FILE"}

    assert named | FIXED == of_the_gateway() | FIXED


def test_every_setting_of_the_gateway_is_explained_or_a_secret():
    secrets = {
        name.removesuffix("_FILE")
        for name, value in GATEWAY["environment"].items()
        if value.startswith("/run/secrets/")
    }
    named = {name for name in explained() if name.startswith("GATEWAY_")} - OF_COMPOSE

    assert named | secrets == of_the_gateway() - FIXED
    assert not named & secrets, "a secret would be in .env"


@pytest.mark.parametrize("name", sorted(of_the_gateway() | {"DEEPFEATURES_ENGINE_KEY"}))
def test_every_setting_is_in_the_documents(name):
    documents = (CHECKOUT / "docs").glob("*.md")

    assert any(re.search(rf"\b{name}\b", document.read_text()) for document in documents)


def test_what_is_shown_as_a_default_is_the_default_of_the_code():
    """What is commented out would change nothing if it were not."""
    needed = {
        "GATEWAY_MODE": "oidc",
        "GATEWAY_ISSUER": "https://login.example.org",
        "GATEWAY_CLIENT_ID": "features",
        "GATEWAY_CLIENT_SECRET": "hush",
    }
    shown = {
        name: value
        for name, value in explained().items()
        if name.startswith("GATEWAY_") and name not in (*OF_COMPOSE, *needed)
    }
    compose = {"GATEWAY_TRITON_URLS", "GATEWAY_AUDIT_FILE", "GATEWAY_PUBLIC_URL"}
    ours = {name: value for name, value in shown.items() if name not in compose}

    assert Settings.from_environment(needed | ours) == Settings.from_environment(needed)


@pytest.mark.parametrize("file", [COMPOSE, SHARED_MEMORY], ids=lambda file: file.name)
def test_defaults_of_compose_are_those_that_are_shown(file):
    defaults = dict(re.findall(r"\$\{(\w+):-([^}]+)\}", file.read_text()))

    shown = {name: value for name, value in explained().items() if name in defaults}
    stated = {"GATEWAY_TRITON_URLS", "GATEWAY_AUDIT_FILE"}
    assert {n: v for n, v in defaults.items() if n not in stated} == {
        n: v for n, v in shown.items() if n not in stated
    }


def test_what_must_be_stated_stops_compose_without_it():
    needed = set(re.findall(r"\$\{(\w+):\?", COMPOSE.read_text()))
    uncommented = set(re.findall(r"^([A-Z_]+)=", (CHECKOUT / ".env.example").read_text(), re.M))

    assert needed == {"GATEWAY_PUBLIC_URL", "GATEWAY_ISSUER", "GATEWAY_CLIENT_ID"}
    assert needed | {"COMPOSE_PROFILES"} == uncommented


def test_all_checks_of_make_deploy_check_pass_or_say_what_is_missing():
    found = list(results(programs()))

    assert [(what, why) for verdict, what, why in found if verdict == "wrong"] == []
    assert {"hadolint", "check-jsonschema"} <= {
        what.split()[0] for verdict, what, _ in found if verdict == "ok"
    }


def test_a_variable_that_nobody_explains_is_noticed():
    text = "a: ${ONE:-x}\nb: ${TWO:?state it}\n# ${NONE}\nc: $${DOLLAR}\nd: ${THREE}\n"

    assert variables(text) == {"ONE", "TWO", "THREE"}


def test_only_the_gateway_is_in_one_network_with_triton():
    of_the_engine = {
        name for name, service in SERVICES.items() if "engine" in (service.get("networks") or {})
    }
    networks = yaml.safe_load(COMPOSE.read_text())["networks"]

    assert networks["engine"]["internal"] is True
    assert {"triton", "triton-cpu", "gateway"} <= of_the_engine
    assert all("ports" not in SERVICES[name] for name in ("triton", "triton-cpu"))
    assert all(set(SERVICES[name]["networks"]) == {"engine"} for name in ("triton", "triton-cpu"))


@pytest.mark.parametrize(
    "name", ["triton", "triton-cpu", "gateway", "tls", "prometheus", "grafana", "grpc"]
)
def test_what_is_for_production_is_sealed_and_bounded(name):
    service = SERVICES[name]

    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["restart"] == "unless-stopped"
    assert service["mem_limit"]
    assert service["logging"]["options"] == {"max-size": "10m", "max-file": "5"}


def test_ports_are_open_to_this_host_alone_but_for_those_with_tls():
    published = {
        port
        for name, service in SERVICES.items()
        if name not in ("tls", "grpc")
        for port in service.get("ports", ())
    }

    assert published
    assert all(str(port).startswith("127.0.0.1:") for port in published)


def test_the_launcher_may_start_what_it_copies():
    """Docker's tmpfs is noexec unless told otherwise, and the stub of models lies there."""
    (temporary,) = SERVICES["triton"]["tmpfs"]

    assert "exec" in temporary.removeprefix("/tmp:").split(",")  # noqa: S108


def test_the_proxy_has_the_address_that_is_believed():
    assert "172.30.80.2 with tls" in (CHECKOUT / ".env.example").read_text()
    assert SERVICES["tls"]["networks"]["front"]["ipv4_address"].endswith(":-172.30.80.2}")


@pytest.mark.parametrize(
    "dockerfile", DOCKERFILES, ids=lambda file: str(file.relative_to(CHECKOUT))
)
def test_what_a_dockerfile_copies_is_there_and_gets_to_the_builder(dockerfile):
    ignored = (CHECKOUT / ".dockerignore").read_text().splitlines()
    let_in = {line.removeprefix("!") for line in ignored if line.startswith("!")}

    for source in copied(dockerfile):
        assert (CHECKOUT / source).exists()
        assert source.split("/")[0] in let_in


def copied(dockerfile):
    """What a Dockerfile copies out of the checkout."""
    lines = (shlex.split(line) for line in dockerfile.read_text().splitlines())
    return [
        source.rstrip("/")
        for words in lines
        if words[:1] == ["COPY"] and not words[1].startswith("--from")
        for source in words[1:-1]
    ]


@pytest.mark.parametrize(
    "dockerfile", DOCKERFILES, ids=lambda file: str(file.relative_to(CHECKOUT))
)
def test_an_image_has_all_that_the_wheel_is_made_of(dockerfile):
    wheel = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())["tool"]["hatch"]["build"][
        "targets"
    ]["wheel"]

    assert {*wheel["packages"], *wheel["shared-data"]} <= set(copied(dockerfile))


def test_no_secret_gets_to_a_builder():
    first, *_ = lines = (CHECKOUT / ".dockerignore").read_text().splitlines()[1:]

    assert first == "*"
    let_in = [line.removeprefix("!") for line in lines if line.startswith("!")]
    for name in (".env", "secrets", "incoming", "certificates", ".git", "deploy", "tests"):
        assert not any(fnmatch.fnmatch(name, pattern) for pattern in let_in)


LOCKS = ("triton", "gateway", "build")


def locked(name):
    text = (CHECKOUT / name).read_text()
    return dict(re.findall(r"^([a-z0-9_.-]+)(?:\[[a-z,]+\])?==([^ ;]+)", text, re.M))


@pytest.mark.parametrize("lock", LOCKS)
def test_images_have_the_versions_that_are_tested(lock):
    tested = locked("requirements.lock")
    in_image = locked(f"requirements/{lock}.lock")

    assert in_image
    assert {n: v for n, v in in_image.items() if n in tested} == {
        n: tested[n] for n in in_image if n in tested
    }
    untested = {name for name in in_image if name not in tested}
    assert all(name.startswith("nvidia-") for name in untested), untested


@pytest.mark.parametrize("lock", LOCKS)
def test_every_package_of_an_image_has_its_digests(lock):
    text = (CHECKOUT / "requirements" / f"{lock}.lock").read_text()
    blocks = re.split(r"^(?=[a-z])", text, flags=re.M)[1:]

    assert all("--hash=sha256:" in block for block in blocks)


def test_the_image_of_triton_has_cuda_and_no_second_tritonserver():
    found = locked("requirements/triton.lock")

    assert "nvidia-pytriton" not in found
    assert {"nvidia-cudnn-cu12", "nvidia-cublas-cu12", "tensorflow", "openvino"} <= found.keys()
    assert not {"pytest", "playwright", "dcm2niix", "onnxruntime", "ipykernel"} & found.keys()


def test_the_image_of_the_gateway_has_no_tensorflow_and_no_triton():
    found = locked("requirements/gateway.lock")

    assert (
        not {"tensorflow", "keras", "nvidia-pytriton", "openvino", "grpcio", "pytest"}
        & found.keys()
    )


def test_the_gateway_starts_with_what_its_image_has():
    """All of its modules are imported while whatever is not in its lock cannot be."""
    allowed = {re.sub(r"[-_.]+", "-", name) for name in locked("requirements/gateway.lock")}
    ours = {"triton-deep-features"}
    blocked = sorted(
        module
        for module, owners in importlib.metadata.packages_distributions().items()
        if not {re.sub(r"[-_.]+", "-", name).lower() for name in owners} & (allowed | ours)
    )
    program = """
import importlib, json, pkgutil, sys
blocked = set(json.load(sys.stdin)) - {"gateway", "imaging", "tools"}
class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in blocked:
            raise ModuleNotFoundError(name, name=name)
sys.meta_path.insert(0, Blocker())
import gateway
for module in pkgutil.walk_packages(gateway.__path__, "gateway."):
    importlib.import_module(module.name)
"""
    done = subprocess.run(
        [sys.executable, "-c", program],
        input=json.dumps(blocked),
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert "tensorflow" in blocked
    assert done.returncode == 0, done.stderr


@pytest.fixture
def secrets(tmp_path):
    """A folder with what deploy/make-secrets.sh makes."""
    folder = tmp_path / "secrets"
    script = CHECKOUT / "deploy" / "make-secrets.sh"
    done = subprocess.run(["/bin/sh", script, folder], capture_output=True, text=True, check=False)
    if done.returncode:
        assert "as root" in done.stderr
    return folder


def test_secrets_are_made_for_every_service_and_only_once(secrets):
    script = CHECKOUT / "deploy" / "make-secrets.sh"
    first = {file.name: file.read_text() for file in secrets.iterdir()}
    subprocess.run(["/bin/sh", script, secrets], capture_output=True, check=False)

    assert first.keys() == yaml.safe_load(COMPOSE.read_text())["secrets"].keys()
    assert {file.name: file.read_text() for file in secrets.iterdir()} == first
    assert stat.S_IMODE(secrets.stat().st_mode) == 0o700
    of_others = {"metrics_token", "grafana_password"}
    for file in secrets.iterdir():
        mode = 0o644 if file.name in of_others else 0o600
        assert stat.S_IMODE(file.stat().st_mode) == mode, file.name


def test_the_gateway_reads_the_secrets_that_are_made(secrets):
    environment = {
        name: value.replace("/run/secrets", str(secrets))
        for name, value in GATEWAY["environment"].items()
        if value.startswith("/run/secrets/")
    }
    stated = {name: value for name, value in explained().items() if name in ("GATEWAY_ISSUER",)}

    found = Settings.from_environment(
        {**environment, **stated, "GATEWAY_MODE": "oidc", "GATEWAY_CLIENT_ID": "deep-features"}
    )

    assert found.jobs.database == "sqlite:////var/lib/deepfeatures/jobs.sqlite"
    assert len(base64.urlsafe_b64decode(str(found.jobs.keys[0]))) == 32
    assert Fernet(str(found.jobs.keys[0]))
    for secret in (found.triton_key, found.audit_key, found.oidc.client_secret):
        assert re.fullmatch("[0-9a-f]{64}", str(secret))
    assert not str(found.sources.dicomweb_password)


def test_every_secret_that_a_service_wants_is_made(secrets):
    made = {file.name for file in secrets.iterdir()}

    assert all(set(service.get("secrets", ())) <= made for service in SERVICES.values())


def test_the_realm_for_trying_knows_the_gateway_as_it_comes():
    realm = json.loads((CHECKOUT / "deploy" / "keycloak" / "realm.json").read_text())
    gateway, programs_of_users = realm["clients"]

    assert explained()["GATEWAY_ISSUER"].endswith(f"/realms/{realm['realm']}")
    assert gateway["redirectUris"] == ["${DEEPFEATURES_PUBLIC_URL}/login/callback"]
    assert gateway["attributes"]["post.logout.redirect.uris"].endswith("/login/out")
    assert gateway["attributes"]["pkce.code.challenge.method"] == "S256"
    assert not gateway["publicClient"]
    for client in realm["clients"]:
        assert not client["implicitFlowEnabled"]
        assert not client["directAccessGrantsEnabled"]
    (mapper,) = programs_of_users["protocolMappers"]
    assert mapper["protocolMapper"] == "oidc-audience-mapper"
    assert mapper["config"]["included.client.audience"] == gateway["clientId"]


def test_placeholders_of_the_realm_are_stated_by_its_service():
    realm = (CHECKOUT / "deploy" / "keycloak" / "realm.json").read_text()
    start = (CHECKOUT / "deploy" / "keycloak" / "start.sh").read_text()
    exported = set(re.search(r"^export (.*)$", start, re.M)[1].split())

    assert variables(realm) <= exported | SERVICES["keycloak"]["environment"].keys()


def test_folders_that_services_mount_are_in_the_repository():
    for service in SERVICES.values():
        for volume in service.get("volumes", ()):
            source = volume.split(":")[0]
            if source.startswith("./"):
                assert Path(CHECKOUT, source).exists(), volume
