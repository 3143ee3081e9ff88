"""What the gateway says of itself: whether it lives, whether it is ready, and what its API is."""

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from gateway.description import description
from gateway.docs_page import docs_page
from gateway.engines.pool import Engines


async def alive(_: Request) -> Response:
    """Say that requests are answered."""
    return PlainTextResponse("alive\n")


async def ready(request: Request) -> Response:
    """Say whether a study would be answered: an engine has answered a canary, and not long ago."""
    engines: Engines = request.app.state.engines
    if engines.is_ready:
        return PlainTextResponse("ready\n")
    return PlainTextResponse("not ready\n", 503)


async def openapi(_: Request) -> Response:
    """Answer the description of the API."""
    return JSONResponse(description())


async def docs(request: Request) -> Response:
    """Answer the same for people."""
    return HTMLResponse(docs_page(request.app.state.settings.public_url))


ROUTES = (
    Route("/livez", alive),
    Route("/readyz", ready),
    Route("/openapi.json", openapi),
    Route("/docs", docs),
)
