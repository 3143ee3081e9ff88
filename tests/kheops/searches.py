"""QIDO-RS as Kheops answers it: studies from its own database, series from the PACS."""

import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from kheops.world import Somebody

if TYPE_CHECKING:
    from kheops.stand_in import Kheops

T = TypeVar("T")

MEDIA_TYPE = "application/dicom+json"

TAGS = {
    "StudyDate": ("00080020", "DA"),
    "PatientName": ("00100010", "PN"),
    "PatientID": ("00100020", "LO"),
    "StudyDescription": ("00081030", "LO"),
}

UID = re.compile(r"([0-9]+[.])*[0-9]+\Z")


async def studies(kheops: "Kheops", request: Request, somebody: Somebody) -> Response:
    """Answer the studies of an album, of the inbox, or of everything that somebody sees."""
    query = request.query_params
    if "album" in query and "inbox" in query:
        return _problem(400, "Bad Query Parameter", "Use only 'album' xor 'inbox' not both")
    keys = _place(kheops, query, somebody)
    if keys is None:
        return _problem(404, "Album Not Found", "The album does not exist")
    if keys == "forbidden":
        return _problem(403, "Authorization error", "not available for access to the inbox")
    sort = query.get("sort", "-StudyDate")
    if sort.removeprefix("-") not in (*TAGS, "StudyInstanceUID"):
        return _problem(400, "Bad Query Parameter", "'sort' query parameter is bad")
    found = [
        uid for uid in sorted({key[0] for key in keys}) if _is_wanted(kheops, uid, keys, query)
    ]
    found.sort(
        key=lambda uid: kheops.world.studies[uid].get(sort.removeprefix("-")) or "",
        reverse=sort.startswith("-"),
    )
    part = part_of(found, query)
    if part is None:
        return _problem(400, "Bad Query Parameter", "'limit' must be positive")
    total = {"X-Total-Count": str(len(found))}
    if not part:
        return Response(status_code=204, headers=total)
    listed = [_study(kheops, uid, keys, query) for uid in part]
    return JSONResponse(listed, headers=total, media_type=MEDIA_TYPE)


async def series(kheops: "Kheops", request: Request, somebody: Somebody) -> Response:
    """Answer the series of a study that somebody sees in an album, or anywhere."""
    study, query = request.path_params["study"], request.query_params
    if not UID.match(study):
        return Response(status_code=404)
    if "album" in query and "inbox" in query:
        return _problem(400, "Bad Query Parameter", "Use only 'album' or 'inbox' not both")
    if not kheops.world.seen(somebody, study):
        return Response(status_code=404)
    keys = _place(kheops, query, somebody)
    if keys is None:
        return _problem(404, "Album Not Found", "The album does not exist")
    if keys == "forbidden":
        return _problem(403, "Authorization error", "not available for access to the inbox")
    uids = {key[1] for key in keys if key[0] == study}
    if not uids:
        return Response(status_code=204, headers={"X-Total-Count": "0"})
    others = [
        (name, text)
        for name, text in query.multi_items()
        if name not in ("album", "inbox", "limit", "offset", "sort")
    ]
    answer = await request.app.state.pacs.get(
        f"/dicom-web/studies/{study}/series", params=others, headers={"Accept": MEDIA_TYPE}
    )
    if answer.status_code != 200:
        return _problem(502, "PACS error", "Error getting the list of series")
    listed = [each for each in answer.json() if each["0020000E"]["Value"][0] in uids]
    total = {"X-Total-Count": str(len(listed))}
    return JSONResponse(listed, headers=total, media_type=MEDIA_TYPE)


def is_like(text: str | None, pattern: str) -> bool:
    """Return whether a text fits a pattern with `*`, in any case; an absent one does not."""
    expression = ".*".join(map(re.escape, pattern.lower().split("*")))
    return text is not None and re.fullmatch(expression, text.lower()) is not None


def part_of(found: list[T], query: QueryParams) -> list[T] | None:
    """Return what limit and offset leave; None if they are not right."""
    limit, offset = int(query.get("limit", 1 << 30)), int(query.get("offset", 0))
    return found[offset : offset + limit] if limit >= 1 and offset >= 0 else None


def _place(kheops: "Kheops", query: Mapping[str, str], somebody: Somebody) -> Any:
    """Return the series of the album or the inbox that a query names, or of all."""
    if "inbox" in query:  # whatever its value
        if not somebody.has_user_access:
            return "forbidden"
        return kheops.world.inboxes.get(somebody.user, set())
    name = query.get("album", somebody.album)
    if name is None:
        return kheops.world.seen(somebody)
    album = kheops.world.albums.get(name)
    is_shut = somebody.album is not None and somebody.album != name
    return None if album is None or is_shut or somebody.user not in album.members else album.series


def _is_wanted(kheops: "Kheops", uid: str, keys: set[tuple[str, str]], query: QueryParams) -> bool:
    known = kheops.world.studies[uid]
    checks: dict[str, Callable[[str], bool]] = {
        keyword: lambda pattern, keyword=keyword: is_like(known[keyword], pattern)  # type: ignore[misc]
        for keyword in TAGS
    }
    checks["StudyInstanceUID"] = lambda stated: uid == stated
    checks["ModalitiesInStudy"] = lambda stated: stated in _modalities(kheops, uid, keys)
    return all(checks[name](text) for name, text in query.items() if name in checks)


def _modalities(kheops: "Kheops", uid: str, keys: set[tuple[str, str]]) -> list[str]:
    return sorted({kheops.world.modality[key] for key in keys if key[0] == uid})


def _study(
    kheops: "Kheops", uid: str, keys: set[tuple[str, str]], query: QueryParams
) -> dict[str, Any]:
    known = kheops.world.studies[uid]
    own = [key for key in keys if key[0] == uid]
    instances = sum(known["instances"][key[1]] for key in own)
    dataset: dict[str, Any] = {
        "0020000D": {"vr": "UI", "Value": [uid]},
        "00080061": {"vr": "CS", "Value": [*_modalities(kheops, uid, keys), "NULL"]},
        "00201206": {"vr": "IS", "Value": [len(own)]},
        "00201208": {"vr": "IS", "Value": [instances]},
    }
    for keyword, (tag, vr) in TAGS.items():
        if keyword == "StudyDescription" and keyword not in query.get("includefield", ""):
            continue
        text = known[keyword]
        if text is None and keyword == "PatientID":
            continue  # the tag is absent
        value: Any = "NULL" if text is None else text
        dataset[tag] = {"vr": vr, "Value": [{"Alphabetic": value} if vr == "PN" else value]}
    return dataset


def _problem(status: int, message: str, detail: str) -> Response:
    return JSONResponse({"message": message, "detail": detail, "help": ""}, status)
