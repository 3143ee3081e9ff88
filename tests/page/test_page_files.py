"""What the gateway serves of the page, and how."""

import asyncio
import re

import httpx
import pytest
from starlette.applications import Starlette

from gateway.page.routes import FOLDER, page_routes

STATIC = FOLDER / "static"
FILES = sorted(str(path.relative_to(STATIC)) for path in STATIC.rglob("*") if path.is_file())
DOCUMENTS = ["index.html", *(f"static/{name}" for name in FILES if name.endswith(".html"))]


def get(path: str, **headers: str) -> httpx.Response:
    async def got() -> httpx.Response:
        transport = httpx.ASGITransport(Starlette(routes=page_routes()))
        async with httpx.AsyncClient(transport=transport, base_url="http://page") as client:
            return await client.get(path, headers=headers)

    return asyncio.run(got())


@pytest.mark.parametrize("path", ["/", *(f"/static/{name}" for name in FILES)])
def test_files_are_asked_about_before_they_are_used_again(path):
    answer = get(path)

    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-cache"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["etag"]


def test_a_file_that_has_not_changed_is_not_sent_again():
    first = get("/static/main.js")

    again = get("/static/main.js", **{"If-None-Match": first.headers["etag"]})

    assert (again.status_code, again.content) == (304, b"")


def test_files_are_sent_compressed_to_browsers():
    plain = (STATIC / "style.css").read_bytes()

    answer = get("/static/style.css", **{"Accept-Encoding": "gzip"})

    assert answer.headers["content-encoding"] == "gzip"
    assert answer.content == plain
    assert answer.num_bytes_downloaded < len(plain) / 2


@pytest.mark.parametrize(
    "path", ["/static/routes.py", "/static/%2e%2e/routes.py", "/static/", "/static//etc/passwd"]
)
def test_nothing_but_the_pages_files_is_served(path):
    assert get(path).status_code == 404


@pytest.mark.parametrize("name", DOCUMENTS)
def test_documents_have_no_script_or_style_in_them_and_name_no_other_host(name):
    text = (FOLDER / name).read_text()

    assert not re.search(r"<style|\sstyle=|\son\w+=|<script(?![^>]*\ssrc=)", text)
    assert "//" not in text


@pytest.mark.parametrize("name", [name for name in FILES if name.endswith((".js", ".css"))])
def test_modules_and_style_name_no_other_host_and_write_no_html(name):
    text = (FOLDER / "static" / name).read_text()

    assert "http" not in re.sub(r"http_\$", "", text)
    assert not re.search(r"innerHTML|insertAdjacentHTML|document\.write|eval\(|console\.", text)
    assert not re.search(r"localStorage|sessionStorage|indexedDB|document\.cookie", text)


def test_modules_can_be_read_in_one_go():
    lines = {name: len((FOLDER / "static" / name).read_text().splitlines()) for name in FILES}

    for name in ("codes.js", *(name for name in FILES if name.startswith("words/"))):
        del lines[name]  # tables
    assert {name for name, count in lines.items() if count > 250 and name.endswith(".js")} == set()
