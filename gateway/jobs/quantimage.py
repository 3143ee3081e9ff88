"""The rows of a job as QuantImage-V2 stores them."""

import json
from collections.abc import Collection, Mapping
from types import MappingProxyType
from typing import Any

from gateway.jobs.records import Stored
from gateway.jobs.results import Form, Made, cohort_of
from gateway.jobs.view import name_field
from gateway.problems import ProblemError
from gateway.results import quantimage
from gateway.results.long_rows import LongRow, shown_uid
from gateway.results.packing import unpacked


def as_json(made: Made) -> bytes:
    """Return the rows so far, beside them the studies without rows, and why they have none.

    Raises ProblemError `mixed_versions`.
    """
    rows: list[LongRow] = []
    without: list[dict[str, Any]] = []
    for study, found in _found(made):
        if isinstance(found, ProblemError):
            name = {name_field(made.job.row.kind): study.name}
            told = {"code": found.code, "sentence": found.sentence}
            without.append({**name, "position": study.position, **told})
        else:
            rows += found
    document = {"model": made.job.row.model, "rows": rows, "without_rows": without}
    return json.dumps(document, ensure_ascii=False).encode()


def as_csv(made: Made) -> bytes:
    """Return the rows so far; a study that was answered and cannot be stored is refused here.

    Raises ProblemError `mixed_versions`, and with the codes of long_rows.
    """
    rows: list[LongRow] = []
    for study, found in _found(made):
        if not isinstance(found, ProblemError):
            rows += found
        elif study.content is not None:
            sentence = f"{found.sentence} (study {study.position}; results.json has the others)"
            raise ProblemError(found.status, found.code, sentence)
    return quantimage.written(rows, "csv", quantimage.OF_JOBS)


LONG_FORMS: Mapping[str, Form] = MappingProxyType({"json": Form(as_json), "csv": Form(as_csv)})


def _found(made: Made) -> list[tuple[Stored, list[LongRow] | ProblemError]]:
    """Return the rows of each study, or why it has none."""
    cohort_of(made)
    allow = made.allow | quantimage.allowed(made.job.request["options"])
    seen: set[str] = set()
    return [(study, _rows_or_problem(study, allow, seen)) for study in made.studies]


def _rows_or_problem(
    study: Stored, allow: Collection[str], seen: set[str]
) -> list[LongRow] | ProblemError:
    """Return rows with their study, whose UID is added to those that were seen."""
    if study.content is None:
        return ProblemError(409, study.code or study.state, "the study was not answered")
    answer = unpacked(study.content)
    try:
        rows = quantimage.rows_of(answer.labels, list(answer.features), allow)
    except ProblemError as problem:
        return problem
    study_uid = answer.labels[0]["study_uid"]
    if study_uid in seen:
        sentence = f"study {shown_uid(study_uid)} is in the job twice: the first one counts"
        return ProblemError(422, "repeated_study", sentence)
    seen.add(study_uid)
    return [{"study_uid": study_uid, **row} for row in rows]
