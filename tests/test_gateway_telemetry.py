"""What the gateway tells of itself: nothing of a patient; an audit in which a lost entry shows."""

import asyncio
import json
import logging

import httpx
import pytest
import structlog
from log_stream import logged
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from gateway.login.principal import Principal
from gateway.problems import ProblemError, on_failure, on_http_exception, on_problem
from gateway.telemetry.audit import Audit, broken_entries
from gateway.telemetry.metrics import Metrics
from gateway.telemetry.rates import Rates
from gateway.telemetry.watching import Watching

MARKER = "DOE^JANE"


class Client:
    """Sends requests to an application, all in one event loop."""

    def __init__(self, app, runner):
        self._transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        self._runner = runner

    def request(self, method, path, **rest):
        async def sent():
            async with httpx.AsyncClient(
                transport=self._transport, base_url="http://127.0.0.1"
            ) as client:
                return await client.request(method, path, **rest)

        return self._runner.run(sent())

    def get(self, path, **rest):
        return self.request("GET", path, **rest)

    def post(self, path, **rest):
        return self.request("POST", path, **rest)


@pytest.fixture
def client_of():
    with asyncio.Runner() as runner:
        yield lambda app: Client(app, runner)


@pytest.fixture
def logs():
    with logged() as stream:
        yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]


async def _fine(request):
    request.scope["study_uids"] = ["1.2.3"]
    request.scope["model"] = "ct3dcnn"
    return PlainTextResponse("fine")


async def _refused(_):
    raise ProblemError(422, "no_image_series", "it has no images")


async def _broken(_):
    raise ValueError(MARKER)


def _app(audit, metrics=None, *, requests_a_minute=100):
    """Some routes within what tells of them, for one user."""
    metrics = metrics or Metrics()
    inner = Starlette(
        routes=[
            Route("/models/{model}", _fine, methods=["GET", "POST"]),
            Route("/refused", _refused, methods=["POST"]),
            Route("/broken", _broken),
            Route("/metrics", metrics.page),
        ],
        exception_handlers={
            ProblemError: on_problem,
            HTTPException: on_http_exception,
            Exception: on_failure,
        },
    )

    rates = Rates(inner, requests_a_minute)

    async def guarded(scope, receive, send):
        if scope["type"] == "http":
            scope["principal"] = Principal("user-1", "bearer", MARKER)
        await rates(scope, receive, send)

    return Watching(guarded, metrics, audit)


@pytest.fixture
def audit(tmp_path):
    audit = Audit(tmp_path / "audit", b"key")
    yield audit
    audit.close()


def test_a_request_is_a_line_with_its_route_and_its_number(client_of, logs, audit):
    client = client_of(_app(audit))

    answer = client.get(f"/models/{MARKER}", headers={"User-Agent": MARKER})

    (line,) = [line for line in logs() if line["event"] == "answered"]
    assert line["route"] == "/models/{model}"
    assert line["status"] == 200
    assert line["request_id"] == answer.headers["x-request-id"]
    assert len(line["request_id"]) == 32


def test_neither_logs_nor_metrics_nor_the_audit_have_what_came_in_addresses(
    client_of, logs, audit, tmp_path
):
    client = client_of(_app(audit))

    client.post(f"/models/{MARKER}?roi={MARKER}", content=MARKER)
    client.get(f"/{MARKER}")
    client.request(MARKER.replace("^", ""), "/refused")
    client.get("/broken")

    assert MARKER not in json.dumps(logs())
    assert "JANE" not in json.dumps(logs())
    assert "JANE" not in client.get("/metrics").text
    assert "JANE" not in (tmp_path / "audit").read_text()


def test_an_exception_is_told_by_its_type_and_place(logs):
    try:
        raise ValueError(MARKER)
    except ValueError:
        logging.getLogger("uvicorn.error").exception("Exception in ASGI application\n")
        structlog.get_logger("any").exception("failed")

    foreign, own = logs()
    assert foreign["failure"].startswith("ValueError in test_an_exception_is_told")
    assert own["failure"].startswith("ValueError in test_an_exception_is_told")
    assert MARKER not in json.dumps(logs())


def test_metrics_count_by_route_status_and_code(client_of, audit):
    client = client_of(_app(audit))
    for _ in range(2):
        client.post("/refused")
    client.get("/nowhere/at/all")

    page = client.get("/metrics").text

    line = (
        'deepfeatures_gateway_requests_total{code="no_image_series",method="POST",'
        'outcome="input_refused",route="/refused",status="422"} 2.0'
    )
    assert line in page
    assert 'route="none"' in page
    assert "nowhere" not in page


def test_the_audit_says_who_did_what_on_which_study(client_of, audit, tmp_path):
    client = client_of(_app(audit))

    client.post("/models/ct3dcnn")
    client.get("/models/ct3dcnn")

    (entry,) = map(json.loads, (tmp_path / "audit").read_text().splitlines())
    assert entry["who"] == "user-1"
    assert entry["what"] == "POST /models/{model}"
    assert (entry["outcome"], entry["model"]) == (200, "ct3dcnn")
    assert entry["studies"] == [Audit(None, b"key").pseudonym("1.2.3")]
    assert "1.2.3" not in (tmp_path / "audit").read_text()


def test_an_audit_goes_on_after_a_restart_and_shows_what_was_changed(tmp_path):
    file = tmp_path / "audit"
    for start in range(2):
        audit = Audit(file, b"key")
        for number in range(2):
            audit.record({"what": f"{start} {number}"})
        audit.close()
    whole = file.read_bytes().splitlines(keepends=True)

    assert broken_entries(file) == []
    file.write_bytes(b"".join(whole[:1] + whole[2:]))
    assert broken_entries(file) == [2]
    file.write_bytes(b"".join([whole[0], whole[1].replace(b"0 1", b"0 9"), *whole[2:]]))
    assert broken_entries(file) == [3]
    assert file.stat().st_mode & 0o777 == 0o600


def test_more_than_the_limit_is_refused_with_when_to_go_on(client_of, audit):
    client = client_of(_app(audit, requests_a_minute=2))

    answers = [client.post("/models/ct3dcnn") for _ in range(3)]

    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert answers[2].json()["code"] == "too_many_requests"
    assert 1 <= int(answers[2].headers["retry-after"]) <= 60


def test_files_of_the_page_are_not_counted(client_of, audit):
    client = client_of(_app(audit, requests_a_minute=2))

    for _ in range(9):
        assert client.get("/static/main.js").status_code == 404

    assert client.post("/models/ct3dcnn").status_code == 200
