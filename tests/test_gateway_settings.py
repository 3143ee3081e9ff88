"""Settings are read once, and a missing one is named before anything listens."""

import subprocess
import sys

import pytest

from gateway.reading import SettingsError
from gateway.settings import Settings

OIDC = {
    "GATEWAY_MODE": "oidc",
    "GATEWAY_PUBLIC_URL": "https://features.example.org",
    "GATEWAY_ISSUER": "https://login.example.org/auth/realms/QuantImage-v2",
    "GATEWAY_CLIENT_ID": "features",
    "GATEWAY_CLIENT_SECRET": "hush",
}


def test_one_variable_is_enough_for_the_machine_that_one_sits_at():
    settings = Settings.from_environment({"GATEWAY_MODE": "local"})

    assert (settings.address, settings.port) == ("127.0.0.1", 8080)
    assert settings.public_url == "http://127.0.0.1:8080"
    assert settings.triton_urls == ("127.0.0.1:8000",)
    assert len(str(settings.token)) == 43  # 256 bits, base64url
    assert settings.oidc is None


def test_each_start_has_a_token_of_its_own():
    first, second = (Settings.from_environment({"GATEWAY_MODE": "local"}) for _ in range(2))

    assert str(first.token) != str(second.token)


def test_the_provider_s_client_is_always_an_audience():
    settings = Settings.from_environment({**OIDC, "GATEWAY_AUDIENCES": "loris, kheops"})

    assert settings.oidc.audiences == {"features", "loris", "kheops"}
    assert settings.is_https


@pytest.mark.parametrize("name", sorted(OIDC))
def test_what_is_missing_is_named(name):
    stated = {each: value for each, value in OIDC.items() if each != name}
    if name == "GATEWAY_PUBLIC_URL":
        stated["GATEWAY_PUBLIC_URL"] = "features.example.org"

    with pytest.raises(SettingsError, match=name):
        Settings.from_environment(stated)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("GATEWAY_MODE", "open"),
        ("GATEWAY_ADDRESS", "192.0.2.1"),
        ("GATEWAY_PORT", "http"),
        ("GATEWAY_PORT", "-1"),
        ("GATEWAY_PUBLIC_URL", "http://features.example.org"),
        ("GATEWAY_PUBLIC_URL", "https://features.example.org/app"),
        ("GATEWAY_STUDY_MIB", "-7"),
        ("GATEWAY_SECONDS", "nan"),
        ("GATEWAY_LOG_LEVEL", "debug"),
    ],
)
def test_what_cannot_be_is_named_without_its_value(name, value):
    with pytest.raises(SettingsError, match=name) as refused:
        Settings.from_environment({"GATEWAY_MODE": "local", name: value})

    assert value not in str(refused.value).replace(name, "")


def test_secrets_are_in_no_representation():
    settings = Settings.from_environment({**OIDC, "GATEWAY_AUDIT_KEY": "hush too"})

    assert "hush" not in repr(settings)


def test_the_program_ends_with_the_name_of_what_is_missing():
    ended = subprocess.run(
        [sys.executable, "-m", "gateway"], env={}, capture_output=True, text=True, check=False
    )

    assert ended.returncode == 2
    assert ended.stderr == "GATEWAY_MODE is not set\n"
