"""How Kheops judges tokens, and gives them out."""

import base64
import json
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import httpx
from joserfc import jwe, jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet, OctKey
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from kheops.world import Somebody, World

LEEWAY_S = 60

EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:access_token"  # noqa: S105

JWE = {"alg": "A128KW", "enc": "A128CBC-HS256"}


class Unauthorized(Exception):  # noqa: N818
    """A 401 without a word."""


class KeyDownload(Exception):  # noqa: N818
    """An unknown key id, or an identity provider that is away: a 500."""


class Tokens:
    """The tokens of one Kheops; keys: returns the identity provider's key set."""

    def __init__(self, world: World, issuer: str, keys: Callable[[], Mapping[str, Any]]) -> None:
        self._world, self._issuer, self._fetch = world, issuer, keys
        self._keys: KeySet | None = None
        self._key = OctKey.generate_key(128)

    def somebody(self, authorization: str | None, *, registered: bool = True) -> Somebody:
        """Return whom an Authorization header is about."""
        scheme, _, text = (authorization or "").partition(" ")
        if scheme.lower() == "basic":
            text = _decoded(text)
        elif scheme.lower() != "bearer":
            raise Unauthorized
        found = self.of_text(text)
        if registered and found.user not in self._world.registered:
            raise Unauthorized
        return found

    def of_text(self, text: str) -> Somebody:
        """Return whom a token is about."""
        if text in self._world.capabilities:
            capability = self._world.capabilities[text]
            if not capability.is_active:
                raise Unauthorized
            return Somebody(capability.user, "capability", capability.album)
        if text in self._world.reports:
            return self._world.reports[text]
        parts = text.count(".")
        if parts == 4:
            return self._of_viewer(text)
        if parts == 2:
            return self._of_login(text)
        raise Unauthorized

    def viewer(self, form: FormData) -> Response:
        """Answer a token exchange: RFC 8693, as Kheops understands it."""
        stated = {name: form.getlist(name) for name in form}
        needed = ("scope", "subject_token", "subject_token_type", "studyUID")
        if any(len(stated.get(name, [])) != 1 for name in needed):
            return _oauth("invalid_request")
        one = {name: str(values[0]) for name, values in stated.items()}
        source = one.get("source_type")
        if one["subject_token_type"] != ACCESS_TOKEN or source not in (None, "album", "inbox"):
            return _oauth("invalid_request")
        if ("source_id" in one) != (source == "album"):
            return _oauth("invalid_request")
        if "viewer" not in one["scope"].split():
            return _oauth("invalid_scope")
        try:
            subject = self.of_text(one["subject_token"])
        except Unauthorized:
            return _oauth("invalid_request")
        if subject.kind == "viewer" or subject.user not in self._world.registered:
            return _oauth("invalid_grant")
        payload = {
            "sub": subject.user,
            "album": one.get("source_id") or subject.album,
            "inbox": source == "inbox",
            "study": one["studyUID"],
            "exp": time.time() + 18000,
        }
        self._world.viewer_tokens += 1
        text = jwe.encrypt_compact(JWE, json.dumps(payload).encode(), self._key)
        return JSONResponse({"access_token": text, "token_type": "bearer", "expires_in": 18000})

    def introspected(self, text: str) -> Response:
        """Answer to a public client: of capability and report-provider tokens alone."""
        try:
            found = self.of_text(text)
        except (Unauthorized, KeyDownload):
            return JSONResponse({"active": False})
        if found.kind not in ("capability", "report"):
            return Response(status_code=401)
        answer = {"active": True, "sub": found.user, "scope": "read"}
        if found.album:
            answer["album_id"] = found.album
        return JSONResponse(answer)

    def _of_viewer(self, text: str) -> Somebody:
        try:
            payload = json.loads(jwe.decrypt_compact(text, self._key).plaintext or b"")
        except (JoseError, ValueError):
            raise Unauthorized from None
        if payload["exp"] < time.time():
            raise Unauthorized
        return Somebody(
            payload["sub"], "viewer", payload["album"], payload["study"], payload["inbox"]
        )

    def _of_login(self, text: str) -> Somebody:
        kid = _header(text).get("kid")
        key = next((each for each in self._key_set().keys if each.kid == kid), None)
        if key is None:
            self._keys = None
            raise KeyDownload
        try:
            claims = jwt.decode(text, key, algorithms=["RS256"]).claims
        except (JoseError, ValueError):
            raise Unauthorized from None
        now = datetime.now(UTC).timestamp()
        is_right = claims.get("iss") == self._issuer and claims.get("exp", 0) + LEEWAY_S > now
        if not is_right or not claims.get("sub"):
            raise Unauthorized
        return Somebody(claims["sub"], "access")

    def _key_set(self) -> KeySet:
        if self._keys is None:
            try:
                self._keys = KeySet.import_key_set(self._fetch())
            except (httpx.HTTPError, JoseError, ValueError) as error:
                raise KeyDownload from error
        return self._keys


def authorization_of(request: Request) -> str | None:
    """Return the Authorization header, or what a path /api/link/TOKEN/… stands for."""
    link = request.path_params.get("link")
    return f"Bearer {link}" if link else request.headers.get("authorization")


def _oauth(error: str) -> Response:
    return JSONResponse({"error": error}, 400)


def _decoded(text: str) -> str:
    try:
        _, _, password = base64.b64decode(text).decode().partition(":")
    except ValueError:
        raise Unauthorized from None
    return password


def _header(text: str) -> dict[str, Any]:
    head = text.partition(".")[0]
    try:
        stated = json.loads(base64.urlsafe_b64decode(head + "=" * (-len(head) % 4)))
    except ValueError:
        raise Unauthorized from None
    if not isinstance(stated, dict):
        raise Unauthorized
    return stated
