"""What is made of rows that somebody sends: files, points to draw, comparisons. Nothing is kept."""

from collections.abc import Mapping
from functools import partial
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from gateway.engines.pool import Engines
from gateway.problems import ProblemError
from gateway.results.cohort import Cohort
from gateway.results.comparison import comparison
from gateway.results.desk import Desk
from gateway.results.document import DocumentError, cohort_of, matrix_of, read_json
from gateway.results.export import MEDIA_TYPES, export, file_name
from gateway.results.projection import projection
from gateway.results.provenance import json_bytes
from gateway.results.responses import file_response

Parameters = Mapping[str, Mapping[str, str]]


async def exports(request: Request) -> Response:
    """Answer the rows in the body as a file."""
    form = request.path_params["form"]
    if form not in MEDIA_TYPES:
        raise ProblemError(404, "not_found", f"there are {', '.join(MEDIA_TYPES)}")
    desk: Desk = request.app.state.desk
    cohort, content = await desk.answer(request, partial(_exported, form, _parameters(request)))
    engines: Engines = request.app.state.engines
    request.scope["model"] = cohort.model if cohort.model in engines.models else None
    request.scope["study_uids"] = tuple({label["study_uid"] for label in cohort.labels})
    return file_response(content, form, name=file_name(cohort, form))


async def projections(request: Request) -> Response:
    """Answer where the rows in the body lie along their principal components."""
    return await _json(request, _projected)


async def comparisons(request: Request) -> Response:
    """Answer how far two runs of the same studies are apart."""
    return await _json(request, partial(_compared, _parameters(request)))


async def _json(request: Request, work: Any) -> Response:
    desk: Desk = request.app.state.desk
    return Response(await desk.answer(request, work), media_type=MEDIA_TYPES["json"])


def _parameters(request: Request) -> Parameters:
    """Return what the models that are served state of themselves, by name."""
    engines: Engines = request.app.state.engines
    return {name: model.parameters for name, model in engines.models.items()}


def _exported(form: str, parameters: Parameters, body: bytearray) -> tuple[Cohort, bytes]:
    cohort = cohort_of(read_json(body), parameters)
    return cohort, export(cohort, form)


def _projected(body: bytearray) -> bytes:
    found = projection(matrix_of(read_json(body)))
    return json_bytes(
        {
            "scores": found.scores.tolist(),
            "explained": found.explained,
            "constant": found.constant,
        }
    )


def _compared(parameters: Parameters, body: bytearray) -> bytes:
    document = read_json(body)
    if not isinstance(document, Mapping):
        raise DocumentError("an object with first and second is needed")
    first, second = (cohort_of(document.get(run), parameters) for run in ("first", "second"))
    return json_bytes(comparison(first, second))


ROUTES = [
    Route("/api/exports/{form}", exports, methods=["POST"]),
    Route("/api/projections", projections, methods=["POST"]),
    Route("/api/comparisons", comparisons, methods=["POST"]),
]
