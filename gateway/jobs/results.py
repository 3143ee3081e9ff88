"""The rows of a job as files; the one place where forms are looked up."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType

from gateway.jobs.records import Job, Stored
from gateway.jobs.view import name_field
from gateway.problems import ProblemError
from gateway.results.cohort import Cohort, Study
from gateway.results.exclusion import without
from gateway.results.export import MEDIA_TYPES, export
from gateway.results.packing import unpacked
from gateway.results.provenance import excluded_of
from gateway.results.table import MixedVersionsError, feature_names, labelled_rows


@dataclass(frozen=True)
class Made:
    """What a file is made of.

    parameters: of the job's model, as far as it states them. allow: what is asked for beside the
    job's own option of that name. excluded: quality codes, by which rows are left
    out.
    """

    job: Job
    studies: Sequence[Stored]
    parameters: Mapping[str, str]
    allow: frozenset[str] = frozenset()
    excluded: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Form:
    """A form of file; write: makes it.

    is_paged: whether a part of the studies can be had.
    """

    write: Callable[[Made], bytes]
    is_paged: bool = False


def as_json(made: Made) -> bytes:
    """Return the answers so far; each number reads back to the same float32."""
    names: list[str] = []
    answers = []
    for study, answer in _answered(made):
        rows = labelled_rows(answer.labels, answer.features)
        name = {name_field(made.job.row.kind): study.name}
        answers.append(
            {
                **name,
                "position": study.position,
                "rows": rows,
                "excluded": excluded_of(answer),
                "report": answer.report,
            }
        )
        if rows:
            names = feature_names(answer.labels[0]["feature_prefix"], len(answer.features[0]))
    document = {"model": made.job.row.model, "answers": answers, "feature_names": names}
    return json.dumps(document, ensure_ascii=False).encode()


def as_file(form: str, made: Made) -> bytes:
    """Return the rows so far in a form of exports, with the studies that have none, and why.

    Raises ProblemError `mixed_versions`, and TooLargeError.
    """
    return export(cohort_of(made), form)


def cohort_of(made: Made) -> Cohort:
    """Return all studies of a job as they are exported; raises ProblemError `mixed_versions`."""
    found = [_exported(study, made.excluded) for study in made.studies]
    try:
        return Cohort(made.job.row.model, found, made.job.request["title"], made.parameters)
    except MixedVersionsError:
        raise mixed_versions() from None


FORMS: Mapping[str, Form] = MappingProxyType(
    {form: Form(partial(as_file, form)) for form in MEDIA_TYPES}
    | {"json": Form(as_json, is_paged=True)}
)


def mixed_versions() -> ProblemError:
    """Return the refusal of a file with rows that do not belong together, with what to do."""
    sentence = (
        "the model was replaced while the job ran: retry the studies of the older version, by "
        '{"versions": "older"}'
    )
    return ProblemError(409, "mixed_versions", sentence)


def _exported(study: Stored, excluded: frozenset[str]) -> Study:
    if study.content is None:
        return Study(study.name, code=study.code or study.state)
    answer = unpacked(study.content)
    return without(Study(study.name, answer.labels, answer.features, answer.report), excluded)


def _answered(made: Made) -> Iterable[tuple[Stored, Study]]:
    return (
        (each, _exported(each, made.excluded)) for each in made.studies if each.content is not None
    )
