"""Secrets that deploy/make-secrets.sh makes are those that services want, in their form."""

import base64
import json
import re
import stat
import subprocess
from pathlib import Path

import pytest
import yaml
from cryptography.fernet import Fernet
from test_deployment import COMPOSE, GATEWAY, SERVICES, explained

from gateway.settings import Settings
from tools.deployment.names import variables
from tools.locations import CHECKOUT


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
    of_the_group = {"metrics_token", "grafana_password"}
    for file in secrets.iterdir():
        mode = 0o640 if file.name in of_the_group else 0o600
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
