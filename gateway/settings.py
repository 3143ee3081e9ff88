"""The settings of the gateway: read once from the environment, before it listens."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from starlette.datastructures import Secret

from gateway.addresses import is_loopback, is_protected
from gateway.jobs.settings import JobsSettings, jobs_settings
from gateway.reading import Reader, SettingsError
from gateway.sources.settings import SourcesSettings

PUBLIC_MODELS = ("ct3dcnn", "dicom_to_nifti")

SCOPES = "openid email profile"

DEFAULT_PORTS = {"http": 80, "https": 443}

MIB = 1 << 20


@dataclass(frozen=True)
class Oidc:
    """The OpenID provider, and what the gateway is to it.

    audiences: of the access tokens of API callers, as `aud` or `azp`; the gateway's own client
        is always one.
    """

    issuer: str
    client_id: str
    client_secret: Secret
    scopes: str
    audiences: frozenset[str]


@dataclass(frozen=True)
class Bounds:
    """What one gateway takes, and what one user may take of it.

    study_bytes: of one zip. held_bytes: of all zips that are held at once.
    at_work: studies that are with a Triton, of all users. waiting: those behind them.
    of_one_user: studies of one user, at work or waiting.
    requests_a_minute: of one user, uploads or not.
    seconds: that one study may take.
    """

    study_bytes: int
    held_bytes: int
    at_work: int
    waiting: int
    of_one_user: int
    requests_a_minute: int
    seconds: float


@dataclass(frozen=True)
class Stay:
    """How long somebody stays logged in.

    idle_s: seconds without a request. whole_s: seconds in all. sessions: of all users.
    """

    idle_s: float
    whole_s: float
    sessions: int


@dataclass(frozen=True)
class Settings:
    """Read once at start; a missing name stops the gateway before it listens.

    mode: "local" for one person on the machine that it runs on, "oidc" for all others.
    public_url: where browsers find it, an origin without a path.
    triton_key: opens what Tritons tell of their models, where it is not this machine's; else empty.
    token: opens the gateway in the mode local; empty in the other one.
    oidc: None in the mode local.
    trusted_proxies: addresses whose X-Forwarded-For and X-Forwarded-Proto are believed.
    metrics_token: opens /metrics alone, to Prometheus; empty for none.
    audit_file: where who did what is appended to; None for the log alone.
    audit_key: makes the pseudonyms of studies in it; empty for one of each start.
    log_level: "info" for a line a request, "warning" for trouble alone.
    models: public names at Tritons of other machines or accounts whose key is not known.
    sources: where studies come from, besides uploads. jobs: where cohorts are kept.
    """

    mode: str
    address: str
    port: int
    public_url: str
    triton_urls: tuple[str, ...]
    triton_key: Secret
    token: Secret
    oidc: Oidc | None
    trusted_proxies: tuple[str, ...]
    bounds: Bounds
    stay: Stay
    audit_file: Path | None
    audit_key: Secret
    metrics_token: Secret
    log_level: str
    models: tuple[str, ...]
    sources: SourcesSettings
    jobs: JobsSettings

    @property
    def is_https(self) -> bool:
        """Whether browsers reach it by TLS, its own or that of a proxy before it."""
        return self.public_url.startswith("https://")

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> "Settings":
        """Return what GATEWAY_… variables state; raises SettingsError."""
        read = Reader(environment)
        mode = read.one_of("GATEWAY_MODE", ("local", "oidc"))
        address = read.text("GATEWAY_ADDRESS", "127.0.0.1")
        port = read.number("GATEWAY_PORT", 8080)
        if mode == "local" and not is_loopback(address):
            raise SettingsError("GATEWAY_ADDRESS is not loopback, as the mode local needs")
        return cls(
            mode=mode,
            address=address,
            port=port,
            public_url=_origin(read.text("GATEWAY_PUBLIC_URL", f"http://127.0.0.1:{port}")),
            triton_urls=read.words("GATEWAY_TRITON_URLS", "127.0.0.1:8000"),
            triton_key=Secret(read.secret("GATEWAY_TRITON_KEY", "")),
            token=Secret(_token(read) if mode == "local" else ""),
            oidc=_oidc(read) if mode == "oidc" else None,
            trusted_proxies=read.words("GATEWAY_TRUSTED_PROXIES", ""),
            bounds=_bounds(read),
            stay=_stay(read),
            audit_file=Path(file) if (file := read.text("GATEWAY_AUDIT_FILE", "")) else None,
            audit_key=Secret(read.secret("GATEWAY_AUDIT_KEY", "")),
            metrics_token=Secret(read.secret("GATEWAY_METRICS_TOKEN", "")),
            log_level=read.one_of("GATEWAY_LOG_LEVEL", ("info", "warning"), default="info"),
            models=read.words("GATEWAY_MODELS", " ".join(PUBLIC_MODELS)),
            sources=SourcesSettings.read(read),
            jobs=jobs_settings(read, mode),
        )


def _oidc(read: Reader) -> Oidc:
    client_id = read.text("GATEWAY_CLIENT_ID")
    issuer = read.text("GATEWAY_ISSUER")
    if not is_protected(issuer):
        raise SettingsError("GATEWAY_ISSUER is not https: tokens would be readable")
    scopes = read.text("GATEWAY_SCOPES", SCOPES)
    if "openid" not in scopes.split():
        raise SettingsError("GATEWAY_SCOPES has no openid, which makes it a login")
    return Oidc(
        issuer=issuer,
        client_id=client_id,
        client_secret=Secret(read.secret("GATEWAY_CLIENT_SECRET")),
        scopes=scopes,
        audiences=frozenset({client_id, *read.words("GATEWAY_AUDIENCES", "")}),
    )


def _bounds(read: Reader) -> Bounds:
    return Bounds(
        study_bytes=read.number("GATEWAY_STUDY_MIB", 2048) * MIB,
        held_bytes=read.number("GATEWAY_HELD_MIB", 8192) * MIB,
        at_work=read.number("GATEWAY_AT_WORK", 8),
        waiting=read.number("GATEWAY_WAITING", 32),
        of_one_user=read.number("GATEWAY_OF_ONE_USER", 16),
        requests_a_minute=read.number("GATEWAY_REQUESTS_A_MINUTE", 600),
        seconds=read.seconds("GATEWAY_SECONDS", 300.0),
    )


def _stay(read: Reader) -> Stay:
    return Stay(
        idle_s=read.seconds("GATEWAY_SESSION_IDLE_SECONDS", 8 * 3600.0),
        whole_s=read.seconds("GATEWAY_SESSION_SECONDS", 24 * 3600.0),
        sessions=read.number("GATEWAY_SESSIONS", 10_000),
    )


def _token(read: Reader) -> str:
    return read.secret("GATEWAY_TOKEN", secrets.token_urlsafe(32))


def _origin(url: str) -> str:
    """Return scheme, host and port of a URL as browsers write an Origin: RFC 6454 section 6.2.

    Refuses a path: cookies are the host's.
    """
    parts = urlsplit(url)
    has_rest = parts.path not in ("", "/") or parts.query or parts.fragment or "@" in parts.netloc
    if parts.scheme not in DEFAULT_PORTS or not parts.hostname or has_rest:
        raise SettingsError("GATEWAY_PUBLIC_URL is not https://HOST or http://HOST[:PORT]")
    if not is_protected(url):
        raise SettingsError("GATEWAY_PUBLIC_URL is not https: tokens and studies would be readable")
    try:
        is_default = parts.port in (None, DEFAULT_PORTS[parts.scheme])
    except ValueError as error:
        raise SettingsError("GATEWAY_PUBLIC_URL has a port that is none") from error
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return f"{parts.scheme}://{host}" + ("" if is_default else f":{parts.port}")
