"""Answers to QIDO-RS (PS3.18 section 10.6) as what was found; servers state tags as they like."""

import re
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from gateway.sources.found import Series, Study, readable

UID = re.compile(r"(?=.{1,64}\Z)[0-9]+(\.[0-9]+)*\Z")
"""PS3.5 section 9.1, but for leading zeros, which real studies have."""

STUDY_FIELDS = ("StudyDescription", "ModalitiesInStudy", "NumberOfStudyRelatedSeries")
STUDY_COUNT = "NumberOfStudyRelatedInstances"
SERIES_FIELDS = ("SeriesDescription", "NumberOfSeriesRelatedInstances")
"""What servers may leave out unless it is asked for."""

ABSENT = "NULL"
"""Kheops writes so what its database has no value of."""

T = TypeVar("T")


def studies(answer: object) -> list[Study]:
    """Return the studies of an answer; what has no proper UID is left out: it cannot be had."""
    return _found(answer, _study)


def series(answer: object) -> list[Series]:
    """Return the series of an answer, by their numbers: servers tell them in any order."""
    found = _found(answer, _series)
    return sorted(found, key=lambda each: (each.number is None, each.number, each.series_uid))


def is_uid(text: str) -> bool:
    """Return whether a text is a UID: it may be put into a path then."""
    return UID.match(text) is not None


def _found(answer: object, item: Callable[[Mapping[str, Any]], T | None]) -> list[T]:
    listed = answer if isinstance(answer, list) else []
    found = [item(each) for each in listed if isinstance(each, dict)]
    return [each for each in found if each is not None]


def _study(dataset: Mapping[str, Any]) -> Study | None:
    uid = _text(dataset, "0020000D")
    if not is_uid(uid):
        return None
    return Study(
        study_uid=uid,
        patient_id=_text(dataset, "00100020"),
        patient_name=_text(dataset, "00100010"),
        date=_date(_text(dataset, "00080020")),
        description=_text(dataset, "00081030"),
        modalities=tuple(sorted(set(_texts(dataset, "00080061")))),
        series=_number(dataset, "00201206"),
        instances=_number(dataset, "00201208"),
    )


def _series(dataset: Mapping[str, Any]) -> Series | None:
    uid = _text(dataset, "0020000E")
    if not is_uid(uid):
        return None
    return Series(
        series_uid=uid,
        modality=_text(dataset, "00080060"),
        description=_text(dataset, "0008103E"),
        number=_number(dataset, "00200011"),
        instances=_number(dataset, "00201209"),
    )


def _texts(dataset: Mapping[str, Any], tag: str) -> list[str]:
    """Return the values of an attribute as texts; of a name, its first representation."""
    element = dataset.get(tag)
    values = element.get("Value") if isinstance(element, dict) else None
    texts = [_value(each) for each in values] if isinstance(values, list) else []
    return [text for text in texts if text and text != ABSENT]


def _value(value: object) -> str:
    if isinstance(value, dict):  # a person's name: PS3.18 section F.2.2
        value = next(iter(value.values()), "")
    return readable(str(value)) if isinstance(value, str | int | float) else ""


def _text(dataset: Mapping[str, Any], tag: str) -> str:
    return next(iter(_texts(dataset, tag)), "")


def _number(dataset: Mapping[str, Any], tag: str) -> int | None:
    text = _text(dataset, tag)
    return int(text) if re.fullmatch(r"-?[0-9]{1,18}", text, re.ASCII) else None


def _date(text: str) -> str:
    is_date = re.fullmatch(r"[0-9]{8}", text, re.ASCII)
    return f"{text[:4]}-{text[4:6]}-{text[6:]}" if is_date else ""
