"""The gateway's API: features of a study, models, and a study of Kheops by a job of its own."""

from __future__ import annotations

import base64
import json
from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from deep_features_client.answers import Answer, Row
from deep_features_client.calls import Call, Effort, Pause, Steps, answered
from deep_features_client.errors import NotAllowed
from deep_features_client.problems import bad_answer, problem_of_study
from deep_features_client.progress import Progress
from deep_features_client.replies import Reply
from deep_features_client.studies import Content

FIRST_LOOK_S, LONGEST_LOOK_S = 0.2, 2.0
"""Pauses between two looks at a job; each is twice as long as the one before."""

KHEOPS_REFUSES = "Kheops does not accept the token: it is not known, was revoked, or has ended"


@dataclass(frozen=True)
class Model:
    """A model that gives features; None is what the service does not tell.

    features: how many. prefix: how they are named. weights: trained, demonstration or untrained.
    """

    name: str
    features: int | None
    prefix: str | None
    weights: str | None
    trained_modalities: tuple[str, ...] | None


def extraction(
    content: Content, model: str, options: Mapping[str, str], effort: Effort
) -> Steps[Answer]:
    """Return the features of a zip."""
    call = Call(
        "POST",
        f"api/models/{quote(model, safe='')}/features",
        headers={"Content-Type": "application/zip", "Accept": "application/json"},
        query=options,
        content=content,
    )
    document = _read((yield from answered(call, effort)))
    try:
        names = tuple(document["feature_names"])
        rows = _rows(document["rows"], names, document["previews"])
        return Answer(model, rows, document["report"], options)
    except (KeyError, TypeError, ValueError) as error:
        raise bad_answer() from error


def models(effort: Effort) -> Steps[tuple[Model, ...]]:
    """Return the models that give features."""
    document = _read((yield from answered(Call("GET", "api/models"), effort)))
    try:
        return tuple(
            Model(
                each["name"],
                each["features"],
                each["prefix"],
                each["weights"],
                None if each["trained_modalities"] is None else tuple(each["trained_modalities"]),
            )
            for each in document["models"]
        )
    except (KeyError, TypeError) as error:
        raise bad_answer() from error


@dataclass(frozen=True)
class Wanted:
    """A study of Kheops. album: its id, or `inbox`. kheops_token: in the mode `local` alone."""

    album: str
    study_uid: str
    model: str
    options: Mapping[str, str]
    kheops_token: str | None


def begun(wanted: Wanted, effort: Effort) -> Steps[str]:
    """Begin a job of one study, and return its id."""
    document = {
        "source": {"kind": "kheops", "album": wanted.album},
        "studies": [{"study_uid": wanted.study_uid}],
        "model": wanted.model,
        "options": dict(wanted.options),
        "title": "deep_features_client",
    }
    headers = {"Content-Type": "application/json"}
    if wanted.kheops_token:
        headers["Kheops-Token"] = wanted.kheops_token.strip()
    body = json.dumps(document).encode()
    call = Call("POST", "api/jobs", headers=headers, body=body, is_repeatable=False)
    job = _read((yield from answered(call, effort)))
    try:
        return str(job["id"])
    except (KeyError, TypeError) as error:
        raise bad_answer() from error


def followed(job_id: str, wanted: Wanted, effort: Effort) -> Steps[Answer]:
    """Return the answer of a job of one study, when it is there.

    Raises the error of the study, and NotAllowed if Kheops asks for a login.
    """
    pause = FIRST_LOOK_S
    path = f"api/jobs/{quote(job_id, safe='')}"
    while True:
        job = _read((yield from answered(Call("GET", path), effort)))
        try:
            (study,) = job["studies"]
            state, waits_for = study["state"], job["code"]
            code, sentence = study["code"], study["sentence"]
        except (KeyError, TypeError, ValueError) as error:
            raise bad_answer() from error
        if state == "done":
            results = yield from answered(Call("GET", f"{path}/results.json"), effort)
            return _result(_read(results), wanted)
        if state in ("failed", "cancelled"):
            raise problem_of_study(code or state, sentence)
        if waits_for:
            raise NotAllowed(waits_for, KHEOPS_REFUSES)
        effort.tell(Progress("waiting", code=code))
        yield Pause(pause)
        pause = min(pause * 2, LONGEST_LOOK_S)


def forgotten(job_id: str, effort: Effort) -> Steps[None]:
    """Delete a job, and its rows."""
    yield from answered(Call("DELETE", f"api/jobs/{quote(job_id, safe='')}"), effort)


def _result(document: Any, wanted: Wanted) -> Answer:
    try:
        (found,) = document["answers"]
        names = tuple(document["feature_names"])
        rows = _rows(found["rows"], names)
        return Answer(wanted.model, rows, found["report"], wanted.options)
    except (KeyError, TypeError, ValueError) as error:
        raise bad_answer() from error


def _read(reply: Reply) -> Any:
    try:
        return reply.document()
    except ValueError as error:
        raise bad_answer(reply.status) from error


def _rows(
    rows: Sequence[Mapping[str, Any]], names: tuple[str, ...], previews: Sequence[str] | None = None
) -> tuple[Row, ...]:
    """Return rows as they came; raises ValueError if they do not have a number for each name."""
    pictures = previews if previews is not None else [""] * len(rows)
    return tuple(_row(row, names, preview) for row, preview in zip(rows, pictures, strict=True))


def _row(row: Mapping[str, Any], names: tuple[str, ...], preview: str) -> Row:
    labels = {name: value for name, value in row.items() if name != "features"}
    features = tuple(array("f", row["features"]))  # the float32 that the shortest decimals mean
    if len(features) != len(names):
        raise ValueError
    return Row(labels, features, names, base64.b64decode(preview))
