"""The stand-in's API: what Kheops answers where, its statuses without a word among them."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any

import httpx
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from kheops import images, searches
from kheops.orthanc import PASSWORD, USER
from kheops.tokens import EXCHANGE, KeyDownload, Unauthorized, authorization_of
from kheops.world import Album, Somebody

if TYPE_CHECKING:
    from kheops.stand_in import Kheops

ALBUM_SORTS = {
    "created_time": lambda album: album.created,
    "last_event_time": lambda album: album.created,
    "name": lambda album: album.name.lower(),
    "number_of_studies": lambda album: len({key[0] for key in album.series}),
}

Handler = Callable[["Kheops", Request, Somebody], Awaitable[Response]]


def application(kheops: "Kheops") -> Starlette:
    """Return the stand-in as an application."""

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        async with httpx.AsyncClient(
            base_url=kheops.orthanc.url, auth=(USER, PASSWORD), timeout=60
        ) as http:
            app.state.pacs = http
            yield

    routes = []
    for path, method, name, handler in ROUTES:
        endpoint = _endpoint(kheops, name, handler)
        routes.append(Route(f"/api{path}", endpoint, methods=[method]))
        routes.append(Route(f"/api/link/{{link}}{path}", endpoint, methods=[method]))
    return Starlette(routes=routes, lifespan=lifespan)


def _endpoint(
    kheops: "Kheops", name: str, handler: Handler
) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        kheops.world.asked[name] += 1
        if kheops.failure is not None:
            return Response(status_code=kheops.failure)
        if kheops.fails[name] > 0:
            kheops.fails[name] -= 1
            return Response(status_code=502)
        try:
            if name in OPEN:
                return await handler(kheops, request, Somebody("", ""))
            somebody = kheops.tokens.somebody(authorization_of(request))
            return await handler(kheops, request, somebody)
        except Unauthorized:
            has_header = bool(authorization_of(request))
            return Response(status_code=401, headers={} if has_header else CHALLENGE)
        except KeyDownload:
            return Response(status_code=500)

    return endpoint


CHALLENGE = {"WWW-Authenticate": "Basic, Bearer"}

OPEN = ("register", "token", "introspect")
"""Without an Authorization header: the token is in the form."""


async def register(kheops: "Kheops", request: Request, _: Somebody) -> Response:
    form = await request.form()
    try:
        found = kheops.tokens.of_text(str(form.get("access_token", "")))
    except Unauthorized:
        return Response(status_code=400)
    if found.user in kheops.world.without_email:
        return Response(status_code=500)
    kheops.world.registered.add(found.user)
    return JSONResponse({"sub": found.user, "email": f"{found.user}@example.org"})


async def token(kheops: "Kheops", request: Request, _: Somebody) -> Response:
    form = await request.form()
    if form.get("grant_type") != EXCHANGE or not kheops.gives_viewer_tokens:
        return JSONResponse({"error": "unsupported_grant_type"}, 400)
    return kheops.tokens.viewer(form)


async def introspect(kheops: "Kheops", request: Request, _: Somebody) -> Response:
    form = await request.form()
    return kheops.tokens.introspected(str(form.get("token", "")))


async def new_capability(kheops: "Kheops", request: Request, somebody: Somebody) -> Response:
    if somebody.kind != "access":
        raise Unauthorized
    form = await request.form()
    scope, album = form.get("scope_type"), form.get("album")
    if scope not in ("user", "album") or not form.get("title"):
        return problem(400, "Bad Query Parameter", "'scope_type' must be 'user' or 'album'")
    if scope == "album":
        found = kheops.world.albums.get(str(album))
        if found is None or somebody.user not in found.members:
            return problem(404, "Album Not Found", "The album does not exist")
        if not found.members[somebody.user]:
            return problem(403, "Authorization error", "Only an admin can generate a token")
    expires_at = datetime.fromisoformat(str(form["expiration_time"]))
    made = kheops.world.mint(
        somebody.user,
        str(album) if scope == "album" else None,
        expires_at=expires_at,
        title=str(form["title"]),
    )
    answer = {"id": made.id, "secret": made.text, "access_token": made.text, "title": made.title}
    return JSONResponse(answer, 201)


async def revoke(kheops: "Kheops", request: Request, somebody: Somebody) -> Response:
    if somebody.kind != "access":
        raise Unauthorized
    for made in kheops.world.capabilities.values():
        if made.id == request.path_params["capability"] and made.user == somebody.user:
            made.revoked = True
            return JSONResponse({"id": made.id, "revoked": True})
    return problem(404, "Capability Not Found", "The capability does not exist")


async def albums(kheops: "Kheops", request: Request, somebody: Somebody) -> Response:
    if not somebody.has_user_access:
        return problem(403, "Authorization error", "You don't have the permission")
    query = request.query_params
    found = kheops.world.of_user(somebody.user)
    if name := query.get("name"):
        found = [each for each in found if searches.is_like(each.name, name)]
    sort = query.get("sort", "-created_time")
    if sort.removeprefix("-") not in ALBUM_SORTS:
        return problem(400, "Bad Query Parameter", "'sort' can only be")
    found.sort(key=ALBUM_SORTS[sort.removeprefix("-")], reverse=sort.startswith("-"))
    part = searches.part_of(found, query)
    if part is None:
        return problem(400, "Bad Query Parameter", "'limit' must be positive")
    listed = [_album(kheops, each, somebody) for each in part]
    return JSONResponse(listed, headers={"X-Total-Count": str(len(found))})


async def one_album(kheops: "Kheops", request: Request, somebody: Somebody) -> Response:
    album = opened(kheops, request.path_params["album"], somebody)
    if album is None:
        return problem(404, "Album Not Found", "The album does not exist")
    return JSONResponse(_album(kheops, album, somebody))


async def inbox_info(kheops: "Kheops", _: Request, somebody: Somebody) -> Response:
    if not somebody.has_user_access:
        return problem(403, "Authorization error", "You don't have the permission")
    found = kheops.world.inboxes.get(somebody.user, set())
    return JSONResponse(
        {"number_of_studies": len({key[0] for key in found}), "number_of_series": len(found)}
    )


def opened(kheops: "Kheops", name: str, somebody: Somebody) -> Album | None:
    """Return an album that somebody may look into: others are not there for them."""
    album = kheops.world.albums.get(name)
    is_shut = somebody.album is not None and somebody.album != name
    return None if album is None or is_shut or somebody.user not in album.members else album


def problem(status: int, message: str, detail: str) -> Response:
    """Return an error as Kheops words it."""
    return JSONResponse({"message": message, "detail": detail, "help": ""}, status)


def _album(kheops: "Kheops", album: Album, somebody: Somebody) -> dict[str, Any]:
    modalities = {kheops.world.modality[key] for key in album.series}
    moment = album.created.replace(tzinfo=None).isoformat(timespec="seconds")
    return {
        "album_id": album.id,
        "name": album.name,
        "description": album.description,
        "modalities": sorted(modalities),
        "created_time": moment,
        "last_event_time": moment,
        "number_of_users": len(album.members),
        "number_of_comments": 0,
        "number_of_studies": len({key[0] for key in album.series}),
        "number_of_series": len(album.series),
        "number_of_instances": 0,
        "download_series": True,
        "is_favorite": False,
        "is_admin": album.members.get(somebody.user, False),
    }


ROUTES: tuple[tuple[str, str, str, Handler], ...] = (
    ("/register", "POST", "register", register),
    ("/token", "POST", "token", token),
    ("/token/introspect", "POST", "introspect", introspect),
    ("/capabilities", "POST", "capabilities", new_capability),
    ("/capabilities/{capability}/revoke", "POST", "revoke", revoke),
    ("/albums", "GET", "albums", albums),
    ("/albums/{album}", "GET", "album", one_album),
    ("/inboxinfo", "GET", "inboxinfo", inbox_info),
    ("/studies", "GET", "studies", searches.studies),
    ("/studies/{study}/series", "GET", "series", searches.series),
    ("/studies/{study}", "GET", "study", images.study),
    ("/studies/{study}/series/{series}", "GET", "instances", images.series),
)
