"""The page as files: its document at `/`, its style and modules below `/static`."""

import os
from pathlib import Path

from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

FOLDER = Path(__file__).parent

HEADERS = {"Cache-Control": "no-cache", "X-Content-Type-Options": "nosniff"}
"""A browser asks with the ETag before it uses its copy: modules of two releases never meet."""

LEAST_BYTES = 500
"""Of a file that is compressed. They are the same for everybody: nothing in them is a secret."""


class PageFiles(StaticFiles):
    """Style and modules. They lie in a folder of their own, so that no source is served."""

    def file_response(
        self,
        full_path: str | os.PathLike[str],
        stat_result: os.stat_result,
        scope: Scope,
        status_code: int = 200,
    ) -> Response:
        """Return a file, or that it has not changed, with the headers of the page."""
        response = super().file_response(full_path, stat_result, scope, status_code)
        response.headers.update(HEADERS)
        return response


async def _page(_: Request) -> Response:
    return FileResponse(FOLDER / "index.html", headers=HEADERS)


def page_routes() -> list[BaseRoute]:
    """Return the routes of the page."""
    files = GZipMiddleware(PageFiles(directory=FOLDER / "static"), minimum_size=LEAST_BYTES)
    return [Route("/", _page, name="page"), Mount("/static", files, name="static")]
