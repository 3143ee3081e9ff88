"""The API is what its description says: proved by requests made from it."""

import json

import pytest
import schemathesis
from gateway_server import serving, settings_of
from hypothesis import HealthCheck, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from gateway.description import description
from gateway.openapi import REFUSALS
from tools.phantom import phantom_zip

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]


@pytest.fixture(scope="module")
def gateway(server, tmp_path_factory):
    file = tmp_path_factory.mktemp("jobs") / "jobs.sqlite"
    stated = {
        "GATEWAY_REQUESTS_A_MINUTE": "100000",
        "GATEWAY_JOBS_DATABASE": f"sqlite:///{file}",
    }
    with serving(settings_of(server.http_url, **stated)) as (url, _):
        yield url


@pytest.fixture(scope="module")
def api(gateway):
    return schemathesis.openapi.from_url(f"{gateway}/openapi.json")


@schemathesis.serializer("application/zip")
def as_it_is(_, value):
    content = getattr(value, "data", value)  # of what stands for a file
    return content if isinstance(content, bytes) else str(content).encode()


OPERATIONS = [
    (path, method.upper()) for path, methods in description()["paths"].items() for method in methods
]


@pytest.mark.parametrize("mode", list(GenerationMode))
@pytest.mark.parametrize(("path", "method"), OPERATIONS)
def test_every_answer_is_one_that_is_described(api, path, method, mode):
    @settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
    @given(case=api[path][method].as_strategy(generation_mode=mode))
    def ask(case):
        if "model" in case.path_parameters:
            case.path_parameters["model"] = "ct3dcnn"  # else it would be refused for its name
        case.call_and_validate(checks=CHECKS)

    ask()


def test_a_study_is_answered_as_described(api):
    operation = api["/api/models/{model}/features"]["POST"]
    case = operation.Case(
        path_parameters={"model": "ct3dcnn"}, body=phantom_zip(), media_type="application/zip"
    )

    answer = case.call_and_validate(checks=CHECKS)

    assert answer.status_code == 200
    assert len(json.loads(answer.content)["rows"][0]["features"]) == 256


def test_every_refusal_is_described_once():
    of_features = description()["paths"]["/api/models/{model}/features"]["post"]["responses"]

    assert set(of_features) == {"200", *map(str, REFUSALS)}
