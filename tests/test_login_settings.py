"""Settings of the login that cannot be stop the gateway, without their value."""

import pytest
from login_world import local_settings, unused_oidc_settings

from gateway.login.asking import UntrustedError
from gateway.login.discovery import provider_of
from gateway.reading import SettingsError
from gateway.settings import Settings

ISSUER = "https://login.example.org/auth/realms/QuantImage-v2"


@pytest.mark.parametrize(
    ("stated", "origin"),
    [
        ("https://Features.example.org/", "https://features.example.org"),
        ("https://features.example.org:443", "https://features.example.org"),
        ("https://features.example.org:8443", "https://features.example.org:8443"),
        ("http://[::1]:8080", "http://[::1]:8080"),
        ("http://localhost:80", "http://localhost"),
    ],
)
def test_the_public_url_is_written_as_browsers_write_an_origin(stated, origin):
    assert unused_oidc_settings(GATEWAY_PUBLIC_URL=stated).public_url == origin


@pytest.mark.parametrize(
    "stated",
    [
        "https://features.example.org/path",
        "https://hush:hush@features.example.org",
        "https://features.example.org?hush",
        "https://features.example.org:99999",
        "http://features.example.org",
        "ftp://features.example.org",
        "features.example.org",
        "https://",
    ],
)
def test_a_public_url_that_cannot_be_one_is_refused(stated):
    with pytest.raises(SettingsError, match="GATEWAY_PUBLIC_URL") as caught:
        unused_oidc_settings(GATEWAY_PUBLIC_URL=stated)
    assert "hush" not in str(caught.value)


def test_an_issuer_without_tls_is_refused_but_on_this_machine():
    with pytest.raises(SettingsError, match="GATEWAY_ISSUER is not https"):
        unused_oidc_settings(GATEWAY_ISSUER="http://login.example.org/realm")
    assert unused_oidc_settings(GATEWAY_ISSUER="http://localhost:8080/realm").oidc


@pytest.mark.parametrize("name", ["GATEWAY_ISSUER", "GATEWAY_CLIENT_ID", "GATEWAY_CLIENT_SECRET"])
def test_what_the_mode_oidc_needs_is_asked_for_by_name(name):
    with pytest.raises(SettingsError, match=f"{name} is not set"):
        unused_oidc_settings(**{name: ""})


def test_scopes_without_openid_are_no_login():
    with pytest.raises(SettingsError, match="GATEWAY_SCOPES has no openid"):
        unused_oidc_settings(GATEWAY_SCOPES="email")


def test_there_is_no_mode_without_authentication():
    with pytest.raises(SettingsError, match="GATEWAY_MODE is not set"):
        Settings.from_environment({})
    with pytest.raises(SettingsError, match="GATEWAY_MODE is neither local nor oidc"):
        Settings.from_environment({"GATEWAY_MODE": "none"})


def test_the_mode_oidc_has_no_token_and_the_mode_local_always_has_one():
    assert not str(unused_oidc_settings(GATEWAY_TOKEN="hush").token)  # noqa: S106
    assert len(str(local_settings(GATEWAY_TOKEN="").token)) == 43


def test_how_long_somebody_stays_can_be_set():
    stay = unused_oidc_settings(
        GATEWAY_SESSION_IDLE_SECONDS="60", GATEWAY_SESSION_SECONDS="600", GATEWAY_SESSIONS="5"
    ).stay

    assert (stay.idle_s, stay.whole_s, stay.sessions) == (60, 600, 5)


def document(**other):
    stated = {
        "issuer": ISSUER,
        "authorization_endpoint": f"{ISSUER}/auth",
        "token_endpoint": f"{ISSUER}/token",
        "jwks_uri": f"{ISSUER}/certs",
    }
    return {key: value for key, value in (stated | other).items() if value is not None}


def test_a_provider_without_logout_will_do():
    assert provider_of(document(), issuer=ISSUER).end_session_endpoint == ""


@pytest.mark.parametrize(
    "other",
    [
        {"issuer": f"{ISSUER}/"},
        {"issuer": None},
        {"token_endpoint": "http://login.example.org/token"},
        {"token_endpoint": None},
        {"authorization_endpoint": "javascript:alert(1)"},
        {"jwks_uri": 7},
        {"end_session_endpoint": "https://["},
    ],
)
def test_a_document_that_is_not_the_issuers_or_not_safe_is_refused(other):
    with pytest.raises(UntrustedError):
        provider_of(document(**other), issuer=ISSUER)
