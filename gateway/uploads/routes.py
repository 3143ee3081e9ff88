"""Features of a study: the models that there are, and the way of a zip to one of them."""

import asyncio

import httpx
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from gateway.engines.answer import answer
from gateway.engines.catalogue import Model
from gateway.engines.pool import Engines
from gateway.engines.question import Question
from gateway.login.principal import principal_of
from gateway.problems import ProblemError
from gateway.results.answer import Answer
from gateway.results.export import export
from gateway.results.responses import file_response
from gateway.uploads.accept import wanted
from gateway.uploads.admission import Place
from gateway.uploads.body import announced_bytes, receive, refuse_type
from gateway.uploads.options import options_of
from gateway.uploads.studies import Studies

CLIENT_GONE = 499
"""For logs alone: nobody is there who could read it."""


async def models(request: Request) -> Response:
    """Answer which models give features, and what is known of them."""
    engines: Engines = request.app.state.engines
    found = [model.as_json() for model in engines.models.values() if model.has_features]
    return JSONResponse({"models": found})


async def features(request: Request) -> Response:
    """Answer with the features of the study in the body; all that can be refused first, is.

    The scope gets `model` and `study_uids` for those who watch over requests.
    """
    engines: Engines = request.app.state.engines
    studies: Studies = request.app.state.studies
    model = engines.model(request.path_params["model"])
    request.scope["model"] = model.name
    if not model.has_features:
        raise ProblemError(404, "unknown_model", "the model gives no features")
    form = wanted(request.headers.get("accept"))
    refuse_type(request)
    stated = request.query_params.multi_items()
    options_of(stated)
    place = studies.admission.place(principal_of(request).subject)
    try:
        return await _answer(request, place, model=model, form=form, stated=stated)
    except ClientDisconnect:
        return Response(status_code=CLIENT_GONE)
    finally:
        place.leave()


async def _answer(
    request: Request, place: Place, *, model: Model, form: str, stated: list[tuple[str, str]]
) -> Response:
    """Take the study, have it answered, and let go of it before the answer is written."""
    studies: Studies = request.app.state.studies
    with studies.regions.new(announced_bytes(request)) as region:
        options = options_of([*stated, *await receive(request, region)])
        question = Question(model.name, parameters={"binary_data_output": True, **options})
        reply = await studies.answer(request, place, question=question, region=region, whole=True)
    # In a thread: the answer for a study with hundreds of regions takes seconds to write.
    found, content = await asyncio.to_thread(_written, reply.response, model, form)
    request.scope["study_uids"] = found.study_uids
    studies.metrics.report(found.report)
    return file_response(content, form)


def _written(response: httpx.Response, model: Model, form: str) -> tuple[Answer, bytes]:
    found = answer(response)
    if form == "json":
        return found, found.as_json(model.name)
    return found, export(found.as_cohort(model.name, model.parameters), form)


ROUTES = [
    Route("/api/models", models),
    Route("/api/models/{model}/features", features, methods=["POST"]),
]
