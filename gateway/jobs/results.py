"""The rows of a job as files; the one place where forms are looked up."""

import io
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from gateway.jobs.records import Job, Stored
from gateway.jobs.view import name_field
from gateway.problems import ProblemError
from gateway.results.packing import Unpacked, unpacked
from gateway.results.table import FeatureTable, MixedVersionsError, feature_names


@dataclass(frozen=True)
class Form:
    """A form of file: its media type, and what writes it.

    is_paged: whether a part of the studies can be had.
    """

    media_type: str
    write: Callable[[Job, Sequence[Stored]], bytes]
    is_paged: bool = False


def as_json(job: Job, studies: Sequence[Stored]) -> bytes:
    """Return the answers so far; each number reads back to the same float32."""
    names: list[str] = []
    answers = []
    for study, answer in _answered(studies):
        rows = [
            {**label, "features": [float(str(value)) for value in features]}
            for label, features in zip(answer.labels, answer.features, strict=True)
        ]
        name = {name_field(job.row.kind): study.name}
        answers.append({**name, "position": study.position, "rows": rows, "report": answer.report})
        if rows:
            names = feature_names(answer.labels[0]["feature_prefix"], len(answer.features[0]))
    document = {"model": job.row.model, "answers": answers, "feature_names": names}
    return json.dumps(document, ensure_ascii=False).encode()


def as_csv(_: Job, studies: Sequence[Stored]) -> bytes:
    """Return the rows so far by RFC 4180; raises ProblemError `mixed_versions`."""
    table = FeatureTable()
    try:
        for _study, answer in _answered(studies):
            table.add(answer.labels, answer.features)
    except MixedVersionsError:
        raise mixed_versions() from None
    file = io.StringIO(newline="")
    table.write_csv(file)
    return file.getvalue().encode()


FORMS: Mapping[str, Form] = MappingProxyType(
    {
        "json": Form("application/json", as_json, is_paged=True),
        "csv": Form("text/csv", as_csv),
    }
)


def mixed_versions() -> ProblemError:
    """Return the refusal of a file with rows that do not belong together, with what to do."""
    sentence = (
        "the model was replaced while the job ran: retry the studies of the older version, by "
        '{"versions": "older"}'
    )
    return ProblemError(409, "mixed_versions", sentence)


def _answered(studies: Iterable[Stored]) -> Iterable[tuple[Stored, Unpacked]]:
    return ((each, unpacked(each.content)) for each in studies if each.content is not None)
