"""Where sources are is stated once; what cannot be stops the gateway before it listens."""

import pytest

from gateway.reading import SettingsError
from gateway.settings import Settings

HUSH = "hush-hush"


def sources(**stated):
    return Settings.from_environment({"GATEWAY_MODE": "local", **stated}).sources


def test_without_settings_there_are_none():
    found = sources()

    assert (found.kheops_url, found.dicomweb_url) == ("", "")


def test_a_slash_at_the_end_makes_no_difference():
    found = sources(
        GATEWAY_KHEOPS_URL="https://kheops.example/", GATEWAY_DICOMWEB_URL="http://pacs/dicom-web/"
    )

    assert found.kheops_url == "https://kheops.example"
    assert found.dicomweb_url == "http://pacs/dicom-web"


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("GATEWAY_KHEOPS_URL", "https://kheops.example/api", "/api"),
        ("GATEWAY_KHEOPS_URL", "http://kheops.example", "not https"),
        ("GATEWAY_KHEOPS_URL", "kheops.example", "https://HOST"),
        ("GATEWAY_KHEOPS_URL", "ftp://kheops.example", "https://HOST"),
        ("GATEWAY_KHEOPS_URL", "https://ada:hush@kheops.example", "https://HOST"),
        ("GATEWAY_KHEOPS_URL", "https://kheops.example/?x=1", "https://HOST"),
        ("GATEWAY_DICOMWEB_URL", "https://pacs:port", "not a URL"),
        ("GATEWAY_DICOMWEB_URL", "https://[pacs", "not a URL"),
    ],
)
def test_what_cannot_be_is_named_and_not_quoted(name, value, reason):
    with pytest.raises(SettingsError, match=name) as caught:
        sources(**{name: value})

    assert reason in str(caught.value)
    assert "hush" not in str(caught.value)


def test_one_credential_is_enough():
    with pytest.raises(SettingsError, match="state one"):
        sources(GATEWAY_DICOMWEB_USER="ada", GATEWAY_DICOMWEB_TOKEN=HUSH)


def test_what_is_secret_is_not_shown():
    found = sources(GATEWAY_DICOMWEB_USER="ada", GATEWAY_DICOMWEB_PASSWORD=HUSH)

    assert HUSH not in repr(found)
