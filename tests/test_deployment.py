"""Files for containers: they name what the code, the documents and one another name."""

import re

import pytest
import yaml

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
    secrets = {name for name, value in GATEWAY["environment"].items() if "/run/secrets/" in value}
    named = {
        name.removesuffix("_FILE") if name in secrets else name for name in GATEWAY["environment"]
    }

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

    # As texts, since secrets are never equal.
    found = Settings.from_environment(needed | ours)
    assert repr(found) == repr(Settings.from_environment(needed))


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


def test_every_profile_is_explained():
    profiles = {name for service in SERVICES.values() for name in service.get("profiles", ())}
    lines = (CHECKOUT / ".env.example").read_text()

    assert {name for name in profiles if f"{name}:" not in lines} == set()
    assert {"gpu", "cpu", "tls", "keycloak", "orthanc"} <= profiles


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
