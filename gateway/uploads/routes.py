"""Features of a study: the models that there are, and the way of a zip to one of them."""

import asyncio
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from gateway.engines.answer import answer
from gateway.engines.cards import versions_at
from gateway.engines.catalogue import Model
from gateway.engines.pool import Engines
from gateway.engines.question import Question
from gateway.login.principal import principal_of
from gateway.problems import ProblemError
from gateway.results.answer import Answer
from gateway.results.export import MEDIA_TYPES, export
from gateway.results.long_rows import COLUMNS
from gateway.results.quantimage import (
    FORMS,
    allowed,
    is_quantimage,
    options_for,
    rows_of,
    written,
)
from gateway.results.responses import file_response
from gateway.uploads.accept import wanted
from gateway.uploads.admission import Place
from gateway.uploads.body import announced_bytes, receive, refuse_type
from gateway.uploads.options import options_of
from gateway.uploads.studies import Studies


@dataclass(frozen=True)
class Asked:
    """What is asked of a model. options: as they were stated in the query.

    is_quantimage: whether the rows are to be those that QuantImage-V2 stores.
    """

    model: Model
    form: str
    is_quantimage: bool
    options: list[tuple[str, str]]

    def checked(self, more: list[tuple[str, str]]) -> dict[str, str]:
        """Return the options with more of them, as the model gets them; raises ProblemError."""
        options = options_of([*self.options, *more])
        return options_for(options, self.model.weights) if self.is_quantimage else options


async def models(request: Request) -> Response:
    """Answer which models give features, and what is known of them."""
    engines: Engines = request.app.state.engines
    found = [model.as_json() for model in engines.models.values() if model.has_features]
    return JSONResponse({"models": found})


async def card(request: Request) -> Response:
    """Answer what is known of one model: its parameters, and its versions with their cards."""
    engines: Engines = request.app.state.engines
    model = engines.model(request.path_params["model"])
    serving = engines.any_serving(model.name)
    versions = await asyncio.to_thread(versions_at, serving.url, model.name)
    return JSONResponse(
        {"model": model.name, "parameters": dict(model.parameters), "versions": versions}
    )


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
    asked = _asked(request, model)
    refuse_type(request)
    options_of(asked.options)
    place = studies.admission.place(principal_of(request).subject)
    try:
        return await _answer(request, place, asked)
    finally:
        place.leave()


def _asked(request: Request, model: Model) -> Asked:
    """Return what a request asks for by its query and headers."""
    query = request.query_params
    is_profile = is_quantimage(query.getlist("profile"))
    form = wanted(request.headers.get("accept"), FORMS if is_profile else MEDIA_TYPES)
    options = [(name, value) for name, value in query.multi_items() if name != "profile"]
    return Asked(model, form, is_profile, options)


async def _answer(request: Request, place: Place, asked: Asked) -> Response:
    """Take the study, have it answered, and let go of it before the answer is written.

    The scope gets `study_uids`, also where the rows are refused in the end.
    """
    studies: Studies = request.app.state.studies
    with studies.regions.new(announced_bytes(request)) as region:
        options = asked.checked(await receive(request, region))
        question = Question(asked.model.name, parameters={"binary_data_output": True, **options})
        reply = await studies.answer(request, place, question=question, region=region, whole=True)
    # In a thread: the answer for a study with hundreds of regions takes seconds to write.
    found = await asyncio.to_thread(answer, reply.response)
    request.scope["study_uids"] = found.study_uids
    studies.metrics.report(found.report)
    content = await asyncio.to_thread(_written, found, asked, allowed(options))
    return file_response(content, asked.form)


def _written(found: Answer, asked: Asked, allow: frozenset[str]) -> bytes:
    if asked.is_quantimage:
        rows = rows_of(found.table.labels, found.table.features, allow)
        return written(rows, asked.form, COLUMNS)
    if asked.form == "json":
        return found.as_json(asked.model.name)
    return export(found.as_cohort(asked.model.name, asked.model.parameters), asked.form)


ROUTES = [
    Route("/api/models", models),
    Route("/api/models/{model}", card, methods=["GET"]),
    Route("/api/models/{model}/features", features, methods=["POST"]),
]
