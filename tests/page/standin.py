"""A stand-in for the gateway: the page's routes, and the API that it calls, straight to Triton."""

import tempfile
from pathlib import Path

import anyio
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.page.routes import page_routes
from gateway.problems import ProblemError, on_problem
from gateway.results.table import FeatureTable
from tools.client import ServiceError, infer

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)

MODEL = {
    "name": "ct3dcnn",
    "features": 256,
    "prefix": "ct3dcnn1",
    "weights": "demonstration",
    "trained_modalities": ["CT"],
}


class Policy:
    """Adds the content security policy to every answer."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def with_policy(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] += [(b"content-security-policy", POLICY.encode())]
            await send(message)

        await self.app(scope, receive, with_policy)


def standin(triton_url: str) -> Starlette:
    """Return the stand-in for the gateway before a Triton."""

    async def features(request: Request) -> Response:
        study = await request.body()
        options = dict(request.query_params)
        try:
            answer = await anyio.to_thread.run_sync(
                infer, triton_url, request.path_params["model"], study, options
            )
        except ServiceError as error:
            sentence = str(error).removeprefix(f"{error.code}: ")
            raise ProblemError(422, error.code, sentence) from error
        table = FeatureTable()
        table.add(answer.rows, answer.features)
        if request.headers["accept"] == "text/csv":
            return _csv(table)
        rows = [
            row | {"features": [float(str(value)) for value in features]}
            for row, features in zip(answer.rows, answer.features, strict=True)
        ]
        return JSONResponse(
            {
                "model": request.path_params["model"],
                "rows": rows,
                "feature_names": table.feature_names,
                "report": answer.report,
                "previews": answer.previews,
            }
        )

    return Starlette(
        routes=[
            *page_routes(),
            Route("/api/session", _session),
            Route("/api/models", _models),
            Route("/api/models/{model}/features", features, methods=["POST"]),
        ],
        exception_handlers={ProblemError: on_problem},
        middleware=[Middleware(Policy)],
    )


async def _session(_: Request) -> Response:
    return JSONResponse({"mode": "local", "name": ""})


async def _models(_: Request) -> Response:
    return JSONResponse({"models": [MODEL]})


def _csv(table: FeatureTable) -> Response:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "rows.csv")
        with path.open("w", newline="") as file:
            table.write_csv(file)
        return Response(path.read_bytes(), media_type="text/csv")
