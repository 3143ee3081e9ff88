"""Secrets by value or by file, read alike by the gateway and by the launcher."""

import re

import pytest
from cryptography.fernet import Fernet
from test_gateway_settings import OIDC

from gateway.reading import SettingsError
from gateway.settings import Settings
from tools.deployment.names import settings
from tools.engine.access import KEY
from tools.engine.preflight import checks
from tools.engine.scanner_key import VARIABLE, scanner_key
from tools.engine.settings import EngineSettings
from tools.engine.stated import StatedError, stated
from tools.gateway_process import GatewayProcess
from tools.locations import CHECKOUT

FERNET = Fernet.generate_key().decode()

READ = {
    "GATEWAY_AUDIT_KEY": ("hush", lambda found: found.audit_key),
    "GATEWAY_CLIENT_SECRET": ("hush", lambda found: found.oidc.client_secret),
    "GATEWAY_DICOMWEB_PASSWORD": ("hush", lambda found: found.sources.dicomweb_password),
    "GATEWAY_DICOMWEB_TOKEN": ("hush", lambda found: found.sources.dicomweb_token),
    "GATEWAY_JOBS_DATABASE": ("sqlite:////jobs", lambda found: found.jobs.database),
    "GATEWAY_JOBS_KEY": (FERNET, lambda found: found.jobs.keys[0]),
    "GATEWAY_METRICS_TOKEN": ("hush", lambda found: found.metrics_token),
    "GATEWAY_TRITON_KEY": ("hush", lambda found: found.triton_key),
}
"""Secrets of the mode oidc: a value, and what of the settings holds it."""


@pytest.fixture
def file(tmp_path):
    """A function that makes a file with a content and returns its name."""

    def make(content):
        (tmp_path / "secret").write_text(content)
        return str(tmp_path / "secret")

    return make


@pytest.mark.parametrize("name", sorted(READ))
def test_every_secret_of_the_gateway_may_be_a_file(name, file):
    value, read = READ[name]
    others = {key: text for key, text in OIDC.items() if key != name}
    if name == "GATEWAY_JOBS_DATABASE":
        others["GATEWAY_JOBS_KEY"] = FERNET

    found = Settings.from_environment({**others, f"{name}_FILE": file(f"{value}\n")})

    assert str(read(found)) == value


def test_the_token_of_the_mode_local_may_be_a_file(file):
    environment = {"GATEWAY_MODE": "local", "GATEWAY_TOKEN_FILE": file("hush\n")}

    assert str(Settings.from_environment(environment).token) == "hush"


def test_the_page_beside_the_launcher_has_the_token_of_a_file(file, monkeypatch):
    monkeypatch.delenv("GATEWAY_TOKEN", raising=False)
    monkeypatch.setenv("GATEWAY_TOKEN_FILE", file("hush\n"))

    assert GatewayProcess(8080, "127.0.0.1:8000").url == "http://127.0.0.1:8080/?token=hush"


def test_every_setting_that_the_code_takes_for_a_secret_is_tried_here():
    sources = (file.read_text() for file in (CHECKOUT / "gateway").rglob("*.py"))
    named = {name for text in sources for name in re.findall(r'\.secrets?\("(\w+)"', text)}

    assert named == {*READ, "GATEWAY_TOKEN"}
    assert named <= settings([CHECKOUT / "gateway"])


def test_both_ways_at_once_are_refused_without_either_value(file):
    environment = {**OIDC, "GATEWAY_CLIENT_SECRET_FILE": file("also hush")}

    with pytest.raises(SettingsError, match="GATEWAY_CLIENT_SECRET and GATEWAY_CLIENT_SECRET_FILE"):
        Settings.from_environment(environment)


def test_a_file_that_is_not_there_is_refused_by_the_name_of_its_setting(tmp_path):
    environment = {**OIDC, "GATEWAY_AUDIT_KEY_FILE": str(tmp_path / "hush")}

    with pytest.raises(SettingsError, match="GATEWAY_AUDIT_KEY_FILE names a file") as refused:
        Settings.from_environment(environment)
    assert "hush" not in str(refused.value)


@pytest.mark.parametrize("content", [b"\xff\xfe", b"\xc3("])
def test_a_file_that_is_no_text_is_refused(content, tmp_path):
    file = tmp_path / "secret"
    file.write_bytes(content)

    with pytest.raises(StatedError, match="NAME_FILE names a file that cannot be read"):
        stated({"NAME_FILE": str(file)}, "NAME")


def test_an_empty_file_states_nothing(file):
    empty = file("\n")

    assert stated({"NAME_FILE": empty}, "NAME") == ""
    assert stated({"NAME_FILE": empty, "NAME": "value"}, "NAME") == "value"
    with pytest.raises(SettingsError, match="GATEWAY_CLIENT_SECRET is not set"):
        Settings.from_environment(
            {**OIDC, "GATEWAY_CLIENT_SECRET": "", "GATEWAY_CLIENT_SECRET_FILE": empty}
        )


def test_the_key_of_scanners_may_be_a_file(file, monkeypatch):
    monkeypatch.delenv(VARIABLE)
    monkeypatch.setenv(f"{VARIABLE}_FILE", file("key of the file\n"))

    assert scanner_key() == "key of the file"


@pytest.mark.parametrize("key", ["short", "x" * 129, "colons:and=commas," + "x" * 32, "ä" * 40])
def test_a_key_that_tritons_flags_cannot_hold_is_refused_before_the_start(key, monkeypatch):
    monkeypatch.setenv(KEY, key)

    (problem,) = [check.problem for check in checks(EngineSettings()) if check.name == "keys"]
    assert KEY in problem
    assert key not in problem


def test_a_key_that_is_stated_twice_stops_the_launcher_before_the_start(file, monkeypatch):
    monkeypatch.setenv(KEY, "x" * 32)
    monkeypatch.setenv(f"{KEY}_FILE", file("y" * 32))

    (problem,) = [check.problem for check in checks(EngineSettings()) if check.name == "keys"]
    assert problem == f"{KEY} and {KEY}_FILE: state one"
