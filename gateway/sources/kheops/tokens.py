"""Tokens that Kheops gives out: for one study of an album, for a job, and what it says of one."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from starlette.datastructures import Secret

from gateway.sources.asking import Answer, Asked
from gateway.sources.credential import ACCESS, CAPABILITY, Credential
from gateway.sources.failures import UNREADABLE
from gateway.sources.kheops.api import CREATED, OK, REFUSED, Api
from gateway.sources.kheops.ids import is_album, is_capability, is_capability_id

JOB_LIFE = timedelta(days=2)
"""Of a token for a job: longer than any, and short, since only its user's login can revoke it."""

TITLE = "Deep features: one job"
"""By it a user knows the token on Kheops's page."""

EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:access_token"  # noqa: S105  (RFC 8693 section 3)

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
"""Of a form without a field, for which it would be left out."""

FORBIDDEN, NOT_FOUND = 403, 404


@dataclass(frozen=True)
class Introspected:
    """What Kheops says of a capability token; album: the only one that it opens, or ""."""

    is_active: bool
    album: str = ""


async def viewer_token(
    api: Api, credential: Credential, *, album: str | None, study_uid: str
) -> Credential | None:
    """Return a token for a study as an album, or the inbox, has it; None if Kheops gives none.

    RFC 8693. By it alone the zip of a study holds the series of the album and no others. It opens
    nothing else, and what it was made of need not be valid any more.
    """
    source = {"source_type": "album", "source_id": album} if album else {"source_type": "inbox"}
    form = {
        "grant_type": EXCHANGE,
        "scope": "viewer read",
        "subject_token": str(credential.text),
        "subject_token_type": ACCESS_TOKEN,
        "studyUID": study_uid,
        **source,
    }
    answer = await api.server.answer(Asked("POST", "/token", form=form))
    if answer.status >= 500:
        raise api.server.refusal(answer)
    text = _text(api, answer, "access_token") if answer.status == OK else ""
    return Credential(credential.kind, Secret(text)) if text else None


async def minted(api: Api, credential: Credential, album: str | None) -> Credential:
    """Return a capability token for a job of the user of an access token; raises SourceError.

    Of the album alone if the user is its admin; else of all that the user sees.
    """
    expires_at = datetime.now(UTC) + JOB_LIFE
    form = {
        "title": TITLE,
        "read_permission": "true",
        "expiration_time": expires_at.isoformat(timespec="seconds"),
    }
    user = Asked("POST", "/capabilities", form={**form, "scope_type": "user"})
    asked = user
    if album:
        asked = replace(user, form={**form, "scope_type": "album", "album": album})
    answer = await api.ask(credential, asked)
    if album and answer.status == FORBIDDEN:
        answer = await api.ask(credential, user)
    if answer.status not in (OK, CREATED):
        raise api.server.refusal(answer)
    text, name = _text(api, answer, "access_token"), _text(api, answer, "id")
    if not (is_capability(text) and is_capability_id(name)):
        raise api.server.failures.of(UNREADABLE)
    return Credential(CAPABILITY, Secret(text), name, expires_at)


async def revoke(api: Api, credential: Credential, *, by: Credential | None) -> None:
    """Revoke a capability token that was minted here; raises SourceError.

    by: an access token of its user: Kheops takes no other, not even the token itself.
    """
    if by is None or by.kind != ACCESS:
        raise api.server.failures.of(REFUSED)
    path = f"/capabilities/{credential.id}/revoke"
    answer = await api.ask(by, Asked("POST", path, headers=FORM))
    if answer.status not in (OK, NOT_FOUND):
        raise api.server.refusal(answer)


async def introspected(api: Api, token: Secret) -> Introspected:
    """Return what Kheops says of a capability token (RFC 7662); raises SourceError."""
    answer = await api.server.answer(Asked("POST", "/token/introspect", form={"token": str(token)}))
    if answer.status in (400, 401):  # of none, and of one that is not for us to ask about
        return Introspected(False)
    if answer.status != OK:
        raise api.server.refusal(answer)
    stated = api.server.document(answer)
    if not isinstance(stated, dict) or stated.get("active") is not True:
        return Introspected(False)
    album = stated.get("album_id", "")
    return Introspected(True, album if isinstance(album, str) and is_album(album) else "")


def _text(api: Api, answer: Answer, name: str) -> str:
    stated = api.server.document(answer)
    text = stated.get(name) if isinstance(stated, dict) else None
    return text if isinstance(text, str) else ""
