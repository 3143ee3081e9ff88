"""`/api/series`: which series a study has, with a picture of each, and which one would be taken."""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from gateway.engines.catalogue import Model
from gateway.engines.pool import Engines
from gateway.login.principal import principal_of
from gateway.uploads.admission import Place
from gateway.uploads.body import announced_bytes, receive, refuse_type
from gateway.uploads.listing import LISTER, listed, question_of
from gateway.uploads.options import options_of
from gateway.uploads.studies import Studies

Stated = list[tuple[str, str]]


async def series(request: Request) -> Response:
    """Answer which image series the study in the body has; a tie is told, not refused.

    The scope gets `model` and `study_uids` for those who watch over requests.
    """
    engines: Engines = request.app.state.engines
    studies: Studies = request.app.state.studies
    query = request.query_params.multi_items()
    named = [value for name, value in query if name == "model"]
    model = engines.model(named[-1]) if named else None
    request.scope["model"] = engines.model(LISTER).name
    refuse_type(request)
    stated = [(name, value) for name, value in query if name != "model"]
    options_of(stated)
    place = studies.admission.place(principal_of(request).subject)
    try:
        return await _answer(request, place, model=model, stated=stated)
    finally:
        place.leave()


async def _answer(
    request: Request, place: Place, *, model: Model | None, stated: Stated
) -> Response:
    studies: Studies = request.app.state.studies
    with studies.regions.new(announced_bytes(request)) as region:
        options = options_of([*stated, *await receive(request, region)])
        question = question_of(model, options)
        reply = await studies.answer(request, place, question=question, region=region, whole=True)
    found = listed(reply.response)
    request.scope["study_uids"] = tuple({each["study_uid"] for each in found["series"]})
    return JSONResponse(found)


ROUTES = [Route("/api/series", series, methods=["POST"])]
