"""What somebody states for a new job or a retry: JSON, read strictly."""

import json
import re
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request

from gateway.jobs.states import DICOMWEB, KHEOPS, UPLOADS
from gateway.problems import ProblemError
from gateway.sources.kheops.ids import INBOX, is_album
from gateway.sources.qido import is_uid
from gateway.uploads.body import refuse_encoding, take_body
from gateway.uploads.options import is_value, options_of
from imaging.options import EVERY_SERIES

LONGEST_BODY_BYTES = 1 << 20

LONGEST_TITLE = 200

KEY = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)

DIGITS = re.compile("0|[1-9][0-9]{0,8}", re.ASCII)

ALL = "all"


@dataclass(frozen=True)
class StatedJob:
    """A new job as it was stated. names: None for all studies of the album."""

    kind: str
    album: str | None
    names: tuple[str, ...] | None
    model: str
    options: dict[str, str]
    title: str


@dataclass(frozen=True)
class StatedRetry:
    """What to begin again with: some positions, or all; older: what older versions have done.

    series: chosen for studies, by position; these begin again even if they are done.
    """

    positions: tuple[int, ...]
    older: bool
    series: dict[int, str]


async def document_of(request: Request) -> dict[str, Any]:
    """Return the JSON object in a request's body, {} for none; raises ProblemError."""
    refuse_encoding(request)
    content = bytearray()

    def take(chunk: bytes) -> None:
        content.extend(chunk)
        if len(content) > LONGEST_BODY_BYTES:
            sentence = f"the body is longer than {LONGEST_BODY_BYTES >> 20} MiB"
            raise ProblemError(413, "too_large", sentence)

    await take_body(request, take)
    try:
        found = json.loads(content or b"{}")
    except (ValueError, RecursionError):
        raise bad_job("the body is not JSON") from None
    if not isinstance(found, dict):
        raise bad_job("the body is no JSON object")
    return found


def stated_job(document: dict[str, Any], *, most_studies: int) -> StatedJob:
    """Return a new job; raises ProblemError `bad_job`, `too_many_studies`, or of an option."""
    _refuse_others(document, {"source", "studies", "model", "options", "title"})
    kind, album = _source(document.get("source"))
    model, title = document.get("model"), document.get("title", "")
    if not isinstance(model, str):
        raise bad_job("model is the name of a model")
    if not isinstance(title, str) or len(title) > LONGEST_TITLE or not _is_storable(title):
        raise bad_job(f"title is a text of up to {LONGEST_TITLE} characters")
    names = _names(document.get("studies"), kind)
    refuse_too_many(names or (), most_studies)
    return StatedJob(kind, album, names, model, _options(document.get("options", {})), title)


def stated_retry(document: dict[str, Any]) -> StatedRetry:
    """Return what to begin again with; raises ProblemError `bad_job`."""
    _refuse_others(document, {"positions", "versions", "series"})
    positions = document.get("positions", [])
    if not isinstance(positions, list) or not all(_is_position(each) for each in positions):
        raise bad_job("positions is a list of the studies' positions")
    if document.get("versions", "older") != "older":
        raise bad_job("versions is older")
    series = _chosen_series(document.get("series", {}))
    return StatedRetry(tuple(positions), "versions" in document, series)


def stated_row(document: dict[str, Any]) -> int:
    """Return which row of a study is meant; raises ProblemError `bad_job`."""
    _refuse_others(document, {"row"})
    if not _is_position(document.get("row")):
        raise bad_job("row is the number of a row of the study, the first being 0")
    return int(document["row"])


def refuse_too_many(names: tuple[str, ...], most: int) -> None:
    """Refuse a job with more studies than one may have."""
    if len(names) > most:
        sentence = f"{len(names)} studies are more than the {most} that a job may have"
        raise ProblemError(422, "too_many_studies", sentence)


def bad_job(sentence: str) -> ProblemError:
    """Return the refusal of what is not understood; the text of it is in no message."""
    return ProblemError(400, "bad_job", sentence)


def _source(stated: Any) -> tuple[str, str | None]:
    """Return the kind of a source, and the album: None for the inbox, and where there are none."""
    if not isinstance(stated, dict):
        raise bad_job("source is an object with a kind")
    kind = stated.get("kind")
    if kind not in (KHEOPS, DICOMWEB, UPLOADS):
        raise bad_job(f"the kind of a source is {KHEOPS}, {DICOMWEB} or {UPLOADS}")
    _refuse_others(stated, {"kind", "album"} if kind == KHEOPS else {"kind"})
    if kind != KHEOPS:
        return kind, None
    album = stated.get("album")
    if album == INBOX:
        return kind, None
    if not isinstance(album, str) or not is_album(album):
        raise bad_job(f"album is the id of an album, or {INBOX}")
    return kind, album


def _names(stated: Any, kind: str) -> tuple[str, ...] | None:
    if stated == ALL and kind == KHEOPS:
        return None
    field, is_name = ("key", _is_key) if kind == UPLOADS else ("study_uid", _is_uid)
    if not isinstance(stated, list) or not stated:
        raise bad_job(f"studies is a list of objects with a {field} each")
    for each in stated:
        if not isinstance(each, dict) or each.keys() != {field} or not is_name(each[field]):
            raise bad_job(f"a study is an object with a {field} that is one")
    names = tuple(each[field] for each in stated)
    if len(set(names)) < len(names):
        raise bad_job(f"{len(names) - len(set(names))} studies are named twice")
    return names


def _options(stated: Any) -> dict[str, str]:
    if not isinstance(stated, dict) or not all(isinstance(each, str) for each in stated.values()):
        raise bad_job("options is an object of texts")
    return options_of(stated.items())


def _chosen_series(stated: Any) -> dict[int, str]:
    if not isinstance(stated, dict) or not all(map(DIGITS.fullmatch, stated)):
        raise bad_job("series is an object of series by the studies' positions")
    if not all(isinstance(each, str) and _is_series(each) for each in stated.values()):
        raise bad_job("a choice of series is SeriesInstanceUIDs by commas, or all")
    return {int(position): series for position, series in stated.items()}


def _is_series(text: str) -> bool:
    return is_value(text) and (text == EVERY_SERIES or all(map(is_uid, text.split(","))))


def _is_uid(value: Any) -> bool:
    return isinstance(value, str) and is_uid(value)


def _is_key(value: Any) -> bool:
    return isinstance(value, str) and KEY.fullmatch(value) is not None


def _is_position(value: Any) -> bool:
    return type(value) is int and 0 <= value < 1 << 31


def _is_storable(text: str) -> bool:
    """Say whether a text has no half of a surrogate pair, which UTF-8 does not write."""
    return not any("\ud800" <= character <= "\udfff" for character in text)


def _refuse_others(stated: dict[str, Any], known: set[str]) -> None:
    if not stated.keys() <= known:
        raise bad_job(f"what is known here is {', '.join(sorted(known))}")
