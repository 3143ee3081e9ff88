"""Albums of Kheops, and the inbox, as a user or a token sees them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gateway.sources.asking import Asked
from gateway.sources.credential import CAPABILITY, Credential
from gateway.sources.failures import UNREADABLE
from gateway.sources.found import Album, Page, readable
from gateway.sources.kheops.api import EMPTY, OK, Api, total_of
from gateway.sources.kheops.capabilities import Capabilities
from gateway.sources.kheops.ids import is_album
from gateway.sources.qido import ABSENT
from gateway.sources.queries import Query

SORTS = {
    "name": "name",
    "created": "created_time",
    "changed": "last_event_time",
    "studies": "number_of_studies",
}

FORBIDDEN = 403
"""What a token of one album is answered where a user's would be needed."""


@dataclass(frozen=True)
class Albums:
    """Albums that were found; inbox: studies in it, None if it is not open."""

    page: Page[Album]
    inbox: int | None

    def as_json(self) -> dict[str, Any]:
        """Return it as the API tells of it."""
        inbox = None if self.inbox is None else {"studies": self.inbox}
        return {**self.page.as_json("albums"), "inbox": inbox}


async def albums(
    api: Api, capabilities: Capabilities, *, credential: Credential, query: Query
) -> Albums:
    """Return the albums of a user, or the one that a token opens; raises SourceError."""
    params = {"limit": str(query.limit), "offset": str(query.offset)}
    if query.sort:
        params["sort"] = ("-" if query.is_descending else "") + SORTS[query.sorted_by]
    if query.search:
        params["name"] = f"*{query.search}*"
    answer = await api.ask(credential, Asked("GET", "/albums", params))
    if answer.status == FORBIDDEN and credential.kind == CAPABILITY:
        return await _album_of_token(api, capabilities, credential)
    if answer.status not in (OK, EMPTY):
        raise api.server.refusal(answer)
    listed = api.server.document(answer) if answer.status == OK else []
    if not isinstance(listed, list):
        raise api.server.failures.of(UNREADABLE)
    found = [_album(each) for each in listed if isinstance(each, dict)]
    page = Page([each for each in found if is_album(each.id)], total_of(answer))
    return Albums(page, await _inbox(api, credential))


async def _album_of_token(api: Api, capabilities: Capabilities, credential: Credential) -> Albums:
    """Return the one album that a token opens: of a list Kheops does not let it know."""
    said = await capabilities.said(credential.text)
    if not said.album:
        return Albums(Page([], 0), None)
    stated, _ = await api.get(credential, f"/albums/{said.album}")
    found = [_album(stated)] if isinstance(stated, dict) else []
    return Albums(Page(found, len(found)), None)


async def _inbox(api: Api, credential: Credential) -> int | None:
    stated, _ = await api.get(credential, "/inboxinfo")
    return _number(stated, "number_of_studies") if isinstance(stated, dict) else None


def _album(stated: Mapping[str, Any]) -> Album:
    listed = stated.get("modalities")
    modalities = {readable(str(each)) for each in listed} if isinstance(listed, list) else set()
    return Album(
        id=_text(stated, "album_id"),
        name=_text(stated, "name"),
        description=_text(stated, "description"),
        modalities=tuple(sorted(modalities - {"", ABSENT})),
        studies=_number(stated, "number_of_studies"),
        series=_number(stated, "number_of_series"),
        created=_text(stated, "created_time"),
        changed=_text(stated, "last_event_time"),
    )


def _text(stated: Mapping[str, Any], name: str) -> str:
    text = stated.get(name)
    return readable(text) if isinstance(text, str) and text != ABSENT else ""


def _number(stated: Mapping[str, Any], name: str) -> int | None:
    number = stated.get(name)
    return number if isinstance(number, int) else None
