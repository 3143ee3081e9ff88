"""What a provider states of itself: OpenID Connect Discovery 1.0."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from gateway.addresses import is_protected
from gateway.login.asking import UntrustedError


@dataclass(frozen=True)
class Provider:
    """What its discovery document states; end_session_endpoint may be ""."""

    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    end_session_endpoint: str
    takes_basic: bool
    names_itself: bool


def document_url(issuer: str) -> str:
    """Return where an issuer's document is: section 4."""
    return f"{issuer.removesuffix('/')}/.well-known/openid-configuration"


def provider_of(stated: Mapping[str, Any], *, issuer: str) -> Provider:
    """Return what a discovery document states; raises UntrustedError if it is another's."""
    if stated.get("issuer") != issuer:
        raise UntrustedError("the login service calls itself by another address than the set one")
    methods = stated.get("token_endpoint_auth_methods_supported")
    return Provider(
        authorization_endpoint=_endpoint(stated, "authorization_endpoint"),
        token_endpoint=_endpoint(stated, "token_endpoint"),
        jwks_uri=_endpoint(stated, "jwks_uri"),
        end_session_endpoint=(
            _endpoint(stated, "end_session_endpoint") if "end_session_endpoint" in stated else ""
        ),
        takes_basic=not isinstance(methods, list) or "client_secret_basic" in methods,
        names_itself=stated.get("authorization_response_iss_parameter_supported") is True,
    )


def _endpoint(stated: Mapping[str, Any], name: str) -> str:
    url = stated.get(name)
    if not isinstance(url, str) or not is_protected(url) or urlsplit(url).fragment:
        raise UntrustedError(f"the login service states no safe {name}")
    return url
