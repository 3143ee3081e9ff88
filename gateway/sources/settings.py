"""Which sources there are: addresses come from here alone, never from who asks."""

from dataclasses import dataclass
from urllib.parse import urlsplit

from starlette.datastructures import Secret

from gateway.addresses import is_protected
from gateway.reading import Reader, SettingsError


@dataclass(frozen=True)
class SourcesSettings:
    """Where studies come from, besides uploads.

    kheops_url: the root of Kheops, without /api; "" for none.
    dicomweb_url: where a DICOMweb server has /studies; "" for none.
    dicomweb_user, dicomweb_password, dicomweb_token: the gateway's own credential there, by which
        all of its users read: a user with a password, or a Bearer token, or empty.
    """

    kheops_url: str
    dicomweb_url: str
    dicomweb_user: str
    dicomweb_password: Secret
    dicomweb_token: Secret

    @classmethod
    def read(cls, read: Reader) -> "SourcesSettings":
        """Return what is stated; raises SettingsError."""
        kheops_url = _base(read, "GATEWAY_KHEOPS_URL")
        if kheops_url.endswith("/api"):
            raise SettingsError("GATEWAY_KHEOPS_URL has /api at its end: state it without")
        if kheops_url and not is_protected(kheops_url):
            raise SettingsError("GATEWAY_KHEOPS_URL is not https: tokens would be readable")
        user = read.text("GATEWAY_DICOMWEB_USER", "")
        token = read.secret("GATEWAY_DICOMWEB_TOKEN", "")
        if user and token:
            raise SettingsError("GATEWAY_DICOMWEB_USER and GATEWAY_DICOMWEB_TOKEN: state one")
        return cls(
            kheops_url=kheops_url,
            dicomweb_url=_base(read, "GATEWAY_DICOMWEB_URL"),
            dicomweb_user=user,
            dicomweb_password=Secret(read.secret("GATEWAY_DICOMWEB_PASSWORD", "")),
            dicomweb_token=Secret(token),
        )


def _base(read: Reader, name: str) -> str:
    """Return a URL to which paths are added, without a slash at its end; "" if none is stated."""
    url = read.text(name, "").rstrip("/")
    try:
        parts = urlsplit(url)
        has_port = parts.port is None or parts.port > 0
    except ValueError as error:
        raise SettingsError(f"{name} is not a URL") from error
    has_rest = parts.query or parts.fragment or "@" in parts.netloc or not has_port
    if url and (parts.scheme not in ("http", "https") or not parts.hostname or has_rest):
        raise SettingsError(f"{name} is not https://HOST[:PORT][/PATH]")
    return url
