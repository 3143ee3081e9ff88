"""Jobs as OpenAPI describes them."""

from typing import Any

from gateway.jobs.schemas import NEW_JOB, RETRY, ROW
from gateway.openapi import answers, either, schema_of
from gateway.results.export import MEDIA_TYPES
from gateway.results.long_description import ALLOW, PROFILE
from gateway.results.quantimage import FORMS as PROFILED
from gateway.sources.description import TOKEN

JSON = "application/json"

ID = {"name": "id", "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}

POSITION = {
    "name": "position",
    "in": "path",
    "required": True,
    "schema": {"type": "integer", "minimum": 0},
}

EXCLUDE = {
    "name": "exclude",
    "in": "query",
    "schema": {"type": "string"},
    "description": "quality codes, by commas: rows with one are left out, and counted",
}

PAGE = [
    {
        "name": name,
        "in": "query",
        "schema": {"type": "integer", "minimum": 0, "maximum": 10_000_000},
        "description": text,
    }
    for name, text in (
        ("offset", "position of the first study"),
        ("limit", "how many studies; all otherwise"),
    )
]

LAST = {
    "name": "Last-Event-ID",
    "in": "header",
    "schema": {"type": "integer", "minimum": 0},
    "description": "number of the last event that has come",
}


def job_paths() -> dict[str, Any]:
    """Return the paths of jobs."""
    found: dict[str, dict[str, Any]] = {}
    for path, method, operation in (*OPERATIONS, *FILES):
        told = dict(operation)
        status, content = told.pop("answer")
        told["responses"] = answers(content, status=status)
        found.setdefault(path, {})[method] = told
    nothing = {"description": "it is over, and nothing else will come"}
    found[f"{ONE}/events"]["get"]["responses"]["204"] = nothing
    return found


def _body(schema: dict[str, Any]) -> dict[str, Any]:
    return {"required": True, "content": {JSON: {"schema": schema}}}


def _json(name: str) -> dict[str, Any]:
    return {JSON: schema_of(name)}


ONE = "/api/jobs/{id}"

ZIP = {"application/zip": {"schema": {"type": "string", "format": "binary"}}}

STREAM = {"text/event-stream": {"schema": {"type": "string"}}}

Operation = tuple[str, str, dict[str, Any]]


def _operation(path: str, method: str, *, told: str, id_: str, **more: Any) -> Operation:
    return path, method, {"summary": told, "operationId": id_, **more}


OPERATIONS = (
    _operation(
        "/api/jobs",
        "get",
        told="All jobs of the sender, the newest first",
        id_="jobs",
        answer=("200", _json("Jobs")),
    ),
    _operation(
        "/api/jobs",
        "post",
        told="Begin a job",
        id_="beginJob",
        parameters=[TOKEN],
        requestBody=_body(NEW_JOB),
        answer=("202", _json("Job")),
    ),
    _operation(
        ONE,
        "get",
        told="A job with its studies",
        id_="job",
        parameters=[ID],
        answer=("200", _json("Job")),
    ),
    _operation(
        ONE,
        "delete",
        told="Cancel a job, and delete its rows",
        id_="deleteJob",
        parameters=[ID],
        answer=("204", {}),
    ),
    _operation(
        f"{ONE}/events",
        "get",
        told="What happens to a job, as it happens",
        id_="jobEvents",
        parameters=[ID, LAST],
        answer=("200", STREAM),
    ),
    _operation(
        f"{ONE}/retry",
        "post",
        told="Begin again with what failed or was cancelled, or with other series",
        id_="retryJob",
        parameters=[ID, TOKEN],
        requestBody=_body(RETRY) | {"required": False},
        answer=("202", _json("Job")),
    ),
    _operation(
        f"{ONE}/cancel",
        "post",
        told="Cancel what is not done",
        id_="cancelJob",
        parameters=[ID],
        answer=("202", _json("Job")),
    ),
    _operation(
        f"{ONE}/results.json",
        "get",
        told="The rows so far",
        id_="results",
        parameters=[ID, *PAGE, EXCLUDE, PROFILE, ALLOW],
        answer=("200", {JSON: either("Results", "LongResults")}),
    ),
    _operation(
        f"{ONE}/studies/{{position}}/file",
        "put",
        told="The zip of a study that is uploaded",
        id_="uploadStudy",
        parameters=[ID, POSITION],
        requestBody={"required": True, "content": ZIP},
        answer=("200", _json("Study")),
    ),
    _operation(
        f"{ONE}/studies/{{position}}/picture",
        "post",
        told="All planes of what the network saw of a row; the study is retrieved for it",
        id_="picture",
        parameters=[ID, POSITION, TOKEN],
        requestBody=_body(ROW),
        answer=("200", _json("Picture")),
    ),
    _operation(
        f"{ONE}/studies/{{position}}/series",
        "post",
        told="The image series of a study, and which would be taken; it is retrieved for that",
        id_="seriesOfStudy",
        parameters=[ID, POSITION, TOKEN],
        answer=("200", _json("Series")),
    ),
)

FILES = tuple(
    _operation(
        f"{ONE}/results.{form}",
        "get",
        told="The rows so far as a file",
        id_=f"results_{form}",
        parameters=[ID, EXCLUDE, *((PROFILE, ALLOW) if form in PROFILED else ())],
        answer=("200", {media_type: {"schema": {"type": "string", "format": "binary"}}}),
    )
    for form, media_type in MEDIA_TYPES.items()
    if form != "json"
)
